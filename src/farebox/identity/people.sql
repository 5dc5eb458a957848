-- name: add_person
-- A person and the wallet, together or not at all; no row where the wallet's number is taken.
WITH wallet AS (
    INSERT INTO accounts (id, kind, asset, owner) VALUES (:wallet_id, 'wallet', :asset, :email::text)
    ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO people (email, organization, wallet_id, password_hash, welcome_units)
SELECT :person_email::text, :organization::text, id, :password_hash, :welcome_units FROM wallet
RETURNING id, wallet_id, password_version

-- name: person_by_email
-- What can be spent counts holds that have expired as free, though nobody has freed them yet (RULES 18).
SELECT p.id, p.email, p.organization, p.wallet_id, p.password_version, p.welcome_units, p.created_at,
       a.balance - a.held + coalesce((
           SELECT sum(h.amount)::bigint FROM holds h
           WHERE h.wallet_id = a.id AND h.state = 'pending' AND h.expires_at <= clock_timestamp()
       ), 0) AS available
FROM people p JOIN accounts a ON a.id = p.wallet_id WHERE p.email = :email

-- name: person_by_id
SELECT p.id, p.email, p.organization, p.wallet_id, p.password_version, p.welcome_units, p.created_at,
       a.balance - a.held + coalesce((
           SELECT sum(h.amount)::bigint FROM holds h
           WHERE h.wallet_id = a.id AND h.state = 'pending' AND h.expires_at <= clock_timestamp()
       ), 0) AS available
FROM people p JOIN accounts a ON a.id = p.wallet_id WHERE p.id = :id

-- name: people_page
SELECT p.id, p.email, p.organization, p.wallet_id, p.password_version, p.welcome_units, p.created_at,
       a.balance - a.held + coalesce((
           SELECT sum(h.amount)::bigint FROM holds h
           WHERE h.wallet_id = a.id AND h.state = 'pending' AND h.expires_at <= clock_timestamp()
       ), 0) AS available
FROM people p JOIN accounts a ON a.id = p.wallet_id WHERE p.id > :after ORDER BY p.id LIMIT :limit

-- name: secret_of
SELECT id, email, wallet_id, password_version, password_hash, welcome_units FROM people WHERE email = :email

-- name: wallet_of
SELECT wallet_id FROM people WHERE email = :email

-- name: change_password
-- Only from the password that was verified: of two changes at once, one wins.
UPDATE people SET password_hash = :password_hash, password_version = password_version + 1
WHERE id = :id AND password_version = :password_version RETURNING password_version

-- name: sealed
-- Whether a password is still the one; until the caller's transaction ends, it stays so.
SELECT 1 FROM people WHERE id = :id AND password_version = :password_version FOR SHARE

-- name: change_organization!
UPDATE people SET organization = :organization WHERE id = :id

-- name: welcomed!
UPDATE people SET welcome_units = 0 WHERE id = :id
