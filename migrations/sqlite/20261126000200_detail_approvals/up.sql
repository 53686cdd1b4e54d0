-- Questions name the exact bytes they are about, and count per task, so that an answer never reaches a later one.
CREATE TABLE new_approvals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    attempt INTEGER CHECK (attempt > 0),
    call INTEGER CHECK (call >= 0),
    requested_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_at INTEGER,
    kind TEXT NOT NULL CHECK (kind IN ('task', 'question', 'outcome_unknown', 'command', 'file_change', 'tool')),
    risk TEXT NOT NULL CHECK (risk IN ('low', 'medium', 'high', 'critical')),
    on_expiry TEXT NOT NULL CHECK (on_expiry IN ('deny', 'stop')),
    decision TEXT CHECK (decision IS NULL OR decision IN (
        'approve', 'approve_for_plan', 'approve_with_rule', 'reject', 'cancel', 'expired', 'withdrawn'
    )),
    decided_by TEXT,
    args_hash TEXT NOT NULL,
    scope_hash TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT,
    note TEXT,
    rule TEXT CHECK (rule IS NULL OR json_valid(rule)),
    covers TEXT NOT NULL CHECK (json_valid(covers)),
    UNIQUE (task_id, sequence),
    CHECK ((decision IS NULL) = (decided_by IS NULL)),
    CHECK ((rule IS NOT NULL) = (decision IS NOT NULL AND decision = 'approve_with_rule'))
) STRICT;

INSERT INTO new_approvals (
    id, plan_id, task_id, sequence, requested_at, expires_at, decided_at, kind, risk, on_expiry, decision, decided_by,
    args_hash, scope_hash, subject, note, covers
)
SELECT
    id, plan_id, task_id, row_number() OVER (PARTITION BY task_id ORDER BY id), requested_at, expires_at, decided_at,
    'task', 'medium', 'stop', decision, decided_by, '', '', subject, note, '{}'
FROM approvals;

DROP TABLE approvals;
ALTER TABLE new_approvals RENAME TO approvals;

CREATE INDEX approvals_by_plan ON approvals (plan_id);
CREATE INDEX approvals_open ON approvals (id) WHERE decision IS NULL;

ALTER TABLE tasks ADD COLUMN questions INTEGER NOT NULL DEFAULT 0;
UPDATE tasks SET questions = (SELECT count(*) FROM approvals WHERE approvals.task_id = tasks.id);
