CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES users (id),
    plan_id INTEGER REFERENCES plans (id),
    role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
    created_at INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;

CREATE INDEX messages_by_owner ON messages (owner_id, id);
CREATE INDEX messages_by_plan ON messages (plan_id, id);
