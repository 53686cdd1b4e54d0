-- Contents that are long, once each: rows name them by their SHA-256. No foreign keys: contents are never deleted,
-- and an index per naming column would cost every write.
CREATE TABLE blobs (
    hash BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
    size INTEGER NOT NULL CHECK (size >= 0),
    content TEXT NOT NULL
) STRICT;

ALTER TABLE plans ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

CREATE TABLE plan_versions (
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    version INTEGER NOT NULL CHECK (version > 0),
    created_at INTEGER NOT NULL,
    author TEXT,
    changes TEXT NOT NULL CHECK (json_valid(changes)),
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    PRIMARY KEY (plan_id, version)
) STRICT;

-- Another CHECK and a position that can be empty need the table anew; foreign keys are off while this runs.
-- A task without a position is no longer part of its plan; what is recorded of it stays.
CREATE TABLE new_tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    position INTEGER CHECK (position > 0),
    status TEXT NOT NULL CHECK (status IN (
        'pending', 'ready', 'running', 'awaiting_approval', 'completed', 'failed', 'skipped', 'cancelled'
    )),
    selected INTEGER NOT NULL CHECK (selected IN (0, 1)),
    attempts INTEGER NOT NULL,
    attempt_limit INTEGER NOT NULL,
    recoveries INTEGER NOT NULL,
    approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
    wake_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    result_blob BLOB,
    kind TEXT NOT NULL CHECK (kind IN ('agent', 'command', 'patch', 'scan', 'approval', 'tool')),
    priority TEXT NOT NULL CHECK (priority IN ('high', 'medium', 'low')),
    description TEXT NOT NULL,
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    result TEXT CHECK (result IS NULL OR json_valid(result)),
    kept TEXT CHECK (kept IS NULL OR json_valid(kept)),
    error TEXT,
    UNIQUE (plan_id, position)
) STRICT;

INSERT INTO new_tasks (
    id, plan_id, position, status, selected, attempts, attempt_limit, recoveries, approved, wake_at, started_at,
    finished_at, kind, priority, description, spec, result, error
)
SELECT
    id, plan_id, position, status, selected, attempts, attempt_limit, 0, approved, wake_at, started_at,
    finished_at, kind, priority, description, spec, result, error
FROM tasks;

DROP TABLE tasks;
ALTER TABLE new_tasks RENAME TO tasks;

ALTER TABLE steps ADD COLUMN output_blob BLOB;

-- Positions of events are never given twice without AUTOINCREMENT too, since events are never deleted from the end.
CREATE TABLE new_events (
    cursor INTEGER PRIMARY KEY NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    seq INTEGER NOT NULL CHECK (seq > 0),
    owner_id INTEGER NOT NULL,
    task_id INTEGER,
    created_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    result_blob BLOB,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    UNIQUE (plan_id, seq)
) STRICT;

INSERT INTO new_events (cursor, plan_id, seq, owner_id, task_id, created_at, name, payload)
SELECT cursor, plan_id, seq, owner_id, task_id, created_at, name, payload FROM events;

DROP TABLE events;
ALTER TABLE new_events RENAME TO events;
CREATE INDEX events_by_owner ON events (owner_id, cursor);

-- An attempt that runs is told by its task; only attempts that ended are kept.
DELETE FROM attempts WHERE status = 'running';

-- Keys name what they made, whatever it is.
CREATE TABLE new_idempotency_keys (
    owner_id INTEGER NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    resource TEXT NOT NULL CHECK (resource IN ('plan', 'message', 'user', 'api_key')),
    resource_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, key)
) STRICT, WITHOUT ROWID;

INSERT INTO new_idempotency_keys (owner_id, key, fingerprint, resource, resource_id, created_at)
SELECT owner_id, key, fingerprint, 'plan', plan_id, created_at FROM idempotency_keys;

DROP TABLE idempotency_keys;
ALTER TABLE new_idempotency_keys RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
