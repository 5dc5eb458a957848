-- Sums over many wallets know no bound: each wallet's balance fits 64 bits, what a source has paid in to all of them need not.

DROP VIEW account_balances;

ALTER TABLE accounts
    -- Accounts other than wallets: what has been folded in so far; view account_balances has the whole.
    ADD COLUMN folded numeric;

ALTER TABLE account_movements ALTER COLUMN amount TYPE numeric;

UPDATE accounts SET folded = balance, balance = 0 WHERE kind <> 'wallet';

ALTER TABLE accounts
    ADD CONSTRAINT accounts_folded CHECK (CASE kind WHEN 'wallet' THEN folded IS NULL ELSE balance = 0 END);

CREATE VIEW account_balances AS
SELECT a.id, a.kind, a.asset, a.held, a.debt,
       CASE a.kind WHEN 'wallet' THEN a.balance
       ELSE coalesce(a.folded, 0)
            + coalesce((SELECT sum(m.amount) FROM account_movements m WHERE m.account_id = a.id), 0) END AS balance
FROM accounts a;
