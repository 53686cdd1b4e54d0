DROP TABLE template_versions;
DROP TABLE templates;
DELETE FROM idempotency_keys WHERE resource = 'template';
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_resource_check;
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_resource_check
    CHECK (resource IN ('plan', 'message', 'user', 'api_key', 'tenant', 'webhook'));
