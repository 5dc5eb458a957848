-- Writes a batch in one round trip, if nothing that it was decided on has changed since; else nothing.
--
-- A row's xmin is the transaction that wrote it: as long as it is the one that the process saw last, the row is what
-- the process knows. So the facts need not be read again, only locked and compared (ADR 0028).
-- Locks in the order of lock_and_load: wallets, holds, grants, envelopes, each by id. The clock and the ids are read
-- behind them. Ids of what is written count from zero, and moments from `decided_at`, until then.
-- Settings are the function's own: nothing is set for the session, and no table that grows is ever read whole.
--
-- Where it is the facts that have changed, `version` is 0: they can be read again (read_facts), without waiting for locks.
-- What people ask takes this way too: the version of the password that was verified must still be theirs.
--
-- Holds are closed by their key, whatever the planner has heard of them. `state = 'pending'` offered it the indexes of
-- pending holds, which it took for short: they keep an entry for every hold that was closed since the last vacuum, and each
-- batch with a capture walked through all of its wallet's, or of everybody's. Whether a hold is open is said as well by
-- `closed_at`, which is in no index.
--
-- What a batch has none of is not even begun: to set a statement up costs more than a row. Versions are compared as one
-- array, in the order of the locks: by id. Rows are counted in their text only where fewer were written than were locked.

CREATE OR REPLACE FUNCTION post_unchanged(
    wallet_ids bigint[], wallet_versions bigint[], grant_ids bigint[], grant_versions bigint[],
    hold_wallets bigint[], hold_ids bigint[], hold_versions bigint[],
    envelope_ids bigint[], envelope_versions bigint[], credential_ids bigint[],
    person_ids bigint[], person_versions bigint[],
    price_revision bigint, envelope_revision bigint, decided_at timestamptz, before timestamptz, holding boolean,
    transfer_rows json, movement_rows json, wallet_rows json, grant_rows json, opened_rows json, closed_rows json,
    envelope_rows json, event_rows json,
    OUT first_id bigint, OUT posted_at timestamptz, OUT version bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off
SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
    written bigint;
    at timestamptz;
    start bigint;
BEGIN
    -- What is looked at behind the locks must be what is true then, whatever the database's default is.
    IF current_setting('transaction_isolation') <> 'read committed' THEN RETURN; END IF;

    IF (SELECT coalesce(array_agg(xmin::text::bigint), '{}')
        FROM (SELECT xmin FROM accounts WHERE id = ANY (wallet_ids) AND kind = 'wallet'
              ORDER BY id FOR NO KEY UPDATE) AS locked) <> wallet_versions
    THEN version := 0; RETURN; END IF;
    IF cardinality(hold_ids) > 0 THEN
        IF (SELECT coalesce(array_agg(xmin::text::bigint), '{}')
            FROM (SELECT xmin FROM holds WHERE wallet_id = ANY (hold_wallets) AND id = ANY (hold_ids)
                  ORDER BY wallet_id, id FOR NO KEY UPDATE) AS locked) <> hold_versions
        THEN version := 0; RETURN; END IF;
    END IF;
    IF cardinality(grant_ids) > 0 THEN
        IF (SELECT coalesce(array_agg(xmin::text::bigint), '{}')
            FROM (SELECT xmin FROM grants WHERE id = ANY (grant_ids) ORDER BY id FOR NO KEY UPDATE) AS locked)
            <> grant_versions
        THEN version := 0; RETURN; END IF;
    END IF;
    IF cardinality(envelope_ids) > 0 THEN
        IF (SELECT coalesce(array_agg(xmin::text::bigint), '{}')
            FROM (SELECT xmin FROM envelopes WHERE id = ANY (envelope_ids) ORDER BY id FOR NO KEY UPDATE) AS locked)
            <> envelope_versions
        THEN version := 0; RETURN; END IF;
    END IF;

    IF (SELECT revision FROM price_book) <> price_revision
        OR (SELECT revision FROM envelope_book) <> envelope_revision
    THEN version := 0; RETURN; END IF;
    at := clock_timestamp();
    IF at >= before THEN RETURN; END IF;
    IF cardinality(credential_ids) > 0 THEN
        IF EXISTS (SELECT FROM api_keys
                   WHERE id = ANY (credential_ids) AND (revoked_at IS NOT NULL OR expires_at <= at))
        THEN RETURN; END IF;
    END IF;
    IF cardinality(person_ids) > 0 THEN
        IF (SELECT coalesce(array_agg(password_version::bigint), '{}')
            FROM (SELECT password_version FROM people WHERE id = ANY (person_ids) ORDER BY id) AS known)
            <> person_versions
        THEN RETURN; END IF;
    END IF;
    IF holding THEN
        IF EXISTS (SELECT FROM holds WHERE wallet_id = ANY (wallet_ids) AND state = 'pending' AND expires_at <= at)
        THEN RETURN; END IF;
    END IF;

    start := nextval('transfer_ids');
    BEGIN
        WITH batch AS MATERIALIZED (
            SELECT * FROM json_to_recordset(transfer_rows) AS t (
                wallet_id bigint, id bigint, kind text, refusal text, debit_account bigint, credit_account bigint,
                amount bigint, debit_after bigint, credit_after bigint, grant_id bigint, parent_id bigint,
                available_after bigint, remaining_after bigint, client text, key text, fingerprint text,
                reference text, note text, provider_id bigint, model text,
                input_tokens bigint, output_tokens bigint, cached_input_tokens bigint, cache_write_tokens bigint,
                reasoning_tokens bigint, calls bigint, units jsonb, price_id bigint, markup_ppm bigint,
                conversion text, member_id bigint, envelope_ids bigint[], stopped_by jsonb, metadata jsonb)
        ), journal AS (
            INSERT INTO transfers (
                wallet_id, id, kind, refusal, debit_account, credit_account, amount, grant_id, parent_id,
                available_after, remaining_after, client, key, fingerprint, reference, note, provider_id, model,
                input_tokens, output_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens, calls, units,
                price_id, markup_ppm, conversion, member_id, envelope_ids, stopped_by, metadata, created_at)
            SELECT wallet_id, start + id, kind, refusal, debit_account, credit_account, amount, grant_id, parent_id,
                available_after, remaining_after, client, key, decode(fingerprint, 'hex'), reference, note,
                provider_id, model, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
                reasoning_tokens, calls, units, price_id, markup_ppm, conversion, member_id, envelope_ids, stopped_by,
                metadata, at
            FROM batch ORDER BY client, key
        )
        INSERT INTO entries (account_id, transfer_id, wallet_id, amount, balance_after, created_at)
        SELECT e.account_id, start + b.id, b.wallet_id, e.amount, e.balance_after, at
        FROM batch b
        CROSS JOIN LATERAL (VALUES (b.debit_account, -b.amount, b.debit_after), (b.credit_account, b.amount, b.credit_after))
            AS e (account_id, amount, balance_after)
        WHERE b.debit_account IS NOT NULL;
    EXCEPTION WHEN unique_violation THEN  -- a key that is known: who asks again is answered by the other way
        RETURN;
    END;

    IF movement_rows::text <> '[]' THEN
        INSERT INTO account_movements (account_id, transfer_id, amount)
        SELECT account_id, start + transfer_id, amount
        FROM json_to_recordset(movement_rows) AS m (account_id bigint, transfer_id bigint, amount numeric);
    END IF;

    UPDATE accounts a SET balance = w.balance, held = w.held, debt = w.debt
    FROM json_to_recordset(wallet_rows) AS w (id bigint, balance bigint, held bigint, debt bigint)
    WHERE a.id = w.id AND a.id = ANY (wallet_ids);
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> cardinality(wallet_ids) AND written <> json_array_length(wallet_rows) THEN
        RAISE EXCEPTION 'wallets written %, expected %', written, json_array_length(wallet_rows);
    END IF;

    IF grant_rows::text <> '[]' THEN
        UPDATE grants g SET spent = c.spent, held = c.held, overrun = c.overrun
        FROM json_to_recordset(grant_rows) AS c (id bigint, spent bigint, held bigint, overrun bigint)
        WHERE g.id = c.id AND g.id = ANY (grant_ids);
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(grant_ids) AND written <> json_array_length(grant_rows) THEN
            RAISE EXCEPTION 'grants written %, expected %', written, json_array_length(grant_rows);
        END IF;
    END IF;

    IF opened_rows::text <> '[]' THEN
        INSERT INTO holds (wallet_id, id, grant_id, amount, state, model, expires_at, created_at, to_wallet_id,
                           asked_by, app_name, app_path, usage_units, envelope_ids)
        SELECT wallet_id, start + id, grant_id, amount, 'pending', model, expires_at + (at - decided_at), at,
               to_wallet_id, asked_by, app_name, app_path, usage_units, envelope_ids
        FROM json_to_recordset(opened_rows)
            AS h (wallet_id bigint, id bigint, grant_id bigint, amount bigint, model text, expires_at timestamptz,
                  to_wallet_id bigint, asked_by text, app_name text, app_path text, usage_units bigint,
                  envelope_ids bigint[]);
    END IF;

    IF closed_rows::text <> '[]' THEN
        UPDATE holds h SET state = k.state, captured = k.captured, void_reason = k.void_reason,
            closed_by = k.closed_by, closed_at = at
        FROM json_to_recordset(closed_rows)
            AS k (wallet_id bigint, id bigint, state text, captured bigint, void_reason text, closed_by text)
        WHERE h.wallet_id = k.wallet_id AND h.id = k.id AND h.closed_at IS NULL
          AND h.wallet_id = ANY (hold_wallets) AND h.id = ANY (hold_ids);
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(hold_ids) AND written <> json_array_length(closed_rows) THEN
            RAISE EXCEPTION 'holds written %, expected %', written, json_array_length(closed_rows);
        END IF;
    END IF;

    IF envelope_rows::text <> '[]' THEN
        UPDATE envelopes e SET used = c.used, held = c.held, overrun = c.overrun, total = c.total, told = c.told
        FROM json_to_recordset(envelope_rows)
            AS c (id bigint, used bigint, held bigint, overrun bigint, total bigint, told smallint)
        WHERE e.id = c.id AND e.id = ANY (envelope_ids);
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(envelope_ids) AND written <> json_array_length(envelope_rows) THEN
            RAISE EXCEPTION 'envelopes written %, expected %', written, json_array_length(envelope_rows);
        END IF;
    END IF;

    INSERT INTO outbox (wallet_id, kind, payload, created_at)
    SELECT wallet_id, kind, CASE WHEN payload ? 'transfer_id'
        THEN payload || jsonb_build_object('transfer_id', start + (payload ->> 'transfer_id')::bigint)
        ELSE payload END, at
    FROM json_to_recordset(event_rows) AS o (wallet_id bigint, kind text, payload jsonb);

    first_id := start;
    posted_at := at;
    version := pg_current_xact_id()::xid::text::bigint;
END $$;
