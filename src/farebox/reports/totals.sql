-- name: claim_progress
-- One node counts at a time; the others go on without waiting.
SELECT done, noted, horizon <= pg_snapshot_xmin(pg_current_snapshot()) AS settled
FROM totals_progress FOR UPDATE SKIP LOCKED

-- name: last_number
-- The highest number that a batch can have taken so far. A batch has its transaction's number before it takes it.
SELECT CASE WHEN is_called THEN last_value + 4095 ELSE 0 END FROM transfer_ids

-- name: count_up
-- OFFSET keeps the inner part a part of its own: read by each provider's index, and never the whole journal.
-- What is given back counts on the day on which it is, under the names of its charge.
WITH charged AS (
    SELECT (t.created_at AT TIME ZONE 'UTC')::date AS day, t.provider_id, a.asset, coalesce(t.model, '') AS model,
           coalesce(g.id, 0) AS agent_id, count(*) FILTER (WHERE t.refusal IS NULL) AS charges,
           count(t.refusal) AS refused, 0 AS refunds,
           coalesce(sum(t.amount) FILTER (WHERE t.refusal IS NULL), 0) AS amount, 0 AS refunded,
           coalesce(sum(t.input_tokens) FILTER (WHERE t.refusal IS NULL), 0) AS input_tokens,
           coalesce(sum(t.output_tokens) FILTER (WHERE t.refusal IS NULL), 0) AS output_tokens
    FROM providers p
    CROSS JOIN LATERAL (
        SELECT * FROM transfers n WHERE n.provider_id = p.id AND n.id > :done AND n.id <= :until OFFSET 0
    ) t
    JOIN accounts a ON a.id = t.wallet_id
    LEFT JOIN agents g ON g.grant_id = t.grant_id
    WHERE t.kind IN ('charge', 'capture', 'usage')
    GROUP BY 1, 2, 3, 4, 5
), given_back AS (
    SELECT (r.created_at AT TIME ZONE 'UTC')::date AS day, t.provider_id, a.asset, coalesce(t.model, '') AS model,
           coalesce(g.id, 0) AS agent_id, 0 AS charges, 0 AS refused, count(*) AS refunds, 0 AS amount,
           sum(r.amount) AS refunded, 0 AS input_tokens, 0 AS output_tokens
    FROM transfers r
    JOIN transfers t ON t.wallet_id = r.wallet_id AND t.id = r.parent_id
    JOIN accounts a ON a.id = r.wallet_id
    LEFT JOIN agents g ON g.grant_id = t.grant_id
    WHERE r.kind = 'refund' AND r.refusal IS NULL AND r.id > :done AND r.id <= :until AND t.provider_id IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5
), counted AS (
    SELECT k.kind, CASE WHEN k.by_provider THEN provider_id ELSE 0 END AS provider_id, day, asset,
           CASE WHEN k.by_model THEN model ELSE '' END AS model, CASE WHEN k.kind = 'agent' THEN agent_id ELSE 0 END AS agent_id,
           sum(charges) AS charges, sum(refused) AS refused, sum(refunds) AS refunds, sum(amount) AS amount,
           sum(refunded) AS refunded, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
    FROM (SELECT * FROM charged UNION ALL SELECT * FROM given_back) found
    CROSS JOIN (VALUES ('provider', true, false), ('model', false, true), ('agent', false, false),
                       ('provider_model', true, true)) AS k (kind, by_provider, by_model)
    GROUP BY 1, 2, 3, 4, 5, 6
), added AS (
    INSERT INTO spend_totals AS d (kind, provider_id, grain, starts_on, asset, model, agent_id, charges, refused, refunds,
                                   amount, refunded, input_tokens, output_tokens)
    SELECT kind, provider_id, grain, date_trunc(grain, day::timestamp)::date, asset, model, agent_id, sum(charges),
           sum(refused), sum(refunds), sum(amount), sum(refunded), sum(input_tokens), sum(output_tokens)
    FROM counted CROSS JOIN (VALUES ('day'), ('month')) AS g (grain)
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (kind, provider_id, grain, starts_on, asset, model, agent_id) DO UPDATE SET
        charges = d.charges + excluded.charges, refused = d.refused + excluded.refused,
        refunds = d.refunds + excluded.refunds, amount = d.amount + excluded.amount,
        refunded = d.refunded + excluded.refunded, input_tokens = d.input_tokens + excluded.input_tokens,
        output_tokens = d.output_tokens + excluded.output_tokens
    RETURNING 1
)
SELECT count(*) FROM added

-- name: advance!
UPDATE totals_progress SET done = :done

-- name: note_horizon!
UPDATE totals_progress SET noted = :noted, horizon = pg_snapshot_xmax(pg_current_snapshot())
