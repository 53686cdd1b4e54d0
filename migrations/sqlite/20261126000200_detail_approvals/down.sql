ALTER TABLE tasks DROP COLUMN questions;

CREATE TABLE old_approvals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    subject TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decision TEXT CHECK (decision IS NULL OR decision IN ('approve', 'reject', 'expired')),
    decided_by TEXT,
    decided_at INTEGER,
    note TEXT,
    CHECK ((decision IS NULL) = (decided_by IS NULL))
) STRICT;

INSERT INTO old_approvals (
    id, plan_id, task_id, subject, requested_at, expires_at, decision, decided_by, decided_at, note
)
SELECT
    id, plan_id, task_id, subject, requested_at, expires_at,
    CASE
        WHEN decision IN ('approve_for_plan', 'approve_with_rule') THEN 'approve'
        WHEN decision = 'cancel' THEN 'reject'
        WHEN decision = 'withdrawn' THEN 'expired'
        ELSE decision
    END,
    decided_by, decided_at, note
FROM approvals;

DROP TABLE approvals;
ALTER TABLE old_approvals RENAME TO approvals;

CREATE INDEX approvals_by_plan ON approvals (plan_id);
CREATE INDEX approvals_by_task ON approvals (task_id);
CREATE INDEX approvals_open ON approvals (id) WHERE decision IS NULL;
