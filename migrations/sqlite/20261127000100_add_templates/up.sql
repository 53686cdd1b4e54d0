-- Templates of tenants. A number is never given again; the word in `slug` is free once its template is deleted. `size` is
-- that of the present version's document, in bytes.
CREATE TABLE templates (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    tenant_id INTEGER NOT NULL REFERENCES tenants (id),
    owner_id INTEGER NOT NULL REFERENCES users (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    slug TEXT NOT NULL,
    author TEXT NOT NULL,
    UNIQUE (tenant_id, slug)
) STRICT;

CREATE INDEX templates_by_owner ON templates (owner_id);

-- Every version that a template has or had, the present one among them.
CREATE TABLE template_versions (
    template_id INTEGER NOT NULL REFERENCES templates (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    tenant_id INTEGER NOT NULL REFERENCES tenants (id),
    created_at INTEGER NOT NULL,
    author TEXT NOT NULL,
    document TEXT NOT NULL CHECK (json_valid(document)),
    PRIMARY KEY (template_id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX template_versions_by_tenant ON template_versions (tenant_id, template_id);

-- A key may name a template; another CHECK needs the table anew.
CREATE TABLE new_idempotency_keys (
    tenant_id INTEGER NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    resource TEXT NOT NULL CHECK (resource IN ('plan', 'message', 'user', 'api_key', 'tenant', 'webhook', 'template')),
    resource_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, tenant_id, key)
) STRICT, WITHOUT ROWID;

INSERT INTO new_idempotency_keys (tenant_id, owner_id, key, fingerprint, resource, resource_id, created_at)
SELECT tenant_id, owner_id, key, fingerprint, resource, resource_id, created_at FROM idempotency_keys;

DROP TABLE idempotency_keys;
ALTER TABLE new_idempotency_keys RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
