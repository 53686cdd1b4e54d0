CREATE TABLE plans (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES users (id),
    status TEXT NOT NULL CHECK (status IN (
        'planning', 'created', 'running', 'paused', 'awaiting_approval', 'completed', 'failed', 'cancelled'
    )),
    auto_execute INTEGER NOT NULL CHECK (auto_execute IN (0, 1)),
    cancel_requested INTEGER NOT NULL CHECK (cancel_requested IN (0, 1)),
    revision INTEGER NOT NULL,
    next_seq INTEGER NOT NULL CHECK (next_seq > 0),
    lease_owner TEXT,
    lease_generation INTEGER NOT NULL,
    lease_expires_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    template_id TEXT,
    policy TEXT NOT NULL CHECK (json_valid(policy)),
    repo_path TEXT NOT NULL,
    goal TEXT NOT NULL,
    summary TEXT
) STRICT;

CREATE INDEX plans_by_owner ON plans (owner_id);
CREATE INDEX plans_by_status ON plans (status);
CREATE INDEX plans_by_lease ON plans (lease_owner) WHERE lease_owner IS NOT NULL;

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    position INTEGER NOT NULL CHECK (position > 0),
    status TEXT NOT NULL CHECK (status IN (
        'pending', 'ready', 'running', 'awaiting_approval', 'completed', 'failed', 'skipped', 'cancelled'
    )),
    selected INTEGER NOT NULL CHECK (selected IN (0, 1)),
    attempts INTEGER NOT NULL,
    attempt_limit INTEGER NOT NULL,
    approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
    wake_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    kind TEXT NOT NULL CHECK (kind IN ('agent', 'command', 'patch', 'scan', 'approval')),
    priority TEXT NOT NULL CHECK (priority IN ('high', 'medium', 'low')),
    description TEXT NOT NULL,
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    result TEXT CHECK (result IS NULL OR json_valid(result)),
    error TEXT,
    UNIQUE (plan_id, position)
) STRICT;

CREATE TABLE attempts (
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    result_length INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (task_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_by_plan ON attempts (plan_id);
CREATE INDEX attempts_by_finish ON attempts (finished_at);

-- A step of planning belongs to no task, so the key begins with the plan and task_id is no foreign key.
CREATE TABLE steps (
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    task_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('model', 'tool')),
    name TEXT NOT NULL,
    effect TEXT NOT NULL CHECK (effect IN ('pure', 'idempotent', 'compensatable', 'opaque')),
    status TEXT CHECK (status IS NULL OR status IN ('ok', 'error', 'outcome_unknown')),
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    input TEXT NOT NULL CHECK (json_valid(input)),
    prepared TEXT NOT NULL CHECK (json_valid(prepared)),
    output TEXT CHECK (output IS NULL OR json_valid(output)),
    PRIMARY KEY (plan_id, task_id, attempt, position),
    CHECK ((status IS NULL) = (output IS NULL))
) STRICT;

CREATE TABLE approvals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    subject TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decision TEXT CHECK (decision IS NULL OR decision IN ('approve', 'reject', 'expired')),
    decided_by TEXT,
    decided_at INTEGER,
    note TEXT,
    CHECK ((decision IS NULL) = (decided_by IS NULL))
) STRICT;

CREATE INDEX approvals_by_plan ON approvals (plan_id);
CREATE INDEX approvals_by_task ON approvals (task_id);
CREATE INDEX approvals_open ON approvals (id) WHERE decision IS NULL;

CREATE TABLE executions (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    task_id INTEGER REFERENCES tasks (id),
    requested_at INTEGER NOT NULL
) STRICT;

CREATE INDEX executions_by_plan ON executions (plan_id);
CREATE INDEX executions_by_task ON executions (task_id);

CREATE TABLE idempotency_keys (
    owner_id INTEGER NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_plan ON idempotency_keys (plan_id);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
