-- name: payment
-- One that the asking wallet is a side of: by the number within its own, or within what was sent to it.
SELECT h.wallet_id, h.id, h.grant_id, g.lineage, h.to_wallet_id, s.email AS sender, r.email AS recipient, h.asked_by,
       h.closed_by, h.amount, h.state, h.void_reason, h.app_name, h.app_path, h.created_at, h.expires_at, h.closed_at,
       clock_timestamp() AS now
FROM (
    (SELECT * FROM holds WHERE wallet_id = :wallet_id AND id = :id AND to_wallet_id IS NOT NULL)
    UNION ALL
    (SELECT * FROM holds WHERE to_wallet_id = :wallet_id AND id = :id)
) h
JOIN people s ON s.wallet_id = h.wallet_id JOIN people r ON r.wallet_id = h.to_wallet_id
LEFT JOIN grants g ON g.id = h.grant_id

-- name: payments_of
-- Both sides of a wallet, newest first: the newest of each side, then the newest of these.
SELECT h.wallet_id, h.id, h.grant_id, NULL::bigint[] AS lineage, h.to_wallet_id, s.email AS sender,
       r.email AS recipient, h.asked_by, h.closed_by, h.amount, h.state, h.void_reason, h.app_name, h.app_path,
       h.created_at, h.expires_at, h.closed_at, clock_timestamp() AS now
FROM (
    (SELECT * FROM holds WHERE wallet_id = :wallet_id AND to_wallet_id IS NOT NULL ORDER BY id DESC LIMIT :limit)
    UNION ALL
    (SELECT * FROM holds WHERE to_wallet_id = :wallet_id ORDER BY id DESC LIMIT :limit)
) h
JOIN people s ON s.wallet_id = h.wallet_id JOIN people r ON r.wallet_id = h.to_wallet_id
ORDER BY h.created_at DESC, h.id DESC LIMIT :limit

-- name: draws
-- What counts on each of some delegations: drawn on it, or on one that was made from it. Newest first.
WITH counted AS (
    SELECT asked.id AS counted_on, drawn.id AS grant_id
    FROM grants asked
    JOIN grants drawn ON drawn.wallet_id = asked.wallet_id AND (drawn.id = asked.id OR asked.id = ANY(drawn.lineage))
    WHERE asked.id = ANY(:grant_ids::bigint[])
)
SELECT c.counted_on, h.wallet_id, h.id, h.grant_id, NULL::bigint[] AS lineage, h.to_wallet_id, s.email AS sender,
       r.email AS recipient, h.asked_by, h.closed_by, h.amount, h.state, h.void_reason, h.app_name, h.app_path,
       h.created_at, h.expires_at, h.closed_at, clock_timestamp() AS now
FROM counted c
JOIN holds h ON h.grant_id = c.grant_id AND h.to_wallet_id IS NOT NULL
JOIN people s ON s.wallet_id = h.wallet_id JOIN people r ON r.wallet_id = h.to_wallet_id
ORDER BY h.id DESC LIMIT :limit
