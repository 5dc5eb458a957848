-- name: due_wallets
SELECT DISTINCT wallet_id FROM holds WHERE state = 'pending' AND expires_at <= clock_timestamp() LIMIT :limit

-- name: fold
-- Takes credits by claim, so that several nodes can fold at once and a late commit is never skipped.
WITH taken AS (
    DELETE FROM account_movements m USING (
        SELECT account_id, transfer_id FROM account_movements
        ORDER BY account_id, transfer_id FOR UPDATE SKIP LOCKED LIMIT :limit
    ) c
    WHERE m.account_id = c.account_id AND m.transfer_id = c.transfer_id
    RETURNING m.account_id, m.amount
), sums AS (
    SELECT account_id, sum(amount) AS amount FROM taken GROUP BY account_id
), locked AS (
    SELECT id FROM accounts WHERE id IN (SELECT account_id FROM sums) ORDER BY id FOR NO KEY UPDATE
), folded AS (
    UPDATE accounts a SET folded = coalesce(a.folded, 0) + s.amount
    FROM sums s JOIN locked l ON l.id = s.account_id WHERE a.id = s.account_id RETURNING 1
)
SELECT count(*) = :limit FROM taken

-- name: forget_events
-- The oldest are looked at and no others, else all that is kept would be read each time to find that nothing is old. More
-- than these may be old: then true.
WITH old AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE id = ANY(ARRAY(SELECT id FROM outbox ORDER BY id LIMIT :limit))
      AND created_at < clock_timestamp() - :keep_s::bigint * interval '1 second'
    FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM old)) RETURNING 1
)
SELECT count(*) = :limit FROM forgotten
