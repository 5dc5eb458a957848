-- name: claim
INSERT INTO sent_forms (key) VALUES (:key) ON CONFLICT DO NOTHING RETURNING key

-- name: forget!
DELETE FROM sent_forms WHERE key IN (
    SELECT key FROM sent_forms WHERE sent_at < clock_timestamp() - interval '2 days' LIMIT 100 FOR UPDATE SKIP LOCKED
)
