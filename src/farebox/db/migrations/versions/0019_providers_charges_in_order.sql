-- A provider's charges, in the order in which they come.
--
-- Newest first, each new one stood before all others of its provider: pages were split in half, and stayed half empty. At the
-- end, PostgreSQL leaves full pages behind: 31 bytes a charge instead of 57. It reads them from either end.

DROP INDEX transfers_provider;
CREATE INDEX transfers_provider ON transfers (provider_id, id) WHERE provider_id IS NOT NULL;
