-- name: team
SELECT id AS organization_id, name, credit_wallet_id AS wallet_id, created_at FROM organizations WHERE id = :id

-- name: lock_team
-- What is made once for an organization is made under its row's lock.
SELECT credit_wallet_id FROM organizations WHERE id = :id FOR NO KEY UPDATE

-- name: set_wallet!
UPDATE organizations SET credit_wallet_id = :wallet_id WHERE id = :id

-- name: add_member
INSERT INTO members (organization_id, name, display_name) VALUES (:organization_id, :name, :display_name)
ON CONFLICT (organization_id, name) DO NOTHING
RETURNING id, organization_id, name, display_name, created_at

-- name: member
SELECT id, organization_id, name, display_name, created_at FROM members
WHERE organization_id = :organization_id AND name = :name

-- name: agent
SELECT a.id, a.organization_id, a.name, m.name AS member, a.member_id, a.metadata::text AS metadata,
       g.wallet_id, a.grant_id, a.created_at
FROM agents a JOIN grants g ON g.id = a.grant_id LEFT JOIN members m ON m.id = a.member_id
WHERE a.organization_id = :organization_id AND a.name = :name

-- name: agent_by_id
SELECT a.id, a.organization_id, a.name, m.name AS member, a.member_id, a.metadata::text AS metadata,
       g.wallet_id, a.grant_id, a.created_at
FROM agents a JOIN grants g ON g.id = a.grant_id LEFT JOIN members m ON m.id = a.member_id WHERE a.id = :id

-- name: search_agents
SELECT a.id, a.organization_id, a.name, m.name AS member, g.wallet_id, w.asset, s.scale, g.spent, g.held, g.limit_units,
       g.charge_limit_units, g.expires_at, g.end_reason, coalesce(g.expires_at <= clock_timestamp(), false) AS expired,
       a.created_at
FROM agents a JOIN grants g ON g.id = a.grant_id JOIN accounts w ON w.id = g.wallet_id
JOIN assets s ON s.code = w.asset LEFT JOIN members m ON m.id = a.member_id
WHERE :words::text = '' OR position(lower(:words) IN lower(a.organization_id || '/' || a.name)) > 0
   OR position(lower(:words) IN lower(m.name)) > 0
ORDER BY a.id DESC LIMIT :limit

-- name: members_of
SELECT id, organization_id, name, display_name, created_at FROM members
WHERE organization_id = :organization_id ORDER BY name LIMIT :limit

-- name: agents_named
-- Names are unique within an organization only: of two, the caller has to say which.
SELECT organization_id FROM agents WHERE name = :name LIMIT 2

-- name: add_agent!
INSERT INTO agents (organization_id, name, member_id, grant_id, metadata)
VALUES (:organization_id, :name, :member_id, :grant_id, :metadata::jsonb)

-- name: agents_of
SELECT a.id, a.organization_id, a.name, m.name AS member, a.member_id, a.metadata::text AS metadata,
       g.wallet_id, a.grant_id, a.created_at
FROM agents a JOIN grants g ON g.id = a.grant_id LEFT JOIN members m ON m.id = a.member_id
WHERE a.organization_id = :organization_id AND a.name > :after ORDER BY a.name LIMIT :limit

-- name: end_rivals!
-- Grants that somebody has made natively in the agent's name.
UPDATE grants g SET ended_at = clock_timestamp(), end_reason = 'replaced'
FROM grants own WHERE own.id = :grant_id AND g.id <> own.id AND g.ended_at IS NULL
  AND g.provider_id = own.provider_id AND g.provider_username = own.provider_username

-- name: set_allowance!
-- Narrower than what was spent is no error: what is beyond it shows as overrun. An ended grant is open again.
UPDATE grants SET limit_units = :limit_units, charge_limit_units = :charge_limit_units,
    overrun = greatest(0, spent + held - coalesce(:limit_units::bigint, spent + held)),
    expires_at = clock_timestamp() + :ttl_s::bigint * interval '1 second', ended_at = NULL, end_reason = NULL
WHERE id = :grant_id

-- name: standing
-- Numbers rise with time within an account: the newest entry says when the balance last changed.
SELECT o.id AS organization_id, w.id AS wallet_id, w.balance - w.held AS available, w.debt,
       coalesce((SELECT e.created_at FROM entries e WHERE e.account_id = w.id ORDER BY e.transfer_id DESC LIMIT 1),
                w.created_at) AS updated_at
FROM organizations o JOIN accounts w ON w.id = o.credit_wallet_id WHERE o.id = :organization_id

-- name: standing_of_agent
SELECT w.organization_id, w.id AS wallet_id, w.balance - w.held AS available, w.debt,
       coalesce((SELECT e.created_at FROM entries e WHERE e.account_id = w.id ORDER BY e.transfer_id DESC LIMIT 1),
                w.created_at) AS updated_at,
       a.name AS agent, g.spent, g.limit_units AS allowance, g.held AS reserved,
       g.end_reason IS NOT NULL OR g.expires_at <= clock_timestamp() AS ended
FROM agents a JOIN grants g ON g.id = a.grant_id JOIN accounts w ON w.id = g.wallet_id
WHERE a.organization_id = :organization_id AND a.name = :name
