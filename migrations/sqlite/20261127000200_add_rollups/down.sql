DROP TABLE analytics_rollups;
DROP TABLE analytics_overviews;
DROP INDEX attempts_by_cursor;
ALTER TABLE attempts DROP COLUMN cursor;
CREATE INDEX attempts_by_finish ON attempts (tenant_id, finished_at);
