-- name: give_up_dead
-- Whoever runs one says so every few seconds: one that is silent has died with its process.
UPDATE audit_runs SET ended_at = clock_timestamp()
WHERE ended_at IS NULL AND moved_at < clock_timestamp() - :silent_s::bigint * interval '1 second'
RETURNING id

-- name: start
INSERT INTO audit_runs (started_by) VALUES (:started_by) ON CONFLICT DO NOTHING RETURNING id

-- name: move!
UPDATE audit_runs SET checking = :checking, checked = :checked, moved_at = clock_timestamp()
WHERE id = :id AND ended_at IS NULL

-- name: end!
UPDATE audit_runs SET ended_at = clock_timestamp(), checked = :checked, report = :report::jsonb
WHERE id = :id AND ended_at IS NULL

-- name: newest
SELECT id, started_by, started_at, ended_at, checking, checked, report::text AS report,
       moved_at < clock_timestamp() - :silent_s::bigint * interval '1 second' AS silent
FROM audit_runs ORDER BY id DESC LIMIT :limit
