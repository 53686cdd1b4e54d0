-- Organisations on one server. Whatever was there before belongs to the first.
CREATE TABLE tenants (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    repository_roots TEXT CHECK (repository_roots IS NULL OR json_valid(repository_roots))
) STRICT;

INSERT INTO tenants (id, name, name_folded, created_at)
VALUES (1, 'default', 'default', CAST(ROUND(unixepoch('now', 'subsec') * 1000) AS INTEGER) * 1000);

CREATE TABLE memberships (
    tenant_id INTEGER NOT NULL REFERENCES tenants (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('viewer', 'user', 'admin')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_by_user ON memberships (user_id, tenant_id);

INSERT INTO memberships (tenant_id, user_id, role, created_at) SELECT 1, id, role, created_at FROM users;

-- Who administered the server goes on to look after it.
ALTER TABLE users ADD COLUMN home_tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenants (id);
ALTER TABLE users ADD COLUMN operator INTEGER NOT NULL DEFAULT 0 CHECK (operator IN (0, 1));
ALTER TABLE users ADD COLUMN password_expires_at INTEGER;
UPDATE users SET operator = 1 WHERE role = 'admin';
ALTER TABLE users DROP COLUMN role;
CREATE INDEX users_by_home ON users (home_tenant_id);

ALTER TABLE plans ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenants (id);
ALTER TABLE tasks ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE attempts ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE steps ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE approvals ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE executions ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE plan_versions ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE events ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenants (id);
ALTER TABLE refresh_tokens ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;

ALTER TABLE api_keys ADD COLUMN made_by INTEGER REFERENCES api_keys (id);
CREATE INDEX api_keys_by_maker ON api_keys (made_by);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id);

CREATE INDEX plans_by_tenant ON plans (tenant_id, id);
CREATE INDEX events_by_tenant ON events (tenant_id, cursor);
CREATE INDEX messages_by_tenant ON messages (tenant_id, id);
DROP INDEX attempts_by_finish;
CREATE INDEX attempts_by_finish ON attempts (tenant_id, finished_at);

-- What is asked of one owner, plan or task names the tenant too. SQLite knows nothing of sizes: between two indexes that
-- each fit one condition it takes the tenant's, and reads all that the tenant has.
DROP INDEX plans_by_owner;
CREATE INDEX plans_by_owner ON plans (owner_id, tenant_id, id);
DROP INDEX events_by_owner;
CREATE INDEX events_by_owner ON events (owner_id, tenant_id, cursor);
DROP INDEX messages_by_owner;
CREATE INDEX messages_by_owner ON messages (owner_id, tenant_id, id);
DROP INDEX messages_by_plan;
CREATE INDEX messages_by_plan ON messages (plan_id, tenant_id, id);
DROP INDEX api_keys_by_owner;
CREATE INDEX api_keys_by_owner ON api_keys (owner_id, tenant_id);
DROP INDEX attempts_by_plan;
CREATE INDEX attempts_by_plan ON attempts (plan_id, tenant_id, finished_at);
CREATE INDEX attempts_by_task ON attempts (task_id, tenant_id, finished_at);

-- A key of one tenant is not the same key in another.
CREATE TABLE new_idempotency_keys (
    tenant_id INTEGER NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    resource TEXT NOT NULL CHECK (resource IN ('plan', 'message', 'user', 'api_key', 'tenant', 'webhook')),
    resource_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, tenant_id, key)
) STRICT, WITHOUT ROWID;

INSERT INTO new_idempotency_keys (tenant_id, owner_id, key, fingerprint, resource, resource_id, created_at)
SELECT 1, owner_id, key, fingerprint, resource, resource_id, created_at FROM idempotency_keys;

DROP TABLE idempotency_keys;
ALTER TABLE new_idempotency_keys RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
