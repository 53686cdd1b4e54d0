-- One row that tells this database from every other. What servers of one database share outside of it is named after it.
CREATE TABLE identity (
    id TEXT PRIMARY KEY CHECK (length(id) = 32)
);

INSERT INTO identity (id) VALUES (replace(gen_random_uuid()::text, '-', ''));
