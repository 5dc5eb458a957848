-- name: of_wallet
-- Money envelopes on one wallet, its owner's and the operator's, the shortest windows first.
SELECT to_json(e)::text AS standing, e.scope, e.created_at, e.updated_at, NULL AS slug, clock_timestamp() AS now,
       e.person_id IS NOT NULL AS own
FROM envelopes e
WHERE e.owner = '' AND e.scope = 'wallet:' || :wallet_id::bigint AND e.counts = 'money' AND e.deleted_at IS NULL
ORDER BY array_position(ARRAY['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'], e.period), e.id

-- name: own
SELECT id FROM envelopes WHERE person_id = :person_id AND period = :period AND deleted_at IS NULL

-- name: stopped
-- What stopped one ask; `named` where it is a limit of this wallet or of the connection, and not of everybody's.
SELECT t.stopped_by::text AS stopped_by, e.person_id IS NOT NULL AS own,
       e.owner = '' AND e.scope IN ('wallet:' || t.wallet_id, 'grant:' || t.grant_id) AS named
FROM transfers t JOIN envelopes e ON e.id = (t.stopped_by->>'envelope_id')::bigint
WHERE t.wallet_id = :wallet_id::bigint AND t.id = :id
