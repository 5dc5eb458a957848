-- name: park
-- Again is no second row; what keeps it here may have changed, what was used may not.
INSERT INTO parked_usage (stream, record_id, organization_id, model, reason, fingerprint, record)
SELECT :stream, r.record_id, r.organization_id, r.model, r.reason, decode(r.fingerprint, 'hex'), r.record
FROM json_to_recordset(:records::json)
    AS r (record_id text, organization_id text, model text, reason text, fingerprint text, record text)
ORDER BY r.record_id
ON CONFLICT (stream, record_id) DO UPDATE SET reason = excluded.reason
    WHERE parked_usage.fingerprint = excluded.fingerprint
RETURNING record_id

-- name: waiting_models
SELECT DISTINCT model FROM parked_usage WHERE stream = :stream AND reason <> 'unknown_organization' AND dismissed_at IS NULL

-- name: parked_of_models
SELECT record_id, record FROM parked_usage
WHERE stream = :stream AND model = ANY(:models::text[]) AND reason <> 'unknown_organization'
  AND dismissed_at IS NULL AND record_id > :after
ORDER BY record_id LIMIT :limit

-- name: parked_of_organizations
-- Those whose organization is there by now.
SELECT p.record_id, p.record FROM parked_usage p JOIN organizations o ON o.id = p.organization_id
WHERE p.stream = :stream AND p.reason = 'unknown_organization' AND p.dismissed_at IS NULL AND p.record_id > :after
ORDER BY p.record_id LIMIT :limit

-- name: unpark!
DELETE FROM parked_usage WHERE stream = :stream AND record_id = ANY(:record_ids::text[])

-- name: wait_for!
UPDATE parked_usage SET reason = :reason WHERE stream = :stream AND record_id = :record_id AND reason <> :reason

-- name: parked
SELECT reason, model, organization_id, count(*) AS records, min(parked_at) AS since FROM parked_usage
WHERE stream = :stream AND (dismissed_at IS NOT NULL) = :dismissed::boolean
GROUP BY reason, model, organization_id ORDER BY records DESC, model, organization_id LIMIT :limit

-- name: count_parked
SELECT count(*) FROM parked_usage
WHERE stream = :stream AND (dismissed_at IS NOT NULL) = :dismissed::boolean
  AND reason = :reason AND model = :model AND organization_id = :organization_id

-- name: dismiss_parked
WITH done AS (
    UPDATE parked_usage SET dismissed_at = CASE WHEN :dismissed::boolean THEN clock_timestamp() END
    WHERE stream = :stream AND (dismissed_at IS NULL) = :dismissed::boolean
      AND reason = :reason AND model = :model AND organization_id = :organization_id
    RETURNING record_id
)
SELECT count(*) FROM done
