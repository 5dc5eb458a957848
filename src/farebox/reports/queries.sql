-- name: spend_by_time
-- By the day or by the month: of all providers, or of one.
SELECT starts_on::text AS name, asset, scale, sum(charges)::bigint AS charges, sum(refused)::bigint AS refused,
       sum(refunds)::bigint AS refunds, sum(amount) AS amount, sum(refunded) AS refunded,
       sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
FROM providers p
JOIN spend_totals d ON d.kind = 'provider' AND d.provider_id = p.id AND d.grain = :grain AND d.starts_on >= :since
JOIN assets s ON s.code = d.asset
WHERE :provider_id::bigint IS NULL OR p.id = :provider_id
GROUP BY d.starts_on, asset, scale ORDER BY d.starts_on

-- name: spend_by_provider
-- Whole months by the month, and the days before the first of them by the day.
SELECT p.slug AS name, asset, scale, sum(charges)::bigint AS charges, sum(refused)::bigint AS refused,
       sum(refunds)::bigint AS refunds, sum(amount) AS amount, sum(refunded) AS refunded,
       sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
FROM providers p
CROSS JOIN LATERAL (
    SELECT * FROM spend_totals
    WHERE kind = 'provider' AND provider_id = p.id AND grain = 'month' AND starts_on >= :months
    UNION ALL
    SELECT * FROM spend_totals
    WHERE kind = 'provider' AND provider_id = p.id AND grain = 'day' AND starts_on >= :since AND starts_on < :months
) d
JOIN assets s ON s.code = d.asset
WHERE :provider_id::bigint IS NULL OR p.id = :provider_id
GROUP BY p.slug, asset, scale ORDER BY sum(amount - refunded) DESC, p.slug LIMIT :limit

-- name: spend_by_model
-- Of all providers together, which is a kind of its own, or of one.
SELECT model AS name, asset, scale, sum(charges)::bigint AS charges, sum(refused)::bigint AS refused,
       sum(refunds)::bigint AS refunds, sum(amount) AS amount, sum(refunded) AS refunded,
       sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
FROM spend_totals d JOIN assets s ON s.code = d.asset
WHERE d.kind = CASE WHEN :provider_id::bigint IS NULL THEN 'model' ELSE 'provider_model' END
  AND d.provider_id = coalesce(:provider_id::bigint, 0)
  AND (d.grain = 'month' AND d.starts_on >= :months OR d.grain = 'day' AND d.starts_on >= :since AND d.starts_on < :months)
GROUP BY model, asset, scale ORDER BY sum(amount - refunded) DESC, model LIMIT :limit

-- name: spend_by_agent
-- Agents are added up before they are named: they may be thousands.
SELECT coalesce(g.organization_id || '/' || g.name, '') AS name, d.asset, scale, charges, refused, refunds, amount, refunded,
       input_tokens, output_tokens
FROM (
    SELECT agent_id, asset, sum(charges)::bigint AS charges, sum(refused)::bigint AS refused,
           sum(refunds)::bigint AS refunds, sum(amount) AS amount, sum(refunded) AS refunded,
           sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
    FROM spend_totals
    WHERE kind = 'agent' AND provider_id = 0
      AND (grain = 'month' AND starts_on >= :months OR grain = 'day' AND starts_on >= :since AND starts_on < :months)
    GROUP BY agent_id, asset ORDER BY sum(amount - refunded) DESC, agent_id LIMIT :limit
) d
JOIN assets s ON s.code = d.asset LEFT JOIN agents g ON g.id = d.agent_id
ORDER BY amount - refunded DESC, agent_id

-- name: newest_charges
-- The newest of each provider by its own index, then the newest of these. The inner limit is a number: with a parameter
-- the plan for every value would sort all of a provider's charges.
SELECT t.wallet_id, t.id, t.kind, a.asset, s.scale, p.slug AS provider, t.model, t.amount, t.refusal, t.created_at
FROM providers p
CROSS JOIN LATERAL (
    SELECT * FROM transfers n WHERE n.provider_id = p.id ORDER BY n.id DESC LIMIT 50
) t
JOIN accounts a ON a.id = t.wallet_id JOIN assets s ON s.code = a.asset
WHERE :provider_id::bigint IS NULL OR p.id = :provider_id
ORDER BY t.id DESC LIMIT :limit

-- name: charges_like
-- As above, of those that are wanted: looked for among the newest 2,000 of each provider, so that it ends.
SELECT t.wallet_id, t.id, t.kind, a.asset, s.scale, p.slug AS provider, t.model, t.amount, t.refusal, t.created_at
FROM providers p
CROSS JOIN LATERAL (
    SELECT * FROM transfers n WHERE n.provider_id = p.id ORDER BY n.id DESC LIMIT 2000
) t
JOIN accounts a ON a.id = t.wallet_id JOIN assets s ON s.code = a.asset
WHERE (:provider_id::bigint IS NULL OR p.id = :provider_id)
    AND strpos(lower(coalesce(t.model, '')), lower(:model)) > 0
    AND (:refused::boolean IS NULL OR (t.refusal IS NOT NULL) = :refused)
ORDER BY t.id DESC LIMIT :limit

-- name: open_holds
-- Those that end soonest first: an old one that nobody ends stands on top. What comes behind another is behind when that
-- one ends, which closing it leaves as it is.
SELECT h.wallet_id, h.id, a.asset, s.scale, p.slug AS provider, g.provider_username, h.amount, h.model,
       h.to_wallet_id, h.created_at, h.expires_at, clock_timestamp() AS now
FROM holds h
JOIN accounts a ON a.id = h.wallet_id JOIN assets s ON s.code = a.asset
LEFT JOIN grants g ON g.id = h.grant_id LEFT JOIN providers p ON p.id = g.provider_id
WHERE h.state = 'pending'
  AND (:id::bigint IS NULL OR h.id = :id)
  AND (:wallet_id::bigint IS NULL OR h.wallet_id = :wallet_id OR h.to_wallet_id = :wallet_id)
  AND (:words::text IS NULL OR p.slug = :words OR a.owner = :words OR a.organization_id = :words
       OR g.provider_username = :words)
  AND (:after_id::bigint IS NULL OR (h.expires_at, h.wallet_id, h.id) > (
       (SELECT l.expires_at FROM holds l WHERE l.wallet_id = :after_wallet_id AND l.id = :after_id),
       :after_wallet_id::bigint, :after_id::bigint))
ORDER BY h.expires_at, h.wallet_id, h.id LIMIT :limit

-- name: grants
-- By what is indexed: a grant's or a wallet's number, a provider, a user of one, a payer; or the newest of all.
SELECT g.id, g.wallet_id, a.asset, s.scale, a.owner, p.slug AS provider, g.provider_username, g.limit_units, g.spent, g.held,
       g.end_reason, coalesce(g.expires_at <= clock_timestamp(), false) AS expired, g.created_at
FROM grants g
JOIN accounts a ON a.id = g.wallet_id JOIN assets s ON s.code = a.asset
JOIN providers p ON p.id = g.provider_id
WHERE (:number::bigint IS NULL OR g.id = :number) AND (:wallet_id::bigint IS NULL OR g.wallet_id = :wallet_id)
  AND (:words::text IS NULL OR p.slug = :words OR a.owner = :words OR a.organization_id = :words
       OR g.provider_username = :words)
  AND (NOT :open::boolean OR g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > clock_timestamp()))
ORDER BY g.id DESC LIMIT :limit

-- name: log
-- Who did it is told by the name of the key, too.
SELECT l.id, l.actor, k.name AS key_name, l.action, l.subject, l.detail::text AS detail, l.created_at
FROM audit_log l LEFT JOIN api_keys k ON k.id = substring(l.actor FROM '/key_([0-9]{1,18})$')::bigint
WHERE l.id < :before AND (:words::text = '' OR position(lower(:words) IN lower(concat_ws(' ', l.actor, k.name, l.action,
      l.subject, l.detail::text))) > 0)
ORDER BY l.id DESC LIMIT :limit

-- name: health
SELECT current_setting('server_version') AS postgresql, pg_database_size(current_database()) AS bytes,
       (SELECT version_num FROM alembic_version) AS schema,
       current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS durable,
       (SELECT count(*) FROM outbox) AS events,
       (SELECT count(*) FROM holds WHERE state = 'pending' AND expires_at < clock_timestamp()) AS holds_due,
       (SELECT count(*) FROM (SELECT FROM account_movements LIMIT 100000) m) AS unfolded,
       (SELECT done >= last.number FROM totals_progress,
        LATERAL (SELECT CASE WHEN is_called THEN last_value + 4095 ELSE 0 END AS number FROM transfer_ids) last) AS totals_settled,
       clock_timestamp() AS now

-- name: first_steps
SELECT EXISTS (SELECT FROM providers) AS providers,
       EXISTS (SELECT FROM api_keys WHERE kind = 'provider' AND revoked_at IS NULL) AS provider_keys,
       EXISTS (SELECT FROM prices) AS prices, EXISTS (SELECT FROM accounts WHERE id >= 1000000000000000) AS wallets,
       EXISTS (SELECT FROM entries) AS money, EXISTS (SELECT FROM transfers WHERE provider_id > 0) AS charges
