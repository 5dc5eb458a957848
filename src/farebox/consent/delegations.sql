-- name: delegation_by_token
SELECT id AS grant_id, wallet_id, recipient_wallet_id, lineage, services
FROM grants WHERE token_hash = :token_hash AND recipient_wallet_id IS NOT NULL

-- name: delegation_to_narrow
-- A delegation whose holder wants to give a part of it away, with the state of all that it was made from.
SELECT g.id AS grant_id, g.wallet_id, g.recipient_wallet_id, g.lineage, g.services, g.limit_units, g.charge_limit_units,
       ceil(extract(epoch FROM least(g.expires_at, above.expires_at) - clock_timestamp()))::bigint AS left_s,
       g.ended_at IS NOT NULL OR coalesce(above.ended, false) AS ended
FROM grants g
CROSS JOIN LATERAL (
    SELECT min(a.expires_at) AS expires_at, bool_or(a.ended_at IS NOT NULL) AS ended
    FROM grants a WHERE a.id = ANY(g.lineage)
) above
WHERE g.token_hash = :token_hash AND g.recipient_wallet_id IS NOT NULL

-- name: add_delegation
INSERT INTO grants (wallet_id, recipient_wallet_id, token_hash, limit_units, charge_limit_units, lineage, services,
                    expires_at)
VALUES (:wallet_id, :recipient_wallet_id, :token_hash, :limit_units, :charge_limit_units, :lineage::bigint[],
        :services::text[], clock_timestamp() + :ttl_s::bigint * interval '1 second')
RETURNING id

-- name: delegations_of
-- Those on a wallet, and those that its owner made from others' for somebody else; newest first.
SELECT g.id, g.wallet_id, s.email AS sender, r.email AS recipient, g.lineage[1] AS parent_id, g.limit_units,
       g.charge_limit_units, g.spent, g.held, g.services, g.expires_at, g.ended_at, g.created_at,
       clock_timestamp() AS now
FROM (
    SELECT own.* FROM grants own WHERE own.wallet_id = :wallet_id
    UNION ALL
    SELECT part.* FROM grants held JOIN grants part ON part.wallet_id = held.wallet_id AND part.lineage[1] = held.id
    WHERE held.recipient_wallet_id = :wallet_id
) g
JOIN people s ON s.wallet_id = g.wallet_id JOIN people r ON r.wallet_id = g.recipient_wallet_id
WHERE g.id < :before ORDER BY g.id DESC LIMIT :limit

-- name: delegations_of_open_first
-- The same, those that hold before those that have ended, however many ended later.
SELECT g.id, g.wallet_id, s.email AS sender, r.email AS recipient, g.lineage[1] AS parent_id, g.limit_units,
       g.charge_limit_units, g.spent, g.held, g.services, g.expires_at, g.ended_at, g.created_at,
       clock_timestamp() AS now
FROM (
    SELECT own.* FROM grants own WHERE own.wallet_id = :wallet_id
    UNION ALL
    SELECT part.* FROM grants held JOIN grants part ON part.wallet_id = held.wallet_id AND part.lineage[1] = held.id
    WHERE held.recipient_wallet_id = :wallet_id
) g
JOIN people s ON s.wallet_id = g.wallet_id JOIN people r ON r.wallet_id = g.recipient_wallet_id
ORDER BY g.ended_at IS NULL AND coalesce(g.expires_at > clock_timestamp(), true) DESC, g.id DESC LIMIT :limit

-- name: revoke_delegation
-- By the payer, or by the one who made it from his own.
UPDATE grants g SET ended_at = coalesce(g.ended_at, clock_timestamp()), end_reason = coalesce(g.end_reason, 'revoked')
WHERE g.id = :id AND g.recipient_wallet_id IS NOT NULL
  AND (g.wallet_id = :wallet_id
       OR EXISTS (SELECT FROM grants p WHERE p.id = g.lineage[1] AND p.recipient_wallet_id = :wallet_id))
RETURNING g.id
