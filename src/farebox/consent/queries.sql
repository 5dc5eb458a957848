-- name: grant_refs_by_tokens
SELECT g.token_hash, g.id AS grant_id, g.wallet_id, a.asset, g.provider_id
FROM grants g JOIN accounts a ON a.id = g.wallet_id
WHERE g.token_hash = ANY (:token_hashes::bytea[]) AND g.provider_id IS NOT NULL

-- name: grant_ref_by_id
SELECT g.id AS grant_id, g.wallet_id, a.asset, g.provider_id
FROM grants g JOIN accounts a ON a.id = g.wallet_id WHERE g.id = :id AND g.provider_id IS NOT NULL

-- name: end_open_pair!
-- A second approval for the same pair replaces the first.
UPDATE grants SET ended_at = clock_timestamp(), end_reason = 'replaced'
WHERE provider_id = :provider_id AND provider_username = :provider_username AND ended_at IS NULL

-- name: add_grant
INSERT INTO grants (wallet_id, provider_id, provider_username, token_nonce, token_hash, limit_units,
                    charge_limit_units, expires_at, connection_request_id)
VALUES (:wallet_id, :provider_id, :provider_username, :token_nonce, :token_hash, :limit_units,
        :charge_limit_units, clock_timestamp() + :ttl_s::bigint * interval '1 second', :connection_request_id)
RETURNING id

-- name: grant
SELECT g.id, g.wallet_id, a.asset, p.slug AS provider, p.name AS provider_name, g.provider_username, g.limit_units,
       g.charge_limit_units, g.spent, g.held, g.expires_at, g.ended_at, g.end_reason, g.created_at, g.token_nonce,
       clock_timestamp() AS now
FROM grants g JOIN accounts a ON a.id = g.wallet_id JOIN providers p ON p.id = g.provider_id
WHERE g.id = :id

-- name: grants_of_wallet
SELECT g.id, g.wallet_id, a.asset, p.slug AS provider, p.name AS provider_name, g.provider_username, g.limit_units,
       g.charge_limit_units, g.spent, g.held, g.expires_at, g.ended_at, g.end_reason, g.created_at, g.token_nonce,
       clock_timestamp() AS now
FROM grants g JOIN accounts a ON a.id = g.wallet_id JOIN providers p ON p.id = g.provider_id
WHERE g.wallet_id = :wallet_id AND g.id < :before ORDER BY g.id DESC LIMIT :limit

-- name: grants_of_wallet_open_first
-- Those that hold before those that have ended, however many ended later.
SELECT g.id, g.wallet_id, a.asset, p.slug AS provider, p.name AS provider_name, g.provider_username, g.limit_units,
       g.charge_limit_units, g.spent, g.held, g.expires_at, g.ended_at, g.end_reason, g.created_at, g.token_nonce,
       clock_timestamp() AS now
FROM grants g JOIN accounts a ON a.id = g.wallet_id JOIN providers p ON p.id = g.provider_id
WHERE g.wallet_id = :wallet_id
ORDER BY g.ended_at IS NULL AND coalesce(g.expires_at > clock_timestamp(), true) DESC, g.id DESC LIMIT :limit

-- name: revoke_grant
UPDATE grants SET ended_at = clock_timestamp(), end_reason = 'revoked' WHERE id = :id AND ended_at IS NULL RETURNING id

-- name: lock_grant
-- The lock that batches take: no charge is decided between this and the change.
SELECT limit_units, charge_limit_units, spent + held AS used,
       ended_at IS NOT NULL OR coalesce(expires_at <= clock_timestamp(), false) AS ended
FROM grants WHERE id = :id AND provider_id IS NOT NULL FOR NO KEY UPDATE

-- name: narrow_grant!
UPDATE grants SET limit_units = coalesce(:limit_units, limit_units),
                  charge_limit_units = coalesce(:charge_limit_units, charge_limit_units)
WHERE id = :id

-- name: add_request
INSERT INTO connection_requests (provider_id, provider_username, wallet_id, limit_units, grant_ttl_s, expires_at)
VALUES (:provider_id, :provider_username, :wallet_id, :limit_units, :grant_ttl_s,
        clock_timestamp() + :ttl_s::bigint * interval '1 second')
RETURNING id

-- name: open_requests
-- How many requests of one wallet wait for an answer.
SELECT count(*) FROM connection_requests
WHERE wallet_id = :wallet_id AND answer IS NULL AND expires_at > clock_timestamp()

-- name: request
SELECT r.id, r.wallet_id, a.asset, p.slug AS provider, p.name AS provider_name, p.verified AS provider_verified,
       r.provider_username, r.limit_units, r.grant_ttl_s, r.created_at, r.expires_at, r.answered_at, r.answer,
       clock_timestamp() AS now
FROM connection_requests r JOIN accounts a ON a.id = r.wallet_id JOIN providers p ON p.id = r.provider_id
WHERE r.id = :id

-- name: lock_request
SELECT 1 FROM connection_requests WHERE id = :id FOR NO KEY UPDATE

-- name: answer_request!
UPDATE connection_requests SET answer = :answer, answered_at = clock_timestamp() WHERE id = :id AND answer IS NULL

-- name: status
-- The newest of what there is for the pair: an open grant, a request that waits, a grant that has ended lately.
SELECT g.id AS grant_id, g.wallet_id, g.token_nonce, g.expires_at,
       g.id IS NOT NULL AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > clock_timestamp()) AS active,
       least(g.ended_at, g.expires_at) > clock_timestamp() - :visible_s::bigint * interval '1 second' AS lately,
       EXISTS (
           SELECT FROM connection_requests r
           WHERE r.provider_id = :provider_id AND r.provider_username = :provider_username
             AND r.answer IS NULL AND r.expires_at > clock_timestamp()
       ) AS pending
FROM (VALUES (1)) AS one (x)
LEFT JOIN LATERAL (
    SELECT * FROM grants WHERE provider_id = :provider_id AND provider_username = :provider_username
    ORDER BY id DESC LIMIT 1
) g ON true
