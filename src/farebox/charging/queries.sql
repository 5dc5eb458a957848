-- name: stored
-- The outcome that a key already stands for.
SELECT fingerprint, id, refusal, amount, available_after, remaining_after, created_at, stopped_by::text AS stopped_by
FROM transfers WHERE client = :client AND key = :key
