-- name: lock_and_load
-- Locks what the batch touches and reads what it decides on, in one round trip. A wallet's row is the
-- lock of all that is its own, so wallets come first; then holds, grants, refunds, envelopes; each by id (ADR 0005).
-- The clock and the block of ids are read last, when every lock is held: within one wallet, later
-- transfers have higher ids. A key or a reference that a rival commits while this statement waits for
-- a lock is not seen here; the write then meets its unique index, and the batch is run again (RULES 10).
WITH locked_wallets AS MATERIALIZED (
    SELECT id, asset, balance, held, debt, xmin AS version
    FROM accounts WHERE id = ANY(:wallet_ids::bigint[]) AND kind = 'wallet' ORDER BY id FOR NO KEY UPDATE
), due_holds AS MATERIALIZED (
    SELECT * FROM holds
    WHERE wallet_id = ANY(ARRAY(SELECT id FROM locked_wallets WHERE held > 0)) AND state = 'pending'
      AND expires_at <= statement_timestamp()
    ORDER BY wallet_id, id FOR NO KEY UPDATE
), asked_holds AS MATERIALIZED (
    SELECT h.*, h.xmin FROM holds h
    WHERE h.wallet_id = ANY(:hold_wallets::bigint[]) AND h.id = ANY(:hold_ids::bigint[])
    ORDER BY h.wallet_id, h.id FOR NO KEY UPDATE
), locked_grants AS MATERIALIZED (
    SELECT id, wallet_id, limit_units, charge_limit_units, spent, held, overrun, expires_at, end_reason, lineage,
           xmin AS version
    FROM grants WHERE id = ANY(:grant_ids::bigint[] || ARRAY(
        SELECT unnest(id || lineage) FROM grants WHERE id = ANY(ARRAY(SELECT grant_id FROM due_holds))))
    ORDER BY id FOR NO KEY UPDATE
), refunded_charges AS MATERIALIZED (
    SELECT wallet_id, charge_id, refunded FROM refunds
    WHERE wallet_id = ANY(:charge_wallets::bigint[]) AND charge_id = ANY(:charge_ids::bigint[])
    ORDER BY wallet_id, charge_id FOR NO KEY UPDATE
), charges AS MATERIALIZED (
    SELECT t.id, t.wallet_id, t.grant_id, t.amount, r.refunded, t.created_at, t.envelope_ids
    FROM transfers t LEFT JOIN refunded_charges r ON r.wallet_id = t.wallet_id AND r.charge_id = t.id
    WHERE t.wallet_id = ANY(:charge_wallets::bigint[]) AND t.id = ANY(:charge_ids::bigint[])
      AND t.refusal IS NULL AND t.kind IN ('charge', 'capture', 'usage')
), applying AS MATERIALIZED (
    SELECT n, envelope_id AS id
    FROM applying_envelopes(:draw_wallets::bigint[], :draw_grants::bigint[], :draw_providers::bigint[], :draw_models::text[])
), locked_envelopes AS MATERIALIZED (
    SELECT *, xmin::text::bigint AS version FROM envelopes WHERE deleted_at IS NULL AND id = ANY(ARRAY(
        SELECT id FROM applying
        UNION ALL SELECT unnest(envelope_ids) FROM due_holds UNION ALL SELECT unnest(envelope_ids) FROM asked_holds
        UNION ALL SELECT unnest(envelope_ids) FROM charges UNION ALL SELECT unnest(:envelope_ids::bigint[])))
    ORDER BY id FOR NO KEY UPDATE
)
SELECT 'wallet' AS fact, id, balance AS a, held AS b, debt AS c, NULL::bigint AS d, NULL::bigint AS e,
       NULL::bigint AS f, NULL::timestamptz AS t, asset AS s, NULL::text AS u, NULL::bytea AS x, version::text AS v
FROM locked_wallets
UNION ALL
SELECT 'due', id, wallet_id, grant_id, amount, to_wallet_id, usage_units, 0, expires_at, state, model, NULL,
       array_to_string(envelope_ids, ',')
FROM due_holds
UNION ALL
SELECT 'hold', id, wallet_id, grant_id, amount, to_wallet_id, usage_units, xmin::text::bigint, expires_at,
       coalesce(void_reason, state), model, NULL, array_to_string(envelope_ids, ',')
FROM asked_holds
UNION ALL
SELECT 'grant', id, wallet_id, limit_units, charge_limit_units, spent, held, overrun, expires_at, end_reason,
       array_to_string(lineage, ','), NULL, version::text
FROM locked_grants
UNION ALL
SELECT 'charge', id, wallet_id, grant_id, amount, refunded, NULL, NULL, created_at, NULL, NULL, NULL,
       array_to_string(envelope_ids, ',')
FROM charges
UNION ALL
SELECT 'envelope', id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, to_json(l)::text
FROM locked_envelopes l
UNION ALL
SELECT 'applying', n, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM applying
UNION ALL
SELECT 'key', t.id, t.amount, t.available_after, t.remaining_after, NULL, NULL, NULL, t.created_at,
       t.client, t.key, t.fingerprint || convert_to(coalesce(t.refusal, ''), 'UTF8'), t.stopped_by::text
FROM unnest(:clients::text[], :keys::text[]) AS k (client, key)
CROSS JOIN LATERAL (SELECT * FROM transfers WHERE client = k.client AND key = k.key LIMIT 1) t
UNION ALL
SELECT 'reference', t.id, t.amount, t.available_after, t.remaining_after, t.debit_account, t.wallet_id, NULL,
       t.created_at, t.reference, NULL, NULL, NULL
FROM unnest(:source_accounts::bigint[], :refs::text[]) AS r (debit_account, reference)
CROSS JOIN LATERAL (
    SELECT * FROM transfers
    WHERE debit_account = r.debit_account AND reference = r.reference AND reference IS NOT NULL AND refusal IS NULL
    LIMIT 1
) t
UNION ALL
SELECT 'revoked', id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM api_keys
WHERE id = ANY(:credential_ids::bigint[]) AND (revoked_at IS NOT NULL OR expires_at <= clock_timestamp())
UNION ALL
SELECT 'stale', v.id, v.version, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM unnest(:person_ids::bigint[], :person_versions::bigint[]) AS v (id, version)
LEFT JOIN LATERAL (SELECT password_version FROM people WHERE id = v.id OFFSET 0) AS p ON true
WHERE p.password_version IS DISTINCT FROM v.version
UNION ALL
SELECT 'batch', nextval('transfer_ids'), b.revision, e.revision, NULL, NULL, NULL, NULL, clock_timestamp(), NULL, NULL, NULL,
       NULL
FROM price_book b CROSS JOIN envelope_book e

-- name: lock_wallets
-- For refunds, before they are looked at: the first refund of a charge is a new row, and a rival's, which is written while
-- this batch waits for the wallet, is seen only by a statement that begins when the lock is had.
SELECT FROM accounts WHERE id = ANY(:wallet_ids::bigint[]) AND kind = 'wallet' ORDER BY id FOR NO KEY UPDATE

-- name: locked_elsewhere
-- The wallets that somebody else keeps locked, or a grant of theirs, or an envelope that may apply to them; among them
-- the numbers of organizations, whose records are asked under these. Run outside a transaction: what it locks on the
-- way is free again with its answer.
WITH free_wallets AS MATERIALIZED (
    SELECT id FROM accounts WHERE id = ANY(:wallet_ids::bigint[]) AND kind = 'wallet'
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), free_grants AS MATERIALIZED (
    SELECT id FROM grants WHERE id = ANY(:grant_ids::bigint[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), limiting AS MATERIALIZED (
    SELECT a.id AS wallet_id, e.id FROM accounts a
    JOIN envelopes e ON e.owner IN ('', coalesce(a.organization_id, '')) AND e.scope IS NOT NULL AND e.deleted_at IS NULL
    WHERE a.id = ANY(:wallet_ids::bigint[]) AND (e.scope NOT LIKE 'wallet:%' OR e.scope = 'wallet:' || a.id)
    UNION ALL
    SELECT o.number, e.id FROM organizations o JOIN envelopes e ON e.organization_id = o.id AND e.deleted_at IS NULL
    WHERE o.number = ANY(:wallet_ids::bigint[])
), free_envelopes AS MATERIALIZED (
    SELECT id FROM envelopes WHERE id IN (SELECT id FROM limiting) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
)
SELECT id AS wallet_id FROM accounts
WHERE id = ANY(:wallet_ids::bigint[]) AND kind = 'wallet' AND id NOT IN (SELECT id FROM free_wallets)
UNION
SELECT wallet_id FROM grants
WHERE id = ANY(:grant_ids::bigint[]) AND id NOT IN (SELECT id FROM free_grants)
UNION
SELECT wallet_id FROM limiting WHERE id NOT IN (SELECT id FROM free_envelopes)

-- name: post
-- Everything that a batch writes, in one round trip; the counts let the caller see that no row was missed.
-- The rows travel as JSON text: a fifth of the client's cost of arrays, and faster in all (ADR 0004).
-- They go into the journal in key order, so that two batches that share keys can't deadlock there.
WITH batch AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:transfers::json) AS t (
        wallet_id bigint, id bigint, kind text, refusal text, debit_account bigint, credit_account bigint,
        amount bigint, debit_after bigint, credit_after bigint, grant_id bigint, parent_id bigint,
        available_after bigint, remaining_after bigint, client text, key text, fingerprint text,
        reference text, note text, provider_id bigint, model text, input_tokens bigint, output_tokens bigint,
        cached_input_tokens bigint, cache_write_tokens bigint, reasoning_tokens bigint, calls bigint, units jsonb,
        price_id bigint, markup_ppm bigint, conversion text, member_id bigint, envelope_ids bigint[], stopped_by jsonb,
        metadata jsonb)
), journal AS (
    INSERT INTO transfers (
        wallet_id, id, kind, refusal, debit_account, credit_account, amount, grant_id, parent_id, available_after,
        remaining_after, client, key, fingerprint, reference, note, provider_id, model, input_tokens, output_tokens,
        cached_input_tokens, cache_write_tokens, reasoning_tokens, calls, units, price_id, markup_ppm, conversion,
        member_id, envelope_ids, stopped_by, metadata, created_at)
    SELECT wallet_id, id, kind, refusal, debit_account, credit_account, amount, grant_id, parent_id, available_after,
        remaining_after, client, key, decode(fingerprint, 'hex'), reference, note, provider_id, model, input_tokens,
        output_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens, calls, units, price_id, markup_ppm,
        conversion, member_id, envelope_ids, stopped_by, metadata, :now::timestamptz
    FROM batch ORDER BY client, key
), moved AS (
    INSERT INTO entries (account_id, transfer_id, wallet_id, amount, balance_after, created_at)
    SELECT e.account_id, b.id, b.wallet_id, e.amount, e.balance_after, :now::timestamptz
    FROM batch b
    CROSS JOIN LATERAL (VALUES (b.debit_account, -b.amount, b.debit_after), (b.credit_account, b.amount, b.credit_after))
        AS e (account_id, amount, balance_after)
    WHERE b.debit_account IS NOT NULL
), received AS (
    INSERT INTO account_movements (account_id, transfer_id, amount)
    SELECT * FROM json_to_recordset(:movements::json) AS m (account_id bigint, transfer_id bigint, amount numeric)
), wallets AS (
    UPDATE accounts a SET balance = w.balance, held = w.held, debt = w.debt
    FROM json_to_recordset(:wallets::json) AS w (id bigint, balance bigint, held bigint, debt bigint)
    WHERE a.id = w.id AND a.id = ANY(:wallet_ids::bigint[]) RETURNING 1
), counters AS (
    UPDATE grants g SET spent = c.spent, held = c.held, overrun = c.overrun
    FROM json_to_recordset(:grants::json) AS c (id bigint, spent bigint, held bigint, overrun bigint)
    WHERE g.id = c.id AND g.id = ANY(:grant_ids::bigint[]) RETURNING 1
), opened AS (
    INSERT INTO holds (wallet_id, id, grant_id, amount, state, model, expires_at, created_at, to_wallet_id, asked_by,
                       app_name, app_path, usage_units, envelope_ids)
    SELECT wallet_id, id, grant_id, amount, 'pending', model, expires_at, :now::timestamptz, to_wallet_id, asked_by,
           app_name, app_path, usage_units, envelope_ids
    FROM json_to_recordset(:opened_holds::json)
        AS h (wallet_id bigint, id bigint, grant_id bigint, amount bigint, model text, expires_at timestamptz,
              to_wallet_id bigint, asked_by text, app_name text, app_path text, usage_units bigint,
              envelope_ids bigint[])
), closed AS (
    UPDATE holds h SET state = k.state, captured = k.captured, void_reason = k.void_reason, closed_by = k.closed_by,
        closed_at = :now::timestamptz
    FROM json_to_recordset(:closed_holds::json)
        AS k (wallet_id bigint, id bigint, state text, captured bigint, void_reason text,
              closed_by text)
    WHERE h.wallet_id = k.wallet_id AND h.id = k.id AND h.closed_at IS NULL
      AND h.wallet_id = ANY(:closed_wallets::bigint[]) AND h.id = ANY(:closed_ids::bigint[]) RETURNING 1
), first_refunds AS (
    INSERT INTO refunds (wallet_id, charge_id, amount, refunded)
    SELECT wallet_id, charge_id, amount, refunded
    FROM json_to_recordset(:refunds::json)
        AS r (wallet_id bigint, charge_id bigint, amount bigint, refunded bigint, first boolean) WHERE first
), later_refunds AS (
    UPDATE refunds f SET refunded = r.refunded
    FROM json_to_recordset(:refunds::json)
        AS r (wallet_id bigint, charge_id bigint, amount bigint, refunded bigint, first boolean)
    WHERE NOT r.first AND f.wallet_id = r.wallet_id AND f.charge_id = r.charge_id
      AND f.wallet_id = ANY(:refund_wallets::bigint[]) AND f.charge_id = ANY(:refund_charges::bigint[]) RETURNING 1
), counted AS (
    UPDATE envelopes e SET used = c.used, held = c.held, overrun = c.overrun, total = c.total, told = c.told,
        window_start = c.window_start, window_end = c.window_end, counted_since = c.counted_since
    FROM json_to_recordset(:envelopes::json)
        AS c (id bigint, used bigint, held bigint, overrun bigint, total bigint, told smallint,
              window_start timestamptz, window_end timestamptz, counted_since timestamptz)
    WHERE e.id = c.id AND e.id = ANY(:envelope_ids::bigint[]) RETURNING 1
), closed_windows AS (
    INSERT INTO envelope_windows (envelope_id, starts_at, ends_at, limit_units, used)
    SELECT * FROM json_to_recordset(:closed_windows::json)
        AS w (envelope_id bigint, starts_at timestamptz, ends_at timestamptz, limit_units bigint, used bigint)
), told AS (
    INSERT INTO outbox (wallet_id, kind, payload, created_at)
    SELECT wallet_id, kind, payload, :now::timestamptz
    FROM json_to_recordset(:events::json) AS o (wallet_id bigint, kind text, payload jsonb)
)
SELECT (SELECT count(*) FROM wallets) AS wallets, (SELECT count(*) FROM counters) AS grants,
       (SELECT count(*) FROM closed) AS closed_holds, (SELECT count(*) FROM later_refunds) AS later_refunds,
       (SELECT count(*) FROM counted) AS envelopes, pg_current_xact_id()::xid::text::bigint AS version
