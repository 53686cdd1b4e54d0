-- What was executed, in sums. An attempt is counted by its place in the order in which a tenant's attempts were recorded; the
-- overview says up to which place everything is counted, and changes together with the sums.
ALTER TABLE attempts ADD COLUMN cursor INTEGER NOT NULL DEFAULT 0;
UPDATE attempts SET cursor = placed.place
FROM (
    SELECT task_id, attempt,
        row_number() OVER (PARTITION BY tenant_id ORDER BY finished_at, task_id, attempt) AS place
    FROM attempts
) AS placed
WHERE attempts.task_id = placed.task_id AND attempts.attempt = placed.attempt;
DROP INDEX attempts_by_finish;
CREATE INDEX attempts_by_cursor ON attempts (tenant_id, cursor);

CREATE TABLE analytics_overviews (
    tenant_id INTEGER PRIMARY KEY NOT NULL REFERENCES tenants (id),
    cursor INTEGER NOT NULL CHECK (cursor >= 0),
    overview TEXT NOT NULL CHECK (json_valid(overview))
) STRICT, WITHOUT ROWID;

CREATE TABLE analytics_rollups (
    tenant_id INTEGER NOT NULL REFERENCES tenants (id),
    dimension TEXT NOT NULL CHECK (dimension IN ('hour', 'day', 'template', 'user', 'model')),
    subject TEXT NOT NULL,
    figures TEXT NOT NULL CHECK (json_valid(figures)),
    PRIMARY KEY (tenant_id, dimension, subject)
) STRICT, WITHOUT ROWID;
