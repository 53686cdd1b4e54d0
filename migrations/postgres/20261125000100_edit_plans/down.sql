-- What the older schema has no place for is left behind: keys of messages, users and API keys, versions, tasks
-- that were taken out of their plan, and calls of tools, which the older program cannot read.
DELETE FROM idempotency_keys WHERE resource <> 'plan';
ALTER TABLE idempotency_keys DROP COLUMN resource;
ALTER TABLE idempotency_keys RENAME COLUMN resource_id TO plan_id;
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_plan_id_fkey
    FOREIGN KEY (plan_id) REFERENCES plans (id);
CREATE INDEX idempotency_keys_by_plan ON idempotency_keys (plan_id);

UPDATE events SET payload = '{"result":' || blobs.content || '}' FROM blobs WHERE blobs.hash = events.result_blob;
ALTER TABLE events DROP COLUMN result_blob;

UPDATE steps SET output = blobs.content FROM blobs WHERE blobs.hash = steps.output_blob;
ALTER TABLE steps DROP COLUMN output_blob;

DELETE FROM attempts WHERE task_id IN (SELECT id FROM tasks WHERE position IS NULL OR kind = 'tool');
DELETE FROM approvals WHERE task_id IN (SELECT id FROM tasks WHERE position IS NULL OR kind = 'tool');
DELETE FROM executions WHERE task_id IN (SELECT id FROM tasks WHERE position IS NULL OR kind = 'tool');
DELETE FROM tasks WHERE position IS NULL OR kind = 'tool';
UPDATE tasks SET result = blobs.content FROM blobs WHERE blobs.hash = tasks.result_blob;
ALTER TABLE tasks DROP CONSTRAINT tasks_kind_check;
ALTER TABLE tasks ADD CONSTRAINT tasks_kind_check
    CHECK (kind IN ('agent', 'command', 'patch', 'scan', 'approval'));
ALTER TABLE tasks DROP COLUMN kept;
ALTER TABLE tasks DROP COLUMN result_blob;
ALTER TABLE tasks DROP COLUMN recoveries;
ALTER TABLE tasks ALTER COLUMN position SET NOT NULL;

INSERT INTO attempts (task_id, attempt, plan_id, status, started_at, result_length, tokens)
SELECT id, attempts, plan_id, 'running', coalesce(started_at, 0), 0, 0 FROM tasks WHERE status = 'running'
ON CONFLICT DO NOTHING;

DROP TABLE plan_versions;
ALTER TABLE plans DROP COLUMN version;
DROP TABLE blobs;
