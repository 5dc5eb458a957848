-- Batches are posted by a function that asks by people take too. The one that was here is of another signature; the new one
-- comes with 0018.
DROP FUNCTION IF EXISTS post_unchanged(
    bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[],
    bigint, bigint, timestamptz, timestamptz, boolean, json, json, json, json, json, json, json, json);

-- The envelopes that are attached to what is drawn on; `n` counts the draws from 1. Nothing is looked up where there are
-- none, and nothing of a payer whose organization has none. LIMIT and OFFSET keep it at look-ups by key, one a scope,
-- however few envelopes there were when the plan was made. Without settings of its own it becomes part of whoever asks.
CREATE FUNCTION applying_envelopes(
    draw_wallets bigint[], draw_grants bigint[], draw_providers bigint[], draw_models text[]
) RETURNS TABLE (n bigint, envelope_id bigint) LANGUAGE sql STABLE AS $$
    SELECT d.n, e.id
    FROM unnest(draw_wallets, draw_grants, draw_providers, draw_models)
        WITH ORDINALITY AS d (wallet_id, grant_id, provider_id, model, n)
    CROSS JOIN LATERAL (SELECT organization_id FROM accounts WHERE id = d.wallet_id OFFSET 0) AS a
    CROSS JOIN LATERAL (VALUES (''), (a.organization_id)) AS o (owner)
    CROSS JOIN LATERAL (
        SELECT 1 FROM envelopes p WHERE p.owner = o.owner AND p.scope IS NOT NULL AND p.deleted_at IS NULL LIMIT 1
    ) AS limited
    LEFT JOIN LATERAL (SELECT id, provider_id, lineage FROM grants WHERE id = d.grant_id OFFSET 0) AS g ON true
    CROSS JOIN LATERAL (
        SELECT 'all' UNION ALL SELECT 'wallet:' || d.wallet_id UNION ALL SELECT 'model:' || d.model
        UNION ALL SELECT 'provider:' || coalesce(d.provider_id, g.provider_id)
        UNION ALL SELECT 'grant:' || drawn FROM unnest(g.id || g.lineage) AS drawn
    ) AS s (scope)
    CROSS JOIN LATERAL (
        SELECT id FROM envelopes WHERE owner = o.owner AND scope = s.scope AND deleted_at IS NULL OFFSET 0
    ) AS e
    WHERE (SELECT EXISTS (SELECT FROM envelopes WHERE scope IS NOT NULL AND deleted_at IS NULL))
$$;

-- What a batch is decided on, as it stands, without any lock: what is decided on it is written by post_unchanged, which
-- sees whether it still does. Rows as lock_and_load gives them.
CREATE FUNCTION read_facts(
    wallet_ids bigint[], grant_ids bigint[], hold_wallets bigint[], hold_ids bigint[], envelope_ids bigint[],
    draw_wallets bigint[], draw_grants bigint[], draw_providers bigint[], draw_models text[]
) RETURNS TABLE (fact text, id bigint, a bigint, b bigint, c bigint, d bigint, e bigint, f bigint, t timestamptz,
                 s text, u text, x bytea, v text)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH asked_holds AS MATERIALIZED (
        SELECT h.*, h.xmin FROM holds h WHERE h.wallet_id = ANY (hold_wallets) AND h.id = ANY (hold_ids)
    ), applying AS MATERIALIZED (
        SELECT n, envelope_id FROM applying_envelopes(draw_wallets, draw_grants, draw_providers, draw_models)
    )
    SELECT 'wallet', id, balance, held, debt, NULL::bigint, NULL::bigint, NULL::bigint, NULL::timestamptz, asset,
           NULL::text, NULL::bytea, xmin::text
    FROM accounts WHERE id = ANY (wallet_ids) AND kind = 'wallet'
    UNION ALL
    SELECT 'hold', id, wallet_id, grant_id, amount, to_wallet_id, usage_units, xmin::text::bigint, expires_at,
           coalesce(void_reason, state), model, NULL, array_to_string(envelope_ids, ',')
    FROM asked_holds
    UNION ALL
    SELECT 'grant', id, wallet_id, limit_units, charge_limit_units, spent, held, overrun, expires_at, end_reason,
           array_to_string(lineage, ','), NULL, xmin::text
    FROM grants WHERE id = ANY (grant_ids)
    UNION ALL
    SELECT 'envelope', id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, to_json(l)::text
    FROM (SELECT *, xmin::text::bigint AS version FROM envelopes WHERE deleted_at IS NULL AND id = ANY (ARRAY(
        SELECT envelope_id FROM applying UNION ALL SELECT unnest(asked_holds.envelope_ids) FROM asked_holds
        UNION ALL SELECT unnest(read_facts.envelope_ids)))) AS l
    UNION ALL
    SELECT 'applying', n, envelope_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM applying
    UNION ALL
    SELECT 'batch', 0, p.revision, b.revision, NULL, NULL, NULL, NULL, clock_timestamp(), NULL, NULL, NULL, NULL
    FROM price_book p CROSS JOIN envelope_book b;
END $$;
