-- Contents that are long, once each: rows name them by their SHA-256. No foreign keys: contents are never deleted,
-- and an index per naming column would cost every write.
CREATE TABLE blobs (
    hash BYTEA PRIMARY KEY CHECK (length(hash) = 32),
    size BIGINT NOT NULL CHECK (size >= 0),
    content TEXT NOT NULL
);

ALTER TABLE plans ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

CREATE TABLE plan_versions (
    plan_id BIGINT NOT NULL REFERENCES plans (id),
    version BIGINT NOT NULL CHECK (version > 0),
    created_at BIGINT NOT NULL,
    author TEXT,
    changes TEXT NOT NULL CHECK ((changes::json) IS NOT NULL),
    definition TEXT NOT NULL CHECK ((definition::json) IS NOT NULL),
    PRIMARY KEY (plan_id, version)
);

-- A task without a position is no longer part of its plan; what is recorded of it stays.
ALTER TABLE tasks ALTER COLUMN position DROP NOT NULL;
ALTER TABLE tasks ADD COLUMN recoveries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ALTER COLUMN recoveries DROP DEFAULT;
ALTER TABLE tasks ADD COLUMN result_blob BYTEA;
ALTER TABLE tasks ADD COLUMN kept TEXT CHECK (kept IS NULL OR (kept::json) IS NOT NULL);
ALTER TABLE tasks DROP CONSTRAINT tasks_kind_check;
ALTER TABLE tasks ADD CONSTRAINT tasks_kind_check
    CHECK (kind IN ('agent', 'command', 'patch', 'scan', 'approval', 'tool'));

ALTER TABLE steps ADD COLUMN output_blob BYTEA;

ALTER TABLE events ADD COLUMN result_blob BYTEA;

-- An attempt that runs is told by its task; only attempts that ended are kept.
DELETE FROM attempts WHERE status = 'running';

-- Keys name what they made, whatever it is.
DROP INDEX idempotency_keys_by_plan;
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_plan_id_fkey;
ALTER TABLE idempotency_keys RENAME COLUMN plan_id TO resource_id;
ALTER TABLE idempotency_keys ADD COLUMN resource TEXT NOT NULL DEFAULT 'plan'
    CHECK (resource IN ('plan', 'message', 'user', 'api_key'));
ALTER TABLE idempotency_keys ALTER COLUMN resource DROP DEFAULT;
