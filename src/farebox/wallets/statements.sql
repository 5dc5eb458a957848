-- name: span
-- Between which numbers the movements of a period lie: above the one, up to the other. Within a wallet numbers rise with
-- time, so each end is found by halving: some thirty looks by key, however long the history is, and none where the
-- period reaches beyond it.
WITH RECURSIVE oldest AS (
    SELECT created_at FROM entries WHERE account_id = :account_id ORDER BY transfer_id LIMIT 1
), newest AS (
    SELECT transfer_id, created_at FROM entries WHERE account_id = :account_id ORDER BY transfer_id DESC LIMIT 1
), search (side, at, low, high) AS (
    -- What has a number up to `low` was before the time; what has one above `high` was not.
    SELECT s.side, s.at, CASE WHEN n.created_at < s.at THEN n.transfer_id ELSE 0 END,
           CASE WHEN o.created_at >= s.at THEN 0 ELSE n.transfer_id END
    FROM (VALUES ('after', :since::timestamptz), ('up_to', :until::timestamptz)) AS s (side, at)
    CROSS JOIN oldest o CROSS JOIN newest n
    UNION ALL
    SELECT s.side, s.at, CASE WHEN p.created_at < s.at THEN p.transfer_id ELSE s.low END,
           CASE WHEN p.created_at < s.at THEN s.high ELSE (s.low + s.high) / 2 END
    FROM search s LEFT JOIN LATERAL (
        SELECT transfer_id, created_at FROM entries
        WHERE account_id = :account_id AND transfer_id > (s.low + s.high) / 2 AND transfer_id <= s.high
        ORDER BY transfer_id LIMIT 1
    ) p ON true
    WHERE s.low < s.high
)
SELECT coalesce(max(low) FILTER (WHERE side = 'after'), 0) AS after,
       coalesce(max(low) FILTER (WHERE side = 'up_to'), 0) AS up_to
FROM search WHERE low >= high

-- name: newest
-- The number of a wallet's newest movement, 0 where there is none.
SELECT coalesce(max(transfer_id), 0) AS up_to FROM entries WHERE account_id = :account_id

-- name: entries
-- Newest first. The page is cut before anything is looked up for it: estimates of the whole join know no better than to
-- read all of a wallet's history, and then to cut. Which movements are on it is told by the key's index alone, and the
-- wallet's own are read from the journal at once (ADR 0032); what others have sent stands in theirs. So no entry is read
-- but the newest, for its balance: the others' are what the amounts above them leave, as the audit proves.
WITH page AS MATERIALIZED (
    SELECT transfer_id, wallet_id FROM entries
    WHERE account_id = :account_id AND transfer_id > :after AND transfer_id < :before
    ORDER BY transfer_id DESC LIMIT :limit
), newest AS MATERIALIZED (
    SELECT balance_after FROM entries
    WHERE account_id = :account_id AND transfer_id = (SELECT max(transfer_id) FROM page)
), journal AS MATERIALIZED (
    SELECT * FROM transfers_at_once(:account_id, ARRAY(SELECT transfer_id FROM page WHERE wallet_id = :account_id))
    UNION ALL
    SELECT t.* FROM page JOIN transfers t ON t.wallet_id = page.wallet_id AND t.id = page.transfer_id
    WHERE page.wallet_id <> :account_id
), moved AS (
    SELECT *, CASE WHEN debit_account = :account_id THEN -amount ELSE amount END AS change,
           CASE WHEN debit_account = :account_id THEN credit_account ELSE debit_account END AS other
    FROM journal
), others AS MATERIALIZED (
    SELECT o.id, coalesce(p.slug, o.source, o.id::text) AS name
    FROM (SELECT DISTINCT other FROM moved) AS d
    CROSS JOIN LATERAL (SELECT id, provider_id, source FROM accounts WHERE id = d.other OFFSET 0) AS o
    LEFT JOIN providers p ON p.id = o.provider_id
)
SELECT m.id AS transfer_id, m.kind, m.change AS amount,
       (n.balance_after - coalesce(sum(m.change) OVER above, 0))::bigint AS balance_after,
       o.name AS counterpart, m.model, m.note, m.reference, m.created_at
FROM moved m
CROSS JOIN newest n
JOIN others o ON o.id = m.other
WINDOW above AS (ORDER BY m.id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
ORDER BY m.id DESC

-- name: period
-- What a wallet had before a period and what moved in it. What went out is what is missing; what came in is summed, by
-- an index that has nothing else. Movements are counted from the nearest mark; `unmarked` is how many that were.
SELECT b.opening, i.money_in, b.opening + i.money_in - b.closing AS money_out, c.entries, c.unmarked
FROM (
    SELECT coalesce((SELECT balance_after FROM entries WHERE account_id = :account_id AND transfer_id <= :after
                     ORDER BY transfer_id DESC LIMIT 1), 0) AS opening,
           coalesce((SELECT balance_after FROM entries WHERE account_id = :account_id AND transfer_id <= :up_to
                     ORDER BY transfer_id DESC LIMIT 1), 0) AS closing
) b
CROSS JOIN (
    SELECT coalesce(sum(amount), 0) AS money_in FROM entries
    WHERE account_id = :account_id AND transfer_id > :after AND transfer_id <= :up_to
      AND amount > 0 AND balance_after IS NOT NULL
) i
CROSS JOIN (
    SELECT max(m.entries + n.entries) - min(m.entries + n.entries) AS entries, max(n.entries) AS unmarked
    FROM (VALUES (:after::bigint), (:up_to::bigint)) AS x (number)
    CROSS JOIN LATERAL (
        SELECT transfer_id, entries FROM (
            (SELECT transfer_id, entries FROM entry_marks
             WHERE account_id = :account_id AND transfer_id <= x.number ORDER BY transfer_id DESC LIMIT 1)
            UNION ALL SELECT 0, 0
        ) one ORDER BY transfer_id DESC LIMIT 1
    ) m
    CROSS JOIN LATERAL (
        SELECT count(*) AS entries FROM entries
        WHERE account_id = :account_id AND transfer_id > m.transfer_id AND transfer_id <= x.number
    ) n
) c

-- name: mark!
-- Counts a wallet's movements from its newest mark on, and marks every so many. What is counted never changes, and
-- nothing can come in between: a wallet's numbers are taken under its lock.
INSERT INTO entry_marks (account_id, transfer_id, entries)
SELECT :account_id, transfer_id, counted FROM (
    SELECT e.transfer_id, m.entries + row_number() OVER (ORDER BY e.transfer_id) AS counted
    FROM (
        (SELECT transfer_id, entries FROM entry_marks WHERE account_id = :account_id ORDER BY transfer_id DESC LIMIT 1)
        UNION ALL SELECT 0, 0 LIMIT 1
    ) m
    JOIN entries e ON e.account_id = :account_id AND e.transfer_id > m.transfer_id
) numbered
WHERE counted % :every = 0
ON CONFLICT DO NOTHING
