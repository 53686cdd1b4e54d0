CREATE TABLE old_idempotency_keys (
    owner_id INTEGER NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    resource TEXT NOT NULL CHECK (resource IN ('plan', 'message', 'user', 'api_key')),
    resource_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, key)
) STRICT, WITHOUT ROWID;

INSERT INTO old_idempotency_keys (owner_id, key, fingerprint, resource, resource_id, created_at)
SELECT owner_id, key, fingerprint, resource, resource_id, created_at FROM idempotency_keys
WHERE tenant_id = 1 AND resource IN ('plan', 'message', 'user', 'api_key');

DROP TABLE idempotency_keys;
ALTER TABLE old_idempotency_keys RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

DROP INDEX attempts_by_task;
DROP INDEX attempts_by_plan;
CREATE INDEX attempts_by_plan ON attempts (plan_id);
DROP INDEX api_keys_by_owner;
CREATE INDEX api_keys_by_owner ON api_keys (owner_id);
DROP INDEX messages_by_plan;
CREATE INDEX messages_by_plan ON messages (plan_id, id);
DROP INDEX messages_by_owner;
CREATE INDEX messages_by_owner ON messages (owner_id, id);
DROP INDEX events_by_owner;
CREATE INDEX events_by_owner ON events (owner_id, cursor);
DROP INDEX plans_by_owner;
CREATE INDEX plans_by_owner ON plans (owner_id);
DROP INDEX attempts_by_finish;
CREATE INDEX attempts_by_finish ON attempts (finished_at);
DROP INDEX messages_by_tenant;
DROP INDEX events_by_tenant;
DROP INDEX plans_by_tenant;
DROP INDEX api_keys_by_tenant;
DROP INDEX api_keys_by_maker;
ALTER TABLE api_keys DROP COLUMN made_by;
ALTER TABLE refresh_tokens DROP COLUMN tenant_id;
ALTER TABLE api_keys DROP COLUMN tenant_id;
ALTER TABLE messages DROP COLUMN tenant_id;
ALTER TABLE events DROP COLUMN tenant_id;
ALTER TABLE plan_versions DROP COLUMN tenant_id;
ALTER TABLE executions DROP COLUMN tenant_id;
ALTER TABLE approvals DROP COLUMN tenant_id;
ALTER TABLE steps DROP COLUMN tenant_id;
ALTER TABLE attempts DROP COLUMN tenant_id;
ALTER TABLE tasks DROP COLUMN tenant_id;
ALTER TABLE plans DROP COLUMN tenant_id;

DROP INDEX users_by_home;
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'viewer' CHECK (role IN ('viewer', 'user', 'admin'));
UPDATE users SET role = memberships.role FROM memberships
WHERE memberships.user_id = users.id AND memberships.tenant_id = users.home_tenant_id;
ALTER TABLE users DROP COLUMN password_expires_at;
ALTER TABLE users DROP COLUMN operator;
ALTER TABLE users DROP COLUMN home_tenant_id;

DROP TABLE memberships;
DROP TABLE tenants;
