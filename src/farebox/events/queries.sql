-- name: claim
-- Takes what is to be told by claim, so that a late commit is never skipped (RULES 20), and tells every node that
-- listens: one statement, so both or none. The parts keep below what a notification can carry. It waits for no disk: a
-- claim that is lost with the machine is made again, and readers know what they have heard by its number.
WITH taken AS (
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE id > :floor AND kind = 'balance.changed'
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    RETURNING id, wallet_id, payload, created_at
), parts AS (
    SELECT (row_number() OVER (ORDER BY id) - 1) / 40 AS part, id, json_build_array(
        wallet_id, (payload->>'transfer_id')::bigint, (payload->>'balance')::bigint, (payload->>'held')::bigint,
        (extract(epoch FROM created_at) * 1000000)::bigint) AS change
    FROM taken
), told AS (
    SELECT pg_notify(:channel, json_agg(change ORDER BY id)::text) FROM parts GROUP BY part ORDER BY part
)
SELECT set_config('synchronous_commit', 'off', true),
       (SELECT count(*) FROM taken) AS changes, (SELECT count(*) FROM told) AS notifications,
       (SELECT max(id) FROM taken) AS newest,
       ARRAY(SELECT DISTINCT o.id FROM taken t JOIN organizations o ON o.credit_wallet_id = t.wallet_id) AS organizations

-- name: newest_event
SELECT coalesce(max(id), 0) FROM outbox

-- name: balances
-- With the number of the last transfer: what is told of a batch has a number at least as high, and what is told of a
-- later batch a higher one.
SELECT a.id AS wallet_id,
       greatest((SELECT max(e.transfer_id) FROM entries e WHERE e.account_id = a.id),
                (SELECT max(t.id) FROM transfers t WHERE t.wallet_id = a.id), 0) AS version,
       a.balance, a.held,
       coalesce((SELECT e.created_at FROM entries e WHERE e.account_id = a.id ORDER BY e.transfer_id DESC LIMIT 1),
                a.created_at) AS at
FROM accounts a WHERE a.id = ANY(:wallet_ids::bigint[]) AND a.kind = 'wallet'

-- name: missed
-- The balance after each movement since one; a wallet's own transfers tell what was held then.
SELECT e.transfer_id AS version, e.balance_after AS balance,
       e.balance_after - coalesce(t.available_after, e.balance_after - a.held) AS held, e.created_at AS at
FROM entries e JOIN accounts a ON a.id = e.account_id
LEFT JOIN transfers t ON t.wallet_id = e.account_id AND t.id = e.transfer_id
WHERE e.account_id = :wallet_id AND e.transfer_id > :after ORDER BY e.transfer_id LIMIT :limit

-- name: ended_keys
SELECT id FROM api_keys WHERE id = ANY(:key_ids::bigint[]) AND (revoked_at IS NOT NULL OR expires_at <= clock_timestamp())
