-- Limits that people set on their own wallets: one a period, so that a charge never looks at more than four of them.
ALTER TABLE envelopes ADD COLUMN person_id bigint REFERENCES people;
CREATE UNIQUE INDEX envelopes_of_person ON envelopes (person_id, period) WHERE person_id IS NOT NULL AND deleted_at IS NULL;
