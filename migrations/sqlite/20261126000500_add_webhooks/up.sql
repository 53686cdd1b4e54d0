-- Addresses that are told of their owner's events. `generation` fences: whoever delivers under an earlier one is refused.
-- The secrets are kept as they are, because deliveries are signed with them.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    tenant_id INTEGER NOT NULL REFERENCES tenants (id),
    owner_id INTEGER NOT NULL REFERENCES users (id),
    cursor INTEGER NOT NULL CHECK (cursor >= 0),
    generation INTEGER NOT NULL CHECK (generation >= 0),
    claimed_at INTEGER NOT NULL,
    claimed_until INTEGER,
    disabled_reason TEXT CHECK (disabled_reason IN ('owner', 'gone', 'failing')),
    failures INTEGER NOT NULL CHECK (failures >= 0),
    failing_since INTEGER,
    next_attempt_at INTEGER,
    created_at INTEGER NOT NULL,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_secret_until INTEGER,
    events TEXT NOT NULL CHECK (json_valid(events)),
    url TEXT NOT NULL,
    last_error TEXT,
    CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL))
) STRICT;

CREATE INDEX webhooks_by_owner ON webhooks (owner_id, tenant_id, id);
CREATE INDEX webhooks_by_tenant ON webhooks (tenant_id, id);
