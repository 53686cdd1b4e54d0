-- Who did what, in chains of hashes: one for each tenant, and one (0) for the server itself. A chain's beginning and end
-- are kept apart from its records, so that a missing end is noticed.
CREATE TABLE audit_chains (
    tenant_id BIGINT PRIMARY KEY CHECK (tenant_id >= 0),
    first_sequence BIGINT NOT NULL CHECK (first_sequence > 0),
    first_previous_hash BYTEA NOT NULL CHECK (length(first_previous_hash) = 32),
    head_sequence BIGINT NOT NULL CHECK (head_sequence >= 0),
    head_hash BYTEA NOT NULL CHECK (length(head_hash) = 32)
);

CREATE TABLE audit_records (
    tenant_id BIGINT NOT NULL REFERENCES audit_chains (tenant_id),
    sequence BIGINT NOT NULL CHECK (sequence > 0),
    recorded_at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('anonymous', 'user', 'api_key', 'system')),
    user_id BIGINT,
    username TEXT,
    key_id BIGINT,
    on_behalf_of TEXT,
    source TEXT,
    action TEXT NOT NULL,
    resource TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('success', 'denied', 'failed')),
    status BIGINT NOT NULL CHECK (status BETWEEN 0 AND 999),
    code TEXT,
    request_id TEXT,
    details TEXT NOT NULL CHECK ((details::json) IS NOT NULL),
    previous_hash BYTEA NOT NULL CHECK (length(previous_hash) = 32),
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant_id, sequence)
);

CREATE INDEX audit_records_by_user ON audit_records (tenant_id, user_id, sequence);
CREATE INDEX audit_records_by_time ON audit_records (tenant_id, recorded_at);

ALTER TABLE audit_chains ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_chains FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON audit_chains USING (current_setting('agent.tenant', TRUE) IN ('*', tenant_id::text));
ALTER TABLE audit_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_records FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON audit_records USING (current_setting('agent.tenant', TRUE) IN ('*', tenant_id::text));
