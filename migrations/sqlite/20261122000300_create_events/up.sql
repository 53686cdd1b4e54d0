-- The owner is repeated here so that one owner's events are read by one index.
CREATE TABLE events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    seq INTEGER NOT NULL CHECK (seq > 0),
    owner_id INTEGER NOT NULL,
    task_id INTEGER,
    created_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    UNIQUE (plan_id, seq)
) STRICT;

CREATE INDEX events_by_owner ON events (owner_id, cursor);
