-- name: owner
-- The number that an organization's records stand under, and its time zone.
SELECT number, zone FROM organizations WHERE id = :organization_id

-- name: now
SELECT clock_timestamp()

-- name: add
INSERT INTO envelopes (organization_id, name, scope, home, counts, asset, limit_units, thresholds, period, reset_day,
                       zone, window_start, window_end, counted_since, person_id)
VALUES (:organization_id, :name, :scope, :home, :counts, :asset, :limit_units, :thresholds, :period, :reset_day,
        :zone, :window_start, :window_end, :window_start, :person_id)
RETURNING id

-- name: get
SELECT to_json(e)::text AS standing, e.scope, e.created_at, e.updated_at, p.slug, clock_timestamp() AS now
FROM envelopes e LEFT JOIN providers p ON e.scope = 'provider:' || p.id WHERE e.id = :id AND e.deleted_at IS NULL

-- name: lock
SELECT to_json(e)::text AS standing, scope, created_at, updated_at, clock_timestamp() AS now
FROM envelopes e WHERE id = :id AND deleted_at IS NULL FOR NO KEY UPDATE

-- name: page
-- Of one organization, newest first.
SELECT to_json(e)::text AS standing, e.scope, e.created_at, e.updated_at, p.slug, clock_timestamp() AS now
FROM envelopes e LEFT JOIN providers p ON e.scope = 'provider:' || p.id
WHERE e.organization_id = :organization_id AND e.id < :before AND e.deleted_at IS NULL AND (:counts::text IS NULL OR e.counts = :counts)
ORDER BY e.id DESC LIMIT :limit

-- name: page_of_all
SELECT to_json(e)::text AS standing, e.scope, e.created_at, e.updated_at, p.slug, clock_timestamp() AS now
FROM envelopes e LEFT JOIN providers p ON e.scope = 'provider:' || p.id
WHERE e.id < :before AND e.deleted_at IS NULL ORDER BY e.id DESC LIMIT :limit

-- name: change!
UPDATE envelopes SET name = :name, limit_units = :limit_units, thresholds = :thresholds, period = :period,
    reset_day = :reset_day, zone = :zone, window_start = :window_start, window_end = :window_end,
    counted_since = :counted_since, used = :used, overrun = :overrun, told = :told, updated_at = clock_timestamp()
WHERE id = :id

-- name: close_window!
INSERT INTO envelope_windows (envelope_id, starts_at, ends_at, limit_units, used)
VALUES (:envelope_id, :starts_at, :ends_at, :limit_units, :used)

-- name: tell!
INSERT INTO outbox (wallet_id, kind, payload, created_at)
VALUES (:wallet_id, :kind, :payload::jsonb, clock_timestamp())

-- name: delete
UPDATE envelopes SET deleted_at = clock_timestamp() WHERE id = :id AND deleted_at IS NULL RETURNING id

-- name: windows
SELECT starts_at, ends_at, limit_units, used FROM envelope_windows
WHERE envelope_id = :envelope_id AND starts_at < :before ORDER BY starts_at DESC LIMIT :limit

-- name: records
-- Of one envelope, newest first.
SELECT id, parent_id AS envelope_id, amount, metadata::text AS metadata, created_at FROM transfers
WHERE wallet_id = :number AND parent_id = :envelope_id AND id < :before AND refusal IS NULL
ORDER BY id DESC LIMIT :limit

-- name: records_of_all
-- Of all of an organization's envelopes, newest first.
SELECT id, parent_id AS envelope_id, amount, metadata::text AS metadata, created_at FROM transfers
WHERE wallet_id = :number AND id < :before AND refusal IS NULL ORDER BY id DESC LIMIT :limit

-- name: totals
-- From what envelopes have counted, never from records: they may be millions.
SELECT coalesce(sum(total), 0)::text AS total, count(*) FILTER (WHERE deleted_at IS NULL) AS count,
       count(*) FILTER (WHERE deleted_at IS NULL AND used > 0 AND window_end > clock_timestamp()) AS active
FROM envelopes WHERE organization_id = :organization_id AND counts = 'usage'
