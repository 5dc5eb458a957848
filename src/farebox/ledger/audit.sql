-- name: snapshot
SELECT clock_timestamp() AS at

-- name: figures
SELECT 'transfers' AS name, count(*) AS value FROM transfers WHERE refusal IS NULL
UNION ALL SELECT 'refusals', count(*) FROM transfers WHERE refusal IS NOT NULL
UNION ALL SELECT 'entries', count(*) FROM entries
UNION ALL SELECT 'wallets', count(*) FROM accounts WHERE kind = 'wallet'
UNION ALL SELECT 'other accounts', count(*) FROM accounts WHERE kind <> 'wallet'
UNION ALL SELECT 'grants', count(*) FROM grants
UNION ALL SELECT 'open holds', count(*) FROM holds WHERE state = 'pending'
UNION ALL SELECT 'envelopes', count(*) FROM envelopes WHERE deleted_at IS NULL

-- name: balances
-- What each kind of account holds in each asset: a column that adds up to zero.
SELECT asset, kind, sum(balance)::numeric AS balance FROM account_balances GROUP BY asset, kind ORDER BY asset, kind

-- name: entries_sum_to_zero
SELECT a.asset AS subject, 0 AS expected, sum(e.amount) AS found
FROM entries e JOIN accounts a ON a.id = e.account_id GROUP BY a.asset HAVING sum(e.amount) <> 0

-- name: transfers_have_their_entries
-- A transfer that moved money has one entry of its amount on either side, and every entry has its transfer.
SELECT coalesce(t.wallet_id, e.wallet_id) || '/' || coalesce(t.id, e.transfer_id) AS subject,
       t.amount AS expected, e.credited AS found
FROM (SELECT * FROM transfers WHERE debit_account IS NOT NULL) t
FULL JOIN (
    SELECT wallet_id, transfer_id, count(*) AS entries, sum(amount) AS total,
           sum(amount) FILTER (WHERE amount > 0) AS credited,
           min(account_id) FILTER (WHERE amount < 0) AS debit_account,
           min(account_id) FILTER (WHERE amount > 0) AS credit_account
    FROM entries GROUP BY wallet_id, transfer_id
) e ON e.wallet_id = t.wallet_id AND e.transfer_id = t.id
WHERE t.id IS NULL OR e.transfer_id IS NULL OR e.entries <> 2 OR e.total <> 0 OR e.credited <> t.amount
   OR e.debit_account <> t.debit_account OR e.credit_account <> t.credit_account

-- name: transfers_are_between_the_right_accounts
-- What a wallet draws or receives is its own; what a provider charges is on an account of that provider, and what is given
-- back comes from where it went; what is drawn on a grant is drawn on the grant's wallet.
SELECT wallet_id || '/' || id AS subject, wallet_id AS expected,
       CASE WHEN kind IN ('deposit', 'refund') THEN credit_account ELSE debit_account END AS found
FROM transfers WHERE wallet_id <> CASE WHEN kind IN ('deposit', 'refund') THEN credit_account ELSE debit_account END
UNION ALL
SELECT t.wallet_id || '/' || t.id, t.provider_id, a.provider_id
FROM transfers t LEFT JOIN (SELECT id, provider_id FROM accounts WHERE kind = 'revenue') a ON a.id = t.credit_account
WHERE t.provider_id IS NOT NULL AND t.credit_account IS NOT NULL AND a.provider_id IS DISTINCT FROM t.provider_id
UNION ALL
SELECT t.wallet_id || '/' || t.id, c.credit_account, t.debit_account
FROM transfers t LEFT JOIN transfers c ON c.wallet_id = t.wallet_id AND c.id = t.parent_id
WHERE t.kind = 'refund' AND t.refusal IS NULL AND c.credit_account IS DISTINCT FROM t.debit_account
UNION ALL
SELECT 'gr_' || t.grant_id, g.wallet_id, t.wallet_id
FROM (SELECT grant_id, wallet_id FROM transfers WHERE grant_id IS NOT NULL GROUP BY grant_id, wallet_id) t
LEFT JOIN grants g ON g.id = t.grant_id WHERE g.wallet_id IS DISTINCT FROM t.wallet_id

-- name: balances_are_their_entries
SELECT b.id::text AS subject, coalesce(e.total, 0) AS expected, b.balance AS found
FROM account_balances b
LEFT JOIN (SELECT account_id, sum(amount) AS total FROM entries GROUP BY account_id) e ON e.account_id = b.id
WHERE b.balance <> coalesce(e.total, 0)

-- name: balances_follow_their_entries
-- Each of a wallet's entries says the balance that it left behind.
SELECT account_id || '/' || transfer_id AS subject, before + amount AS expected, balance_after AS found
FROM (
    SELECT e.account_id, e.transfer_id, e.amount, e.balance_after,
           lag(e.balance_after, 1, 0::bigint) OVER (PARTITION BY e.account_id ORDER BY e.transfer_id) AS before
    FROM entries e JOIN accounts a ON a.id = e.account_id WHERE a.kind = 'wallet'
) chain
WHERE balance_after IS DISTINCT FROM before + amount

-- name: held_is_open_holds
SELECT a.id::text AS subject, coalesce(h.total, 0) AS expected, a.held AS found
FROM accounts a
LEFT JOIN (SELECT wallet_id, sum(amount) AS total FROM holds WHERE state = 'pending' GROUP BY wallet_id) h
    ON h.wallet_id = a.id
WHERE a.held <> coalesce(h.total, 0)

-- name: debt_is_what_is_missing
-- A wallet below zero shows it as debt, to the unit.
SELECT id::text AS subject, greatest(0, held - balance) AS expected, debt AS found
FROM accounts WHERE kind = 'wallet' AND debt <> greatest(0, held - balance)

-- name: grants_count_their_charges
-- What is drawn on a grant counts on those that it was made from, too.
SELECT 'gr_' || g.id AS subject, coalesce(c.spent, 0) AS expected, g.spent AS found
FROM grants g
LEFT JOIN (
    SELECT counted.id AS grant_id, sum(own.spent) AS spent
    FROM (
        SELECT grant_id, sum(CASE kind WHEN 'refund' THEN -amount ELSE amount END) AS spent
        FROM transfers
        WHERE grant_id IS NOT NULL AND refusal IS NULL AND kind IN ('charge', 'capture', 'usage', 'refund')
        GROUP BY grant_id
    ) own
    JOIN grants drawn ON drawn.id = own.grant_id CROSS JOIN LATERAL unnest(drawn.id || drawn.lineage) AS counted (id)
    GROUP BY counted.id
) c ON c.grant_id = g.id
WHERE g.spent <> coalesce(c.spent, 0)

-- name: grants_count_their_holds
SELECT 'gr_' || g.id AS subject, coalesce(h.held, 0) AS expected, g.held AS found
FROM grants g
LEFT JOIN (
    SELECT counted.id AS grant_id, sum(own.amount) AS held
    FROM holds own JOIN grants drawn ON drawn.id = own.grant_id
    CROSS JOIN LATERAL unnest(drawn.id || drawn.lineage) AS counted (id)
    WHERE own.state = 'pending' GROUP BY counted.id
) h
    ON h.grant_id = g.id
WHERE g.held <> coalesce(h.held, 0)

-- name: holds_end_once
-- A hold has its own transfer; a captured one has one capture of what it says, to whom it was for; a freed one has one
-- release, an open one none.
SELECT h.wallet_id || '/' || h.id AS subject,
       CASE h.state WHEN 'posted' THEN h.captured ELSE 0 END AS expected, coalesce(c.captured, 0) AS found
FROM holds h
LEFT JOIN transfers t ON t.wallet_id = h.wallet_id AND t.id = h.id AND t.kind = 'hold' AND t.refusal IS NULL
LEFT JOIN (
    SELECT wallet_id, parent_id, sum(amount) FILTER (WHERE kind = 'capture') AS captured,
           min(credit_account) FILTER (WHERE kind = 'capture') AS credited,
           count(*) FILTER (WHERE kind = 'capture') AS captures, count(*) FILTER (WHERE kind = 'release') AS releases
    FROM transfers WHERE kind IN ('capture', 'release') AND refusal IS NULL GROUP BY wallet_id, parent_id
) c ON c.wallet_id = h.wallet_id AND c.parent_id = h.id
WHERE t.id IS NULL OR t.amount <> h.amount
   OR coalesce(c.captures, 0) <> (h.state = 'posted')::int OR coalesce(c.releases, 0) <> (h.state = 'voided')::int
   OR (h.state = 'posted' AND c.captured <> h.captured)
   OR (h.state = 'posted' AND h.captured > 0 AND c.credited <> h.to_wallet_id)

-- name: holds_are_written_down
-- Every hold that was accepted is there.
SELECT t.wallet_id || '/' || t.id AS subject, t.amount AS expected, NULL::bigint AS found
FROM transfers t LEFT JOIN holds h ON h.wallet_id = t.wallet_id AND h.id = t.id
WHERE t.kind = 'hold' AND t.refusal IS NULL AND h.id IS NULL

-- name: refunds_are_counted
SELECT coalesce(r.wallet_id, t.wallet_id) || '/' || coalesce(r.charge_id, t.parent_id) AS subject,
       coalesce(t.total, 0) AS expected, coalesce(r.refunded, 0) AS found
FROM refunds r
FULL JOIN (
    SELECT wallet_id, parent_id, sum(amount) AS total FROM transfers
    WHERE kind = 'refund' AND refusal IS NULL GROUP BY wallet_id, parent_id
) t ON t.wallet_id = r.wallet_id AND t.parent_id = r.charge_id
LEFT JOIN transfers c ON c.wallet_id = r.wallet_id AND c.id = r.charge_id
WHERE coalesce(t.total, 0) <> coalesce(r.refunded, 0) OR c.amount IS DISTINCT FROM r.amount

-- name: limits_hold
-- No grant has let through more than its limit, but for facts, which are counted apart.
SELECT 'gr_' || id AS subject, limit_units + overrun AS expected, spent + held AS found
FROM grants WHERE spent + held > limit_units + overrun

-- name: envelopes_count_their_records
-- Money of charges and transfers less what was given back in the same window; usage in whatever kind; plain records.
SELECT 'env_' || coalesce(e.id, c.id) AS subject, least(coalesce(c.total, 0), 9223372036854775807) AS expected,
       e.total AS found
FROM envelopes e
FULL JOIN (
    SELECT counted.id, sum(CASE
        WHEN t.kind IN ('hold', 'release') THEN 0 WHEN t.kind = 'refund' THEN -t.amount
        WHEN e.counts = 'money' OR t.kind = 'record' THEN t.amount
        ELSE coalesce(t.input_tokens, 0)::numeric + coalesce(t.output_tokens, 0) + coalesce(t.cached_input_tokens, 0)
            + coalesce(t.cache_write_tokens, 0) + coalesce(t.reasoning_tokens, 0) + coalesce(t.calls, 0)
            + coalesce((SELECT sum(value::numeric) FROM jsonb_each_text(t.units)), 0)
        END) AS total
    FROM transfers t CROSS JOIN LATERAL unnest(t.envelope_ids) AS counted (id)
    LEFT JOIN envelopes e ON e.id = counted.id
    WHERE t.refusal IS NULL GROUP BY counted.id
) c ON c.id = e.id
WHERE e.deleted_at IS NULL AND e.total IS DISTINCT FROM least(coalesce(c.total, 0), 9223372036854775807)

-- name: envelopes_count_their_holds
SELECT 'env_' || e.id AS subject, coalesce(h.held, 0) AS expected, e.held AS found
FROM envelopes e
LEFT JOIN (
    SELECT e.id, sum(CASE e.counts WHEN 'money' THEN h.amount ELSE h.usage_units END) AS held
    FROM holds h CROSS JOIN LATERAL unnest(h.envelope_ids) AS reserved (id) JOIN envelopes e ON e.id = reserved.id
    WHERE h.state = 'pending' GROUP BY e.id
) h ON h.id = e.id
WHERE e.deleted_at IS NULL AND e.held <> coalesce(h.held, 0)

-- name: windows_add_up
SELECT 'env_' || e.id AS subject, e.total AS expected, e.used + coalesce(w.used, 0) AS found
FROM envelopes e
LEFT JOIN (SELECT envelope_id, sum(used) AS used FROM envelope_windows GROUP BY envelope_id) w ON w.envelope_id = e.id
WHERE e.total < 9223372036854775807 AND e.total <> e.used + coalesce(w.used, 0)

-- name: envelopes_hold
-- But for facts, and for limits that were lowered, which are counted apart.
SELECT 'env_' || id AS subject, limit_units::numeric + overrun AS expected, used::numeric + held AS found
FROM envelopes WHERE used::numeric + held > limit_units::numeric + overrun

-- name: totals_follow_the_journal
-- Of every kind, as far as they have come: what is counted had settled before, so that this snapshot has it.
WITH journal AS (
    SELECT 'charged' AS what, t.provider_id, a.asset, sum(t.amount) AS amount
    FROM transfers t JOIN accounts a ON a.id = t.wallet_id
    WHERE t.kind IN ('charge', 'capture', 'usage') AND t.refusal IS NULL AND t.provider_id IS NOT NULL
      AND t.id <= (SELECT done FROM totals_progress)
    GROUP BY 2, 3
    UNION ALL
    SELECT 'refunded', c.provider_id, a.asset, sum(r.amount)
    FROM transfers r
    JOIN transfers c ON c.wallet_id = r.wallet_id AND c.id = r.parent_id
    JOIN accounts a ON a.id = r.wallet_id
    WHERE r.kind = 'refund' AND r.refusal IS NULL AND c.provider_id IS NOT NULL
      AND r.id <= (SELECT done FROM totals_progress)
    GROUP BY 2, 3
), wanted AS (
    SELECT kind, grain, what, CASE WHEN kind IN ('provider', 'provider_model') THEN provider_id ELSE 0 END AS provider_id,
           asset, sum(amount) AS amount
    FROM journal CROSS JOIN unnest(ARRAY['provider', 'model', 'agent', 'provider_model']) AS kind
    CROSS JOIN unnest(ARRAY['day', 'month']) AS grain
    GROUP BY 1, 2, 3, 4, 5
), kept AS (
    SELECT kind, grain, what, provider_id, asset, sum(figure) AS amount
    FROM spend_totals CROSS JOIN LATERAL (VALUES ('charged', amount), ('refunded', refunded)) AS f (what, figure)
    GROUP BY 1, 2, 3, 4, 5
)
SELECT concat_ws(' ', kind, grain, what, provider_id, asset) AS subject, coalesce(wanted.amount, 0) AS expected,
       coalesce(kept.amount, 0) AS found
FROM wanted FULL JOIN kept USING (kind, grain, what, provider_id, asset)
WHERE coalesce(wanted.amount, 0) <> coalesce(kept.amount, 0)
