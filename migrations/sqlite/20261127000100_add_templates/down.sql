DROP TABLE template_versions;
DROP TABLE templates;

CREATE TABLE old_idempotency_keys (
    tenant_id INTEGER NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    resource TEXT NOT NULL CHECK (resource IN ('plan', 'message', 'user', 'api_key', 'tenant', 'webhook')),
    resource_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, tenant_id, key)
) STRICT, WITHOUT ROWID;

INSERT INTO old_idempotency_keys (tenant_id, owner_id, key, fingerprint, resource, resource_id, created_at)
SELECT tenant_id, owner_id, key, fingerprint, resource, resource_id, created_at FROM idempotency_keys
WHERE resource <> 'template';

DROP TABLE idempotency_keys;
ALTER TABLE old_idempotency_keys RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
