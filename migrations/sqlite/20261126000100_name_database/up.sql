-- One row that tells this database from every other. What servers of one database share outside of it is named after it.
CREATE TABLE identity (
    id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 32)
) STRICT;

INSERT INTO identity (id) VALUES (lower(hex(randomblob(16))));
