-- name: claim_progress
-- One node counts at a time; the others go on without waiting.
SELECT done, noted, horizon <= pg_snapshot_xmin(pg_current_snapshot()) AS settled
FROM totals_progress FOR UPDATE SKIP LOCKED

-- name: last_number
-- The highest number that a batch can have taken so far. A batch has its transaction's number before it takes it.
SELECT CASE WHEN is_called THEN last_value + 4095 ELSE 0 END FROM transfer_ids

-- name: count_up
-- OFFSET keeps the inner part a part of its own: read by each provider's index, and never the whole journal.
WITH counted AS (
    SELECT (t.created_at AT TIME ZONE 'UTC')::date AS day, t.provider_id, a.asset, coalesce(t.model, '') AS model,
           coalesce(g.id, 0) AS agent_id, count(*) FILTER (WHERE t.refusal IS NULL) AS charges,
           count(t.refusal) AS refused, coalesce(sum(t.amount) FILTER (WHERE t.refusal IS NULL), 0) AS amount,
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
), added AS (
    INSERT INTO daily_totals AS d
    SELECT * FROM counted
    ON CONFLICT (day, provider_id, asset, model, agent_id) DO UPDATE SET
        charges = d.charges + excluded.charges, refused = d.refused + excluded.refused,
        amount = d.amount + excluded.amount, input_tokens = d.input_tokens + excluded.input_tokens,
        output_tokens = d.output_tokens + excluded.output_tokens
    RETURNING 1
)
SELECT count(*) FROM added

-- name: advance!
UPDATE totals_progress SET done = :done

-- name: note_horizon!
UPDATE totals_progress SET noted = :noted, horizon = pg_snapshot_xmax(pg_current_snapshot())

-- name: spend
-- What was spent since a day, by one of `day`, `provider`, `model`, `agent`; of one provider where given.
SELECT CASE :by::text WHEN 'day' THEN d.day::text WHEN 'provider' THEN p.slug WHEN 'model' THEN d.model
                      ELSE coalesce(g.name, '') END AS name,
       d.asset, s.scale, sum(d.charges)::bigint AS charges, sum(d.refused)::bigint AS refused,
       sum(d.amount) AS amount, sum(d.input_tokens) AS input_tokens, sum(d.output_tokens) AS output_tokens
FROM daily_totals d
JOIN providers p ON p.id = d.provider_id
JOIN assets s ON s.code = d.asset
LEFT JOIN agents g ON g.id = d.agent_id
WHERE d.day >= :since::date AND (:provider_id::bigint IS NULL OR d.provider_id = :provider_id)
GROUP BY 1, 2, 3 ORDER BY 6 DESC, 1 LIMIT 500

-- name: newest_charges
-- The newest of each provider by its own index, then the newest of these.
SELECT t.wallet_id, t.id, t.kind, a.asset, s.scale, p.slug AS provider, t.model, t.amount, t.refusal, t.created_at
FROM providers p
CROSS JOIN LATERAL (
    SELECT * FROM transfers n WHERE n.provider_id = p.id ORDER BY n.id DESC LIMIT :limit
) t
JOIN accounts a ON a.id = t.wallet_id JOIN assets s ON s.code = a.asset
WHERE :provider_id::bigint IS NULL OR p.id = :provider_id
ORDER BY t.id DESC LIMIT :most

-- name: open_holds
-- Those that end soonest first: an old one that nobody ends stands on top.
SELECT h.wallet_id, h.id, a.asset, s.scale, p.slug AS provider, g.provider_username, h.amount, h.model,
       h.to_wallet_id, h.created_at, h.expires_at, clock_timestamp() AS now
FROM holds h
JOIN accounts a ON a.id = h.wallet_id JOIN assets s ON s.code = a.asset
LEFT JOIN grants g ON g.id = h.grant_id LEFT JOIN providers p ON p.id = g.provider_id
WHERE h.state = 'pending' ORDER BY h.expires_at LIMIT :limit

-- name: log
SELECT id, actor, action, subject, detail::text AS detail, created_at FROM audit_log
WHERE id < :before ORDER BY id DESC LIMIT :limit
