-- Statements that cost the same however long a wallet's history is.

-- What came into wallets: deposits, refunds, transfers. A charge adds nothing to it.
CREATE INDEX entries_received ON entries (account_id, transfer_id) INCLUDE (amount)
    WHERE amount > 0 AND balance_after IS NOT NULL;

-- How many movements a wallet has up to one of them: kept by whoever has counted many, so that nobody counts them again.
CREATE TABLE entry_marks (
    account_id  bigint NOT NULL,
    transfer_id bigint NOT NULL,
    entries     bigint NOT NULL CHECK (entries > 0),
    PRIMARY KEY (account_id, transfer_id)
);

-- Rows are only ever added to these. Vacuumed in small steps, their newest pages too are soon known to be visible to
-- all, so that an index answers alone; and no step is long, whatever their size.
ALTER TABLE entries SET (autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER TABLE transfers SET (autovacuum_vacuum_insert_scale_factor = 0.02);
