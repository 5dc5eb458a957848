-- name: spend
-- What was spent since a day, by one of `day`, `provider`, `model`, `agent`; of one provider where given.
-- Every kind of total holds all that was spent, so that days are read from the smallest.
SELECT CASE :by::text WHEN 'day' THEN d.day::text WHEN 'provider' THEN p.slug WHEN 'model' THEN d.model
                      ELSE coalesce(g.organization_id || '/' || g.name, '') END AS name,
       d.asset, s.scale, sum(d.charges)::bigint AS charges, sum(d.refused)::bigint AS refused,
       sum(d.refunds)::bigint AS refunds, sum(d.amount) AS amount, sum(d.refunded) AS refunded,
       sum(d.input_tokens) AS input_tokens, sum(d.output_tokens) AS output_tokens
FROM (
    SELECT CASE :by::text WHEN 'day' THEN day END AS day, CASE :by::text WHEN 'provider' THEN provider_id END AS provider_id,
           asset, model, agent_id, sum(charges) AS charges, sum(refused) AS refused, sum(refunds) AS refunds,
           sum(amount) AS amount, sum(refunded) AS refunded, sum(input_tokens) AS input_tokens,
           sum(output_tokens) AS output_tokens
    FROM spend_totals
    WHERE kind = CASE :by::text WHEN 'day' THEN 'provider' ELSE :by::text END AND day >= :since::date
      AND (:provider_id::bigint IS NULL OR provider_id = :provider_id)
    GROUP BY 1, 2, asset, model, agent_id
) d
JOIN assets s ON s.code = d.asset
LEFT JOIN providers p ON p.id = d.provider_id
LEFT JOIN agents g ON g.id = d.agent_id
GROUP BY 1, 2, 3 ORDER BY sum(d.amount - d.refunded) DESC, 1 LIMIT :limit

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
