DROP TABLE webhooks;
DELETE FROM idempotency_keys WHERE resource = 'webhook';
