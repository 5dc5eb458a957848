-- name: ask
INSERT INTO top_up_requests (wallet_id, amount, reason) VALUES (:wallet_id, :amount, :reason)
ON CONFLICT (wallet_id) WHERE answer IS NULL DO NOTHING RETURNING id

-- name: open_of
SELECT r.id, r.wallet_id, r.amount, r.reason, r.created_at, r.answer, r.answered_at, a.asset, a.owner
FROM top_up_requests r JOIN accounts a ON a.id = r.wallet_id WHERE r.wallet_id = :wallet_id AND r.answer IS NULL

-- name: newest_of
SELECT r.id, r.wallet_id, r.amount, r.reason, r.created_at, r.answer, r.answered_at, a.asset, a.owner
FROM top_up_requests r JOIN accounts a ON a.id = r.wallet_id WHERE r.wallet_id = :wallet_id ORDER BY r.id DESC LIMIT 1

-- name: open_all
SELECT r.id, r.wallet_id, r.amount, r.reason, r.created_at, r.answer, r.answered_at, a.asset, a.owner
FROM top_up_requests r JOIN accounts a ON a.id = r.wallet_id WHERE r.answer IS NULL ORDER BY r.id LIMIT :limit

-- name: answer
UPDATE top_up_requests SET answer = :answer, answered_at = clock_timestamp()
WHERE wallet_id = :wallet_id AND answer IS NULL RETURNING id
