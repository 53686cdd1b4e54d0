DROP TABLE idempotency_keys;
DROP TABLE executions;
DROP TABLE approvals;
DROP TABLE steps;
DROP TABLE attempts;
DROP TABLE tasks;
DROP TABLE plans;
