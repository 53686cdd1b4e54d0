-- Who did what, in chains of hashes: one for each tenant, and one (0) for the server itself. A chain's beginning and end
-- are kept apart from its records, so that a missing end is noticed.
CREATE TABLE audit_chains (
    tenant_id INTEGER PRIMARY KEY NOT NULL CHECK (tenant_id >= 0),
    first_sequence INTEGER NOT NULL CHECK (first_sequence > 0),
    first_previous_hash BLOB NOT NULL CHECK (length(first_previous_hash) = 32),
    head_sequence INTEGER NOT NULL CHECK (head_sequence >= 0),
    head_hash BLOB NOT NULL CHECK (length(head_hash) = 32)
) STRICT;

CREATE TABLE audit_records (
    tenant_id INTEGER NOT NULL REFERENCES audit_chains (tenant_id),
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    recorded_at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('anonymous', 'user', 'api_key', 'system')),
    user_id INTEGER,
    username TEXT,
    key_id INTEGER,
    on_behalf_of TEXT,
    source TEXT,
    action TEXT NOT NULL,
    resource TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('success', 'denied', 'failed')),
    status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 999),
    code TEXT,
    request_id TEXT,
    details TEXT NOT NULL CHECK (json_valid(details)),
    previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_records_by_user ON audit_records (tenant_id, user_id, sequence);
CREATE INDEX audit_records_by_time ON audit_records (tenant_id, recorded_at);
