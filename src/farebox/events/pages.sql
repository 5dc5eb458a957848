-- name: pages
-- Of the sessions that hold: the newest thing that was asked of the wallet or came into it, and how its connections
-- and limits stand. As in `person_of_session`, another password ends them all.
SELECT s.token_hash, p.wallet_id,
       greatest((SELECT max(e.transfer_id) FROM entries e WHERE e.account_id = p.wallet_id),
                (SELECT max(t.id) FROM transfers t WHERE t.wallet_id = p.wallet_id), 0) AS newest,
       (SELECT row(count(*), max(g.ended_at), count(*) FILTER (WHERE g.expires_at <= clock_timestamp()),
                   sum(g.limit_units), sum(g.charge_limit_units))::text
        FROM grants g WHERE g.wallet_id = p.wallet_id)
       || (SELECT row(count(*), max(e.updated_at))::text FROM envelopes e
           WHERE e.owner = '' AND e.scope = 'wallet:' || p.wallet_id AND e.deleted_at IS NULL) AS connected
FROM web_sessions s JOIN people p ON p.id = s.person_id AND p.password_version = s.password_version
WHERE s.token_hash = ANY(:sessions::bytea[]) AND s.expires_at > clock_timestamp()
