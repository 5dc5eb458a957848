-- name: late_indexes
-- The indexes that are built after loading: all but those that a foreign key of another table leans on.
SELECT c.relname AS name, t.relname AS on_table, pg_get_indexdef(i.indexrelid) AS definition,
       k.conname AS constraint_name, k.contype::text AS constraint_kind
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
WHERE t.relname IN ('accounts', 'grants', 'transfers', 'entries') AND t.relnamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid)
ORDER BY c.relname

-- name: note_world!
INSERT INTO growth.world (wallets, transfers, busy, heavy, provider, revenue, outside, until)
VALUES (:wallets, :transfers, :busy, :heavy, :provider, :revenue, :outside, now())

-- name: fill_accounts!
INSERT INTO accounts (id, kind, asset, balance, created_at)
SELECT wallet_id, 'wallet', 'TOKEN',
       CASE WHEN last_rank < 0 THEN 0 ELSE growth.paid_in(last_rank) - growth.charged(last_rank) END,
       (SELECT until - interval '1 year' FROM growth.world)
FROM growth.holders(:low, :high)

-- name: fill_grants!
INSERT INTO grants (id, wallet_id, provider_id, provider_username, token_nonce, token_hash, limit_units, spent, created_at)
    OVERRIDING SYSTEM VALUE
SELECT index + 1, wallet_id, w.provider, 'user' || index, uuid_send(md5(index::text)::uuid),
       sha256(('ps_' || md5(index::text))::bytea), 1000000000000000,
       CASE WHEN last_rank < 0 THEN 0 ELSE growth.charged(last_rank) END, w.until - interval '1 year'
FROM growth.world w CROSS JOIN LATERAL growth.holders(:low, :high)

-- name: fill_transfers!
INSERT INTO transfers (wallet_id, id, kind, debit_account, credit_account, amount, grant_id, available_after,
                       remaining_after, client, key, fingerprint, provider_id, model, input_tokens, output_tokens,
                       markup_ppm, created_at)
SELECT wallet_id, growth.transfer_id(n), CASE WHEN is_deposit THEN 'deposit' ELSE 'charge' END,
       CASE WHEN is_deposit THEN w.outside ELSE wallet_id END,
       CASE WHEN is_deposit THEN wallet_id ELSE w.revenue END,
       amount, CASE WHEN NOT is_deposit THEN index + 1 END, balance_after,
       CASE WHEN NOT is_deposit THEN 1000000000000000 - growth.charged(rank) END,
       CASE WHEN is_deposit THEN 'bench' ELSE 'provider:' || w.provider END,
       md5(n::text), uuid_send(md5(n::text)::uuid),
       CASE WHEN NOT is_deposit THEN w.provider END,
       CASE WHEN NOT is_deposit THEN 'bench-chat' END,
       CASE WHEN NOT is_deposit THEN 374 END, CASE WHEN NOT is_deposit THEN 44 END,
       CASE WHEN NOT is_deposit THEN 1000000 END, at
FROM growth.world w CROSS JOIN LATERAL growth.moves(:low, :high)

-- name: fill_entries!
INSERT INTO entries (account_id, transfer_id, wallet_id, amount, balance_after, created_at)
SELECT e.account_id, growth.transfer_id(n), wallet_id, e.amount, e.balance_after, at
FROM growth.world w CROSS JOIN LATERAL (SELECT * FROM growth.moves(:low, :high) OFFSET 0) m
CROSS JOIN LATERAL (VALUES
    (wallet_id, CASE WHEN is_deposit THEN m.amount ELSE -m.amount END, m.balance_after),
    (CASE WHEN is_deposit THEN w.outside ELSE w.revenue END,
     CASE WHEN is_deposit THEN -m.amount ELSE m.amount END, NULL)
) AS e (account_id, amount, balance_after)

-- name: fold!
-- What providers have earned and the outside has paid in: the sums of what the wallets have.
UPDATE accounts a SET folded = s.amount FROM (
    SELECT w.revenue AS id, sum(growth.charged(last_rank)) AS amount
    FROM growth.world w CROSS JOIN LATERAL growth.holders(0, w.wallets) WHERE last_rank >= 0 GROUP BY 1
    UNION ALL
    SELECT w.outside, -sum(growth.paid_in(last_rank))
    FROM growth.world w CROSS JOIN LATERAL growth.holders(0, w.wallets) WHERE last_rank >= 0 GROUP BY 1
) s WHERE a.id = s.id

-- name: next_numbers
SELECT setval('transfer_ids', growth.transfer_id(transfers / 8 * 8)), setval('grants_id_seq', wallets) FROM growth.world

-- name: fill_totals!
-- What the server counts up by and by; here at once. In one order, so that those who count side by side don't lock each
-- other out.
INSERT INTO spend_totals AS d (kind, provider_id, grain, starts_on, asset, model, agent_id, charges, refused, refunds,
                               amount, refunded, input_tokens, output_tokens)
SELECT k.kind, CASE WHEN k.by_provider THEN w.provider ELSE 0 END, grain, date_trunc(grain, day::timestamp)::date AS starts,
       'TOKEN', CASE WHEN k.by_model THEN 'bench-chat' ELSE '' END, 0, sum(charges), 0, 0, sum(amount), 0,
       sum(charges) * 374, sum(charges) * 44
FROM growth.world w
CROSS JOIN LATERAL (
    SELECT (at AT TIME ZONE 'UTC')::date AS day, count(*) AS charges, sum(amount) AS amount
    FROM growth.moves(:low, :high) WHERE NOT is_deposit GROUP BY 1
) m
CROSS JOIN (VALUES ('provider', true, false), ('model', false, true), ('agent', false, false),
                   ('provider_model', true, true)) AS k (kind, by_provider, by_model)
CROSS JOIN unnest(ARRAY['day', 'month']) AS grain
GROUP BY 1, 2, 3, 4, 6 ORDER BY 1, 2, 3, 4
ON CONFLICT (kind, provider_id, grain, starts_on, asset, model, agent_id) DO UPDATE SET
    charges = d.charges + excluded.charges, amount = d.amount + excluded.amount,
    input_tokens = d.input_tokens + excluded.input_tokens, output_tokens = d.output_tokens + excluded.output_tokens

-- name: all_counted!
UPDATE totals_progress SET done = (SELECT last_value + 4095 FROM transfer_ids),
    noted = (SELECT last_value + 4095 FROM transfer_ids)
