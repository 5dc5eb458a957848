-- Usage that an operator waits for no longer: of an organization that never comes, or a model that nobody prices. The record
-- stays, and can be taken up again.

ALTER TABLE parked_usage ADD COLUMN dismissed_at timestamptz;
