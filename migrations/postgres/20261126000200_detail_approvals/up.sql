-- Questions name the exact bytes they are about, and count per task, so that an answer never reaches a later one.
ALTER TABLE approvals ADD COLUMN sequence BIGINT;
UPDATE approvals SET sequence = numbered.sequence
FROM (SELECT id, row_number() OVER (PARTITION BY task_id ORDER BY id) AS sequence FROM approvals) AS numbered
WHERE numbered.id = approvals.id;
ALTER TABLE approvals ALTER COLUMN sequence SET NOT NULL;
ALTER TABLE approvals ADD CONSTRAINT approvals_sequence_check CHECK (sequence > 0);
ALTER TABLE approvals ADD CONSTRAINT approvals_task_id_sequence_key UNIQUE (task_id, sequence);
DROP INDEX approvals_by_task;

ALTER TABLE approvals ADD COLUMN attempt BIGINT CHECK (attempt > 0);
ALTER TABLE approvals ADD COLUMN call BIGINT CHECK (call >= 0);
ALTER TABLE approvals ADD COLUMN kind TEXT NOT NULL DEFAULT 'task'
    CHECK (kind IN ('task', 'question', 'outcome_unknown', 'command', 'file_change', 'tool'));
ALTER TABLE approvals ADD COLUMN risk TEXT NOT NULL DEFAULT 'medium'
    CHECK (risk IN ('low', 'medium', 'high', 'critical'));
ALTER TABLE approvals ADD COLUMN on_expiry TEXT NOT NULL DEFAULT 'stop' CHECK (on_expiry IN ('deny', 'stop'));
ALTER TABLE approvals ADD COLUMN args_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN scope_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN reason TEXT;
ALTER TABLE approvals ADD COLUMN rule TEXT CHECK (rule IS NULL OR (rule::json) IS NOT NULL);
ALTER TABLE approvals ADD COLUMN covers TEXT NOT NULL DEFAULT '{}' CHECK ((covers::json) IS NOT NULL);
ALTER TABLE approvals ALTER COLUMN kind DROP DEFAULT;
ALTER TABLE approvals ALTER COLUMN risk DROP DEFAULT;
ALTER TABLE approvals ALTER COLUMN on_expiry DROP DEFAULT;
ALTER TABLE approvals ALTER COLUMN args_hash DROP DEFAULT;
ALTER TABLE approvals ALTER COLUMN scope_hash DROP DEFAULT;
ALTER TABLE approvals ALTER COLUMN covers DROP DEFAULT;

ALTER TABLE approvals DROP CONSTRAINT approvals_decision_check;
ALTER TABLE approvals ADD CONSTRAINT approvals_decision_check CHECK (decision IS NULL OR decision IN (
    'approve', 'approve_for_plan', 'approve_with_rule', 'reject', 'cancel', 'expired', 'withdrawn'
));
ALTER TABLE approvals ADD CONSTRAINT approvals_rule_with_decision_check
    CHECK ((rule IS NOT NULL) = (decision IS NOT NULL AND decision = 'approve_with_rule'));

ALTER TABLE tasks ADD COLUMN questions BIGINT NOT NULL DEFAULT 0;
UPDATE tasks SET questions = (SELECT count(*) FROM approvals WHERE approvals.task_id = tasks.id);
ALTER TABLE tasks ALTER COLUMN questions DROP DEFAULT;
