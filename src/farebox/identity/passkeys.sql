-- name: add_passkey
INSERT INTO passkeys (person_id, credential_id, public_key, sign_count, name)
SELECT :person_id, :credential_id, :public_key, :sign_count, :name
WHERE (SELECT count(*) FROM passkeys WHERE person_id = :owner_id) < :most
ON CONFLICT (credential_id) DO NOTHING RETURNING id

-- name: passkeys_of
SELECT id, credential_id, name, created_at, used_at FROM passkeys WHERE person_id = :person_id ORDER BY id

-- name: remove_passkey
DELETE FROM passkeys WHERE id = :id AND person_id = :person_id RETURNING id

-- name: passkey
SELECT k.id, k.public_key, k.sign_count, p.id AS person_id, p.email, p.wallet_id, p.password_version
FROM passkeys k JOIN people p ON p.id = k.person_id WHERE k.credential_id = :credential_id

-- name: used_passkey
-- Only from the count that was checked: of two uses of one signature at once, one wins.
UPDATE passkeys SET sign_count = :sign_count, used_at = clock_timestamp()
WHERE id = :id AND sign_count = :checked RETURNING id

-- name: answer_challenge
WITH forgotten AS (DELETE FROM answered_challenges WHERE expires_at <= clock_timestamp())
INSERT INTO answered_challenges (challenge, expires_at)
VALUES (:challenge, clock_timestamp() + :ttl_s::bigint * interval '1 second')
ON CONFLICT DO NOTHING RETURNING challenge
