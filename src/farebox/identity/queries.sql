-- name: key_by_hash
-- A key that is valid now, on the database's clock.
SELECT k.id, k.kind, k.provider_id, k.organization_id, k.scopes, p.slug
FROM api_keys k LEFT JOIN providers p ON p.id = k.provider_id
WHERE k.secret_hash = :secret_hash AND k.revoked_at IS NULL
  AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())

-- name: key_is_valid
SELECT 1 FROM api_keys
WHERE id = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())

-- name: add_key
INSERT INTO api_keys (kind, provider_id, organization_id, name, secret_hash, hint, scopes, expires_at)
VALUES (:kind, :provider_id, :organization_id, :name, :secret_hash, :hint, :scopes, :expires_at)
ON CONFLICT (secret_hash) DO NOTHING
RETURNING id, kind, name, hint, scopes, created_at, expires_at, revoked_at, last_used_at

-- name: admin_keys
SELECT count(*) FROM api_keys WHERE kind = 'admin' AND revoked_at IS NULL

-- name: revoke_other_environment_keys!
-- The key from the environment replaces the one that was there before.
UPDATE api_keys SET revoked_at = clock_timestamp()
WHERE kind = 'admin' AND name = :name AND secret_hash <> :secret_hash AND revoked_at IS NULL

-- name: restore_key!
UPDATE api_keys SET revoked_at = NULL WHERE secret_hash = :secret_hash AND kind = 'admin'

-- name: keys_of
SELECT id, kind, name, hint, scopes, created_at, expires_at, revoked_at, last_used_at FROM api_keys
WHERE kind = :kind AND provider_id IS NOT DISTINCT FROM :provider_id::bigint
  AND organization_id IS NOT DISTINCT FROM :organization_id::text
ORDER BY id DESC

-- name: note_uses!
-- In order, so that two nodes can't deadlock.
UPDATE api_keys k SET last_used_at = clock_timestamp()
FROM (SELECT id FROM api_keys WHERE id = ANY(:ids::bigint[]) ORDER BY id FOR NO KEY UPDATE) u WHERE k.id = u.id

-- name: revoke_key
UPDATE api_keys SET revoked_at = clock_timestamp()
WHERE id = :id AND kind = :kind AND provider_id IS NOT DISTINCT FROM :provider_id::bigint
  AND organization_id IS NOT DISTINCT FROM :organization_id::text AND revoked_at IS NULL
RETURNING id

-- name: end_key_in!
-- Never later than it would have ended anyway.
UPDATE api_keys SET expires_at = least(expires_at, clock_timestamp() + :seconds::bigint * interval '1 second')
WHERE id = :id

-- name: add_provider
INSERT INTO providers (slug, name, verified, markup_ppm) VALUES (:slug, :name, :verified, :markup_ppm)
ON CONFLICT (slug) DO NOTHING
RETURNING id, slug, name, verified, markup_ppm, created_at

-- name: provider_by_slug
SELECT id, slug, name, verified, markup_ppm, created_at FROM providers WHERE slug = :slug

-- name: provider_by_id
SELECT id, slug, name, verified, markup_ppm, created_at FROM providers WHERE id = :id

-- name: change_provider
UPDATE providers SET name = :name, verified = :verified, markup_ppm = :markup_ppm WHERE id = :id
RETURNING id, slug, name, verified, markup_ppm, created_at

-- name: providers_page
SELECT id, slug, name, verified, markup_ppm, created_at FROM providers
WHERE slug > :after ORDER BY slug LIMIT :limit

-- name: add_organization
INSERT INTO organizations (id, name, zone) VALUES (:id, :name, :zone) ON CONFLICT (id) DO NOTHING
RETURNING id, name, zone, created_at

-- name: change_organization!
UPDATE organizations SET name = :name, zone = :zone WHERE id = :id

-- name: organization
SELECT id, name, zone, created_at FROM organizations WHERE id = :id

-- name: organizations_page
SELECT id, name, zone, created_at FROM organizations WHERE id > :after ORDER BY id LIMIT :limit

-- name: note!
INSERT INTO audit_log (actor, action, subject, detail) VALUES (:actor, :action, :subject, :detail::jsonb)
