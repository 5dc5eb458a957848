-- name: add_wallet
INSERT INTO accounts (id, kind, asset, owner, organization_id)
VALUES (:id, 'wallet', :asset, :owner, :organization_id) ON CONFLICT (id) DO NOTHING RETURNING id

-- name: wallet
SELECT a.id, a.asset, s.scale, a.balance, a.held, a.debt, a.owner, a.organization_id, a.created_at
FROM accounts a JOIN assets s ON s.code = a.asset WHERE a.id = :id AND a.kind = 'wallet'

-- name: wallet_with_key
-- As above, for who asks with a key that was seen before: two looks in one round trip.
SELECT a.id, a.asset, s.scale, a.balance, a.held, a.debt, a.owner, a.organization_id, a.created_at
FROM accounts a JOIN assets s ON s.code = a.asset
WHERE a.id = :id AND a.kind = 'wallet' AND EXISTS (
    SELECT 1 FROM api_keys
    WHERE id = :credential_id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
)

-- name: wallets_page
SELECT a.id, a.asset, s.scale, a.balance, a.held, a.debt, a.owner, a.organization_id, a.created_at
FROM accounts a JOIN assets s ON s.code = a.asset
WHERE a.kind = 'wallet' AND a.id > :after
  AND (:organization_id::text IS NULL OR a.organization_id = :organization_id)
  AND (:owner::text IS NULL OR a.owner = :owner)
ORDER BY a.id LIMIT :limit

-- name: revenue_account
-- The account that takes in what a provider earns in one asset; made when it is first needed.
WITH made AS (
    INSERT INTO accounts (id, kind, asset, provider_id)
    VALUES (nextval('account_ids'), 'revenue', :asset, :provider_id)
    ON CONFLICT (provider_id, asset) DO NOTHING RETURNING id
)
SELECT id FROM made UNION ALL SELECT id FROM accounts WHERE provider_id = :provider_id AND asset = :asset LIMIT 1

-- name: external_account
-- The outside world, by source and asset; made when it is first needed.
WITH made AS (
    INSERT INTO accounts (id, kind, asset, source) VALUES (nextval('account_ids'), 'external', :asset, :source)
    ON CONFLICT (source, asset) DO NOTHING RETURNING id
)
SELECT id FROM made UNION ALL SELECT id FROM accounts WHERE source = :source AND asset = :asset LIMIT 1

-- name: revenue_balances
SELECT b.asset, s.scale, b.balance FROM account_balances b
JOIN accounts a ON a.id = b.id JOIN assets s ON s.code = b.asset
WHERE a.provider_id = :provider_id ORDER BY b.asset

-- name: journal_of_wallet
-- Which rows are on the page is told by the key's index alone, but where they are of some kinds; then they are read at once
-- (ADR 0032). The page is cut before anything is looked up for it: a young database's estimates would read everything first.
SELECT t.id, t.wallet_id, a.asset, t.kind, t.refusal, t.amount, coalesce(r.refunded, 0) AS refunded,
       t.available_after, t.remaining_after, t.grant_id, t.parent_id, p.slug AS provider, p.id AS provider_id,
       g.provider_username, t.key, t.model, t.input_tokens, t.output_tokens, t.cached_input_tokens,
       t.cache_write_tokens, t.reasoning_tokens, t.calls, t.units::text AS units, t.price_id, t.markup_ppm,
       t.conversion, t.reference, t.note, t.created_at
FROM transfers_at_once(:wallet_id, CASE WHEN :kinds::text[] IS NULL THEN ARRAY(
    SELECT n.id FROM transfers n WHERE n.wallet_id = :wallet_id AND n.id < :before ORDER BY n.id DESC LIMIT :limit
) ELSE ARRAY(
    SELECT n.id FROM transfers n WHERE n.wallet_id = :wallet_id AND n.id < :before AND n.kind = ANY(:kinds)
    ORDER BY n.id DESC LIMIT :limit
) END) t
JOIN accounts a ON a.id = :wallet_id
LEFT JOIN grants g ON g.id = t.grant_id
LEFT JOIN providers p ON p.id = coalesce(t.provider_id, g.provider_id)
LEFT JOIN refunds r ON r.wallet_id = :wallet_id AND r.charge_id = t.id
ORDER BY t.id DESC

-- name: search_journal
-- Among the newest 20,000 rows, so that a search for what is not there ends.
SELECT t.id, t.wallet_id, a.asset, t.kind, t.refusal, t.amount, coalesce(r.refunded, 0) AS refunded,
       t.available_after, t.remaining_after, t.grant_id, t.parent_id, p.slug AS provider, p.id AS provider_id,
       g.provider_username, t.key, t.model, t.input_tokens, t.output_tokens, t.cached_input_tokens,
       t.cache_write_tokens, t.reasoning_tokens, t.calls, t.units::text AS units, t.price_id, t.markup_ppm,
       t.conversion, t.reference, t.note, t.created_at
FROM (
    SELECT * FROM transfers n WHERE n.wallet_id = :wallet_id AND n.id < :before ORDER BY n.id DESC LIMIT 20000
) t
JOIN accounts a ON a.id = t.wallet_id
LEFT JOIN grants g ON g.id = t.grant_id
LEFT JOIN providers p ON p.id = coalesce(t.provider_id, g.provider_id)
LEFT JOIN refunds r ON r.wallet_id = t.wallet_id AND r.charge_id = t.id
WHERE strpos(
        lower(
            concat_ws(
                ' ', t.kind, p.slug, p.name, t.model, t.note, t.reference, t.refusal,
                CASE WHEN t.refusal IS NOT NULL THEN 'refused' END
            )
        ),
        lower(:text)
    ) > 0
    OR t.kind = ANY(:kinds::text[])
ORDER BY t.id DESC LIMIT :limit

-- name: journal_of_grant
-- Among the newest 20,000 rows: an index of its own would cost every charge.
SELECT t.id, t.wallet_id, a.asset, t.kind, t.refusal, t.amount, coalesce(r.refunded, 0) AS refunded,
       t.available_after, t.remaining_after, t.grant_id, t.parent_id, p.slug AS provider, p.id AS provider_id,
       g.provider_username, t.key, t.model, t.input_tokens, t.output_tokens, t.cached_input_tokens,
       t.cache_write_tokens, t.reasoning_tokens, t.calls, t.units::text AS units, t.price_id, t.markup_ppm,
       t.conversion, t.reference, t.note, t.created_at
FROM (SELECT * FROM transfers n WHERE n.wallet_id = :wallet_id ORDER BY n.id DESC LIMIT 20000) t
JOIN accounts a ON a.id = t.wallet_id
LEFT JOIN grants g ON g.id = t.grant_id
LEFT JOIN providers p ON p.id = coalesce(t.provider_id, g.provider_id)
LEFT JOIN refunds r ON r.wallet_id = t.wallet_id AND r.charge_id = t.id
WHERE t.grant_id = :grant_id
ORDER BY t.id DESC LIMIT :limit

-- name: journal_of_provider
SELECT t.id, t.wallet_id, a.asset, t.kind, t.refusal, t.amount, coalesce(r.refunded, 0) AS refunded,
       t.available_after, t.remaining_after, t.grant_id, t.parent_id, p.slug AS provider, p.id AS provider_id,
       g.provider_username, t.key, t.model, t.input_tokens, t.output_tokens, t.cached_input_tokens,
       t.cache_write_tokens, t.reasoning_tokens, t.calls, t.units::text AS units, t.price_id, t.markup_ppm,
       t.conversion, t.reference, t.note, t.created_at
FROM (
    SELECT * FROM transfers n WHERE n.provider_id = :provider_id AND n.id < :before ORDER BY n.id DESC LIMIT :limit
) t
JOIN accounts a ON a.id = t.wallet_id
LEFT JOIN grants g ON g.id = t.grant_id
LEFT JOIN providers p ON p.id = coalesce(t.provider_id, g.provider_id)
LEFT JOIN refunds r ON r.wallet_id = t.wallet_id AND r.charge_id = t.id
ORDER BY t.id DESC

-- name: transfer
SELECT t.id, t.wallet_id, a.asset, t.kind, t.refusal, t.amount, coalesce(r.refunded, 0) AS refunded,
       t.available_after, t.remaining_after, t.grant_id, t.parent_id, p.slug AS provider, p.id AS provider_id,
       g.provider_username, t.key, t.model, t.input_tokens, t.output_tokens, t.cached_input_tokens,
       t.cache_write_tokens, t.reasoning_tokens, t.calls, t.units::text AS units, t.price_id, t.markup_ppm,
       t.conversion, t.reference, t.note, t.created_at
FROM transfers t
JOIN accounts a ON a.id = t.wallet_id
LEFT JOIN grants g ON g.id = t.grant_id
LEFT JOIN providers p ON p.id = coalesce(t.provider_id, g.provider_id)
LEFT JOIN refunds r ON r.wallet_id = t.wallet_id AND r.charge_id = t.id
WHERE t.wallet_id = :wallet_id AND t.id = :id

-- name: hold
SELECT h.id, h.wallet_id, a.asset, h.grant_id, p.slug AS provider, g.provider_id, h.to_wallet_id, h.amount, h.captured, h.state,
       h.void_reason, h.model, h.expires_at, h.created_at, h.closed_at, clock_timestamp() AS now
FROM holds h
JOIN accounts a ON a.id = h.wallet_id LEFT JOIN grants g ON g.id = h.grant_id LEFT JOIN providers p ON p.id = g.provider_id
WHERE h.wallet_id = :wallet_id AND h.id = :id

-- name: holds_of_wallet
SELECT h.id, h.wallet_id, a.asset, h.grant_id, p.slug AS provider, g.provider_id, h.to_wallet_id, h.amount, h.captured, h.state,
       h.void_reason, h.model, h.expires_at, h.created_at, h.closed_at, clock_timestamp() AS now
FROM (SELECT * FROM holds n WHERE n.wallet_id = :wallet_id AND n.id < :before ORDER BY n.id DESC LIMIT :limit) h
JOIN accounts a ON a.id = h.wallet_id LEFT JOIN grants g ON g.id = h.grant_id LEFT JOIN providers p ON p.id = g.provider_id
ORDER BY h.id DESC
