-- name: add_session!
INSERT INTO web_sessions (token_hash, person_id, password_version, credential_id, expires_at)
VALUES (:token_hash, :person_id, :password_version, :credential_id,
        clock_timestamp() + :ttl_s::bigint * interval '1 second')

-- name: person_of_session
-- Only while the password is the one that was verified: another one ends all sessions at once, on every node.
SELECT p.id, p.email, p.wallet_id, p.password_version
FROM web_sessions s JOIN people p ON p.id = s.person_id AND p.password_version = s.password_version
WHERE s.token_hash = :token_hash AND s.expires_at > clock_timestamp()

-- name: key_of_session
-- Only while the key is valid.
SELECT k.id, k.kind, k.provider_id, k.organization_id, k.scopes, p.slug
FROM web_sessions s JOIN api_keys k ON k.id = s.credential_id LEFT JOIN providers p ON p.id = k.provider_id
WHERE s.token_hash = :token_hash AND s.expires_at > clock_timestamp()
  AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())

-- name: end_session!
DELETE FROM web_sessions WHERE token_hash = :token_hash

-- name: forget_expired_sessions!
DELETE FROM web_sessions WHERE id IN (
    SELECT id FROM web_sessions WHERE expires_at <= clock_timestamp() LIMIT 100 FOR UPDATE SKIP LOCKED
)
