-- What the older schema has no place for is left behind: keys of messages, users and API keys, versions, tasks
-- that were taken out of their plan, and calls of tools, which the older program cannot read.
CREATE TABLE old_idempotency_keys (
    owner_id INTEGER NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, key)
) STRICT, WITHOUT ROWID;

INSERT INTO old_idempotency_keys (owner_id, key, fingerprint, plan_id, created_at)
SELECT owner_id, key, fingerprint, resource_id, created_at FROM idempotency_keys WHERE resource = 'plan';

DROP TABLE idempotency_keys;
ALTER TABLE old_idempotency_keys RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_plan ON idempotency_keys (plan_id);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE old_events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    seq INTEGER NOT NULL CHECK (seq > 0),
    owner_id INTEGER NOT NULL,
    task_id INTEGER,
    created_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    UNIQUE (plan_id, seq)
) STRICT;

INSERT INTO old_events (cursor, plan_id, seq, owner_id, task_id, created_at, name, payload)
SELECT
    e.cursor, e.plan_id, e.seq, e.owner_id, e.task_id, e.created_at, e.name,
    CASE WHEN e.result_blob IS NULL THEN e.payload ELSE json_object('result', json(b.content)) END
FROM events e LEFT JOIN blobs b ON b.hash = e.result_blob;

DROP TABLE events;
ALTER TABLE old_events RENAME TO events;
CREATE INDEX events_by_owner ON events (owner_id, cursor);

UPDATE steps SET output = (SELECT content FROM blobs WHERE hash = output_blob) WHERE output_blob IS NOT NULL;
ALTER TABLE steps DROP COLUMN output_blob;

CREATE TABLE old_tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    position INTEGER NOT NULL CHECK (position > 0),
    status TEXT NOT NULL CHECK (status IN (
        'pending', 'ready', 'running', 'awaiting_approval', 'completed', 'failed', 'skipped', 'cancelled'
    )),
    selected INTEGER NOT NULL CHECK (selected IN (0, 1)),
    attempts INTEGER NOT NULL,
    attempt_limit INTEGER NOT NULL,
    approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
    wake_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    kind TEXT NOT NULL CHECK (kind IN ('agent', 'command', 'patch', 'scan', 'approval')),
    priority TEXT NOT NULL CHECK (priority IN ('high', 'medium', 'low')),
    description TEXT NOT NULL,
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    result TEXT CHECK (result IS NULL OR json_valid(result)),
    error TEXT,
    UNIQUE (plan_id, position)
) STRICT;

DELETE FROM attempts WHERE task_id IN (SELECT id FROM tasks WHERE position IS NULL OR kind = 'tool');
DELETE FROM approvals WHERE task_id IN (SELECT id FROM tasks WHERE position IS NULL OR kind = 'tool');
DELETE FROM executions WHERE task_id IN (SELECT id FROM tasks WHERE position IS NULL OR kind = 'tool');

INSERT INTO old_tasks (
    id, plan_id, position, status, selected, attempts, attempt_limit, approved, wake_at, started_at, finished_at,
    kind, priority, description, spec, result, error
)
SELECT
    t.id, t.plan_id, t.position, t.status, t.selected, t.attempts, t.attempt_limit, t.approved, t.wake_at,
    t.started_at, t.finished_at, t.kind, t.priority, t.description, t.spec, coalesce(b.content, t.result), t.error
FROM tasks t LEFT JOIN blobs b ON b.hash = t.result_blob
WHERE t.position IS NOT NULL AND t.kind <> 'tool';

DROP TABLE tasks;
ALTER TABLE old_tasks RENAME TO tasks;

INSERT INTO attempts (task_id, attempt, plan_id, status, started_at, result_length, tokens)
SELECT id, attempts, plan_id, 'running', coalesce(started_at, 0), 0, 0 FROM tasks WHERE status = 'running';

DROP TABLE plan_versions;
ALTER TABLE plans DROP COLUMN version;
DROP TABLE blobs;
