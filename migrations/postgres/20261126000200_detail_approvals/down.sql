ALTER TABLE tasks DROP COLUMN questions;

ALTER TABLE approvals DROP CONSTRAINT approvals_rule_with_decision_check;
ALTER TABLE approvals DROP CONSTRAINT approvals_decision_check;
UPDATE approvals SET decision = CASE
    WHEN decision IN ('approve_for_plan', 'approve_with_rule') THEN 'approve'
    WHEN decision = 'cancel' THEN 'reject'
    WHEN decision = 'withdrawn' THEN 'expired'
    ELSE decision
END;
ALTER TABLE approvals ADD CONSTRAINT approvals_decision_check
    CHECK (decision IS NULL OR decision IN ('approve', 'reject', 'expired'));

CREATE INDEX approvals_by_task ON approvals (task_id);
ALTER TABLE approvals DROP CONSTRAINT approvals_task_id_sequence_key;
ALTER TABLE approvals DROP COLUMN sequence;
ALTER TABLE approvals DROP COLUMN attempt;
ALTER TABLE approvals DROP COLUMN call;
ALTER TABLE approvals DROP COLUMN kind;
ALTER TABLE approvals DROP COLUMN risk;
ALTER TABLE approvals DROP COLUMN on_expiry;
ALTER TABLE approvals DROP COLUMN args_hash;
ALTER TABLE approvals DROP COLUMN scope_hash;
ALTER TABLE approvals DROP COLUMN reason;
ALTER TABLE approvals DROP COLUMN rule;
ALTER TABLE approvals DROP COLUMN covers;
