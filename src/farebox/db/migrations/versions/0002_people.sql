-- People who pay people: accounts with a password, pending transfers between wallets, delegated grants.

CREATE TABLE people (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Normalised; two spellings of one address are one person.
    email            text NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    organization     text CHECK (length(organization) <= 200),
    wallet_id        bigint NOT NULL UNIQUE REFERENCES accounts,
    password_hash    text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    -- Moves with every change of the password: what was verified with another one counts no more, on any node.
    password_version bigint NOT NULL DEFAULT 1,
    -- The initial credit, as long as it is not in the wallet yet.
    welcome_units    bigint NOT NULL DEFAULT 0 CHECK (welcome_units >= 0),
    created_at       timestamptz NOT NULL DEFAULT now()
);

-- A hold for another wallet is a pending transfer. No foreign keys on the other wallet: it may live elsewhere (RULES 24).
ALTER TABLE holds
    ALTER COLUMN grant_id DROP NOT NULL,
    ADD COLUMN to_wallet_id bigint,
    ADD COLUMN asked_by     text CHECK (asked_by IN ('sender', 'recipient')),
    ADD COLUMN closed_by    text CHECK (closed_by IN ('sender', 'recipient')),
    ADD COLUMN app_name     text,
    ADD COLUMN app_path     text,
    ADD CONSTRAINT holds_for_somebody CHECK (grant_id IS NOT NULL OR to_wallet_id IS NOT NULL),
    ADD CONSTRAINT holds_for_another CHECK (to_wallet_id <> wallet_id),
    ADD CONSTRAINT holds_asked_by CHECK ((to_wallet_id IS NULL) = (asked_by IS NULL)),
    ADD CONSTRAINT holds_delegated CHECK (to_wallet_id IS NULL OR (asked_by = 'recipient') = (grant_id IS NOT NULL));

CREATE INDEX holds_to_wallet ON holds (to_wallet_id, id) WHERE to_wallet_id IS NOT NULL;
CREATE INDEX holds_grant ON holds (grant_id) WHERE to_wallet_id IS NOT NULL AND grant_id IS NOT NULL;

-- A grant is for a provider, or for another wallet's owner: a delegation.
ALTER TABLE grants
    ALTER COLUMN provider_id DROP NOT NULL,
    ALTER COLUMN provider_username DROP NOT NULL,
    ALTER COLUMN token_nonce DROP NOT NULL,
    ADD COLUMN recipient_wallet_id bigint,
    -- The grants that this one was made from, the nearest first: what is drawn on it counts on all of them.
    ADD COLUMN lineage  bigint[] CHECK (cardinality(lineage) BETWEEN 1 AND 8),
    -- The services that it is good for; NULL: any.
    ADD COLUMN services text[] CHECK (cardinality(services) BETWEEN 1 AND 100),
    ADD CONSTRAINT grants_for_one CHECK ((provider_id IS NULL) = (recipient_wallet_id IS NOT NULL)),
    ADD CONSTRAINT grants_provider CHECK (num_nulls(provider_id, provider_username, token_nonce) IN (0, 3)),
    ADD CONSTRAINT grants_delegated CHECK (recipient_wallet_id <> wallet_id),
    ADD CONSTRAINT grants_lineage CHECK (lineage IS NULL OR (provider_id IS NULL AND NOT id = ANY(lineage)));

CREATE INDEX grants_recipient ON grants (recipient_wallet_id, id DESC) WHERE recipient_wallet_id IS NOT NULL;
