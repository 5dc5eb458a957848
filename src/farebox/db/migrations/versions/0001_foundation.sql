-- The foundation: what is counted, who holds it, what moved, and by whose leave.
--
-- Amounts are bigint units of the asset of the wallet they belong to (RULES 1). Everything that a
-- charge touches carries wallet_id, the payer's wallet, so that the schema can be spread by it (RULES 24).

CREATE TABLE assets (
    code       text PRIMARY KEY CHECK (code ~ '^[A-Z][A-Z0-9]{1,11}$'),
    name       text NOT NULL,
    -- Units per one: 1000000 means six decimals.
    scale      bigint NOT NULL CHECK (scale IN (1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000)),
    -- USD for one, exact; without it the asset converts to nothing else.
    usd_price  numeric(30, 15) CHECK (usd_price > 0 AND usd_price < 'Infinity'),
    created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO assets (code, name, scale, usd_price) VALUES
    ('USD', 'US dollar', 1000000, 1),
    ('TOKEN', 'Wallet token', 1000, 0.00001),
    ('CREDIT', 'Credit', 1000000, 0.01);

CREATE TABLE organizations (
    id         text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$'),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE providers (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- No underscore: a provider key is pk_live_<slug>_<secret> and is read by splitting at it.
    slug        text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,38}$'),
    name        text NOT NULL,
    verified    boolean NOT NULL DEFAULT false,
    -- On top of the price book, in parts per million: 1200000 charges list price plus 20 %.
    markup_ppm  bigint NOT NULL DEFAULT 1000000 CHECK (markup_ppm BETWEEN 0 AND 1000000000),
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- Accounts other than wallets; a wallet's id is its public number of 16 random digits.
CREATE SEQUENCE account_ids;

CREATE TABLE accounts (
    id              bigint PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('wallet', 'revenue', 'external')),
    asset           text NOT NULL REFERENCES assets,
    -- Wallets: posted money, what open holds reserve of it, and how far facts have overdrawn it.
    -- Other accounts: what has been folded in so far; view account_balances has the whole.
    balance         bigint NOT NULL DEFAULT 0,
    held            bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    debt            bigint NOT NULL DEFAULT 0 CHECK (debt >= 0),
    owner           text,
    organization_id text REFERENCES organizations,
    provider_id     bigint REFERENCES providers,
    source          text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (kind <> 'wallet' OR balance - held + debt >= 0),
    CHECK ((kind = 'wallet') = (id >= 1000000000000000)),
    CHECK ((kind = 'revenue') = (provider_id IS NOT NULL)),
    CHECK ((kind = 'external') = (source IS NOT NULL)),
    UNIQUE (provider_id, asset),
    UNIQUE (source, asset)
) WITH (fillfactor = 50);  -- room for updates on the same page: a busy wallet's row changes with every batch

CREATE INDEX accounts_organization ON accounts (organization_id, id) WHERE organization_id IS NOT NULL;

CREATE TABLE api_keys (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('admin', 'provider', 'organization')),
    provider_id     bigint REFERENCES providers,
    organization_id text REFERENCES organizations,
    name            text NOT NULL,
    secret_hash     bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    hint            text NOT NULL,
    scopes          text[] NOT NULL DEFAULT '{read,write}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    revoked_at      timestamptz,
    CHECK ((kind = 'provider') = (provider_id IS NOT NULL)),
    CHECK ((kind = 'organization') = (organization_id IS NOT NULL))
);

CREATE INDEX api_keys_provider ON api_keys (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX api_keys_organization ON api_keys (organization_id) WHERE organization_id IS NOT NULL;

CREATE TABLE connection_requests (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider_id       bigint NOT NULL REFERENCES providers,
    provider_username text NOT NULL CHECK (length(provider_username) BETWEEN 1 AND 320),
    -- The wallet that opened it; only that one can answer it.
    wallet_id         bigint NOT NULL REFERENCES accounts,
    -- What was asked for, in units of the wallet's asset.
    limit_units       bigint CHECK (limit_units > 0),
    grant_ttl_s       bigint CHECK (grant_ttl_s > 0),
    created_at        timestamptz NOT NULL DEFAULT now(),
    expires_at        timestamptz NOT NULL,
    answered_at       timestamptz,
    answer            text CHECK (answer IN ('approved', 'declined')),
    CHECK ((answered_at IS NULL) = (answer IS NULL))
);

CREATE INDEX connection_requests_pair ON connection_requests (provider_id, provider_username, id DESC);
CREATE INDEX connection_requests_wallet ON connection_requests (wallet_id, id DESC);

CREATE TABLE grants (
    id                    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    wallet_id             bigint NOT NULL REFERENCES accounts,
    provider_id           bigint NOT NULL REFERENCES providers,
    provider_username     text NOT NULL CHECK (length(provider_username) BETWEEN 1 AND 320),
    -- The session token is derived from the nonce and the server's secret; only its hash is kept.
    token_nonce           bytea NOT NULL CHECK (length(token_nonce) = 16),
    token_hash            bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    limit_units           bigint CHECK (limit_units > 0),
    charge_limit_units    bigint CHECK (charge_limit_units > 0),
    spent                 bigint NOT NULL DEFAULT 0 CHECK (spent >= 0),
    held                  bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- How far facts, which can not be refused, have passed the limit.
    overrun               bigint NOT NULL DEFAULT 0 CHECK (overrun >= 0),
    expires_at            timestamptz,
    ended_at              timestamptz,
    end_reason            text CHECK (end_reason IN ('revoked', 'replaced')),
    connection_request_id bigint UNIQUE REFERENCES connection_requests,
    created_at            timestamptz NOT NULL DEFAULT now(),
    CHECK (spent + held <= limit_units + overrun),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) WITH (fillfactor = 50);

CREATE UNIQUE INDEX grants_open_pair ON grants (provider_id, provider_username) WHERE ended_at IS NULL;
CREATE INDEX grants_pair ON grants (provider_id, provider_username, id DESC);
CREATE INDEX grants_wallet ON grants (wallet_id, id DESC);

-- The ledger's journal: every request that reached a decision, accepted or refused, once. It is also
-- where idempotency keys live (RULES 8, 9): a row is the key, the fingerprint and the outcome.
CREATE TABLE transfers (
    wallet_id       bigint NOT NULL,
    id              bigint NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('deposit', 'charge', 'hold', 'capture', 'release', 'refund', 'transfer', 'usage')),
    refusal         text,
    -- NULL where nothing moves: holds, releases, refusals.
    debit_account   bigint,
    credit_account  bigint,
    amount          bigint NOT NULL CHECK (amount >= 0),
    grant_id        bigint,
    -- The hold that is captured or released, the charge that is refunded.
    parent_id       bigint,
    available_after bigint NOT NULL,
    remaining_after bigint,
    client          text NOT NULL,
    key             text NOT NULL,
    fingerprint     bytea NOT NULL CHECK (length(fingerprint) IN (0, 16)),  -- 0: the server's own asks
    reference       text,
    note            text,
    -- What was used, for charges, captures and usage: token kinds are disjoint.
    provider_id         bigint,
    model               text,
    input_tokens        bigint CHECK (input_tokens >= 0),
    output_tokens       bigint CHECK (output_tokens >= 0),
    cached_input_tokens bigint CHECK (cached_input_tokens >= 0),
    cache_write_tokens  bigint CHECK (cache_write_tokens >= 0),
    reasoning_tokens    bigint CHECK (reasoning_tokens >= 0),
    calls               bigint CHECK (calls >= 0),
    units               jsonb,
    -- The price version and markup that made the amount; NULL where the amount was given.
    price_id        bigint,
    markup_ppm      bigint,
    -- Units of the wallet's asset for one of the price's, as a fraction; NULL: the same asset.
    conversion      text,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (wallet_id, id),
    UNIQUE (client, key),
    CHECK (debit_account <> credit_account),
    CHECK ((debit_account IS NULL) = (credit_account IS NULL)),
    CHECK (refusal IS NULL OR debit_account IS NULL)
);

-- Money from outside comes in once per source and reference.
CREATE UNIQUE INDEX transfers_reference ON transfers (debit_account, reference)
    WHERE reference IS NOT NULL AND refusal IS NULL;
CREATE INDEX transfers_provider ON transfers (provider_id, id DESC) WHERE provider_id IS NOT NULL;
CREATE INDEX transfers_parent ON transfers (wallet_id, parent_id) WHERE parent_id IS NOT NULL;

-- Two rows for every movement, adding up to zero; never changed (RULES 3).
CREATE TABLE entries (
    account_id    bigint NOT NULL,
    transfer_id   bigint NOT NULL,
    wallet_id     bigint NOT NULL,
    amount        bigint NOT NULL CHECK (amount <> 0),
    -- Wallets only: other accounts are insert-only and folded later (RULES 5).
    balance_after bigint,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, transfer_id, wallet_id)
);

-- What insert-only accounts have received since they were last folded, one row a batch.
CREATE TABLE account_movements (
    account_id  bigint NOT NULL,
    transfer_id bigint NOT NULL,
    amount      bigint NOT NULL,
    PRIMARY KEY (account_id, transfer_id)
);

CREATE TABLE holds (
    wallet_id     bigint NOT NULL,
    id            bigint NOT NULL,
    grant_id      bigint NOT NULL,
    amount        bigint NOT NULL CHECK (amount > 0),
    state         text NOT NULL CHECK (state IN ('pending', 'posted', 'voided')),
    captured      bigint NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND amount),
    void_reason   text CHECK (void_reason IN ('released', 'expired')),
    model         text,
    expires_at    timestamptz NOT NULL,
    created_at    timestamptz NOT NULL,
    closed_at     timestamptz,
    PRIMARY KEY (wallet_id, id),
    CHECK ((state = 'voided') = (void_reason IS NOT NULL)),
    CHECK ((state = 'pending') = (closed_at IS NULL)),
    CHECK (state = 'posted' OR captured = 0)
);

CREATE INDEX holds_pending ON holds (wallet_id, expires_at) WHERE state = 'pending';
CREATE INDEX holds_due ON holds (expires_at) WHERE state = 'pending';

CREATE TABLE prices (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- NULL: for every provider.
    provider_id bigint REFERENCES providers,
    model       text NOT NULL CHECK (length(model) BETWEEN 1 AND 200),
    asset       text NOT NULL REFERENCES assets,
    -- Decimal strings, in the asset, by token kind, unit and call; NULL withdraws the model.
    rates       jsonb,
    starts_at   timestamptz NOT NULL,
    source      text NOT NULL,
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX prices_model ON prices (model, provider_id, starts_at DESC, id DESC);

-- One row; its number moves with every change of a price, a markup or an asset, inside that change.
CREATE TABLE price_book (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    revision bigint NOT NULL
);
INSERT INTO price_book (revision) VALUES (1);

-- How much of a charge was given back; the charge itself, in the journal, never changes.
CREATE TABLE refunds (
    wallet_id bigint NOT NULL,
    charge_id bigint NOT NULL,
    amount    bigint NOT NULL,
    refunded  bigint NOT NULL CHECK (refunded BETWEEN 1 AND amount),
    PRIMARY KEY (wallet_id, charge_id)
);

-- What the outside is to be told; written with its cause, sent after it (RULES 20).
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    wallet_id  bigint NOT NULL,
    kind       text NOT NULL,
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE audit_log (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor      text NOT NULL,
    action     text NOT NULL,
    subject    text NOT NULL,
    detail     jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Facts about this database, such as which secret key its tokens were derived with.
CREATE TABLE installation (
    name  text PRIMARY KEY,
    value text NOT NULL
);

-- A batch takes the block of ids that starts at nextval, under its locks: within one wallet, ids rise.
CREATE SEQUENCE transfer_ids INCREMENT BY 4096;

CREATE VIEW account_balances AS
SELECT a.id, a.kind, a.asset, a.held, a.debt,
       a.balance + coalesce((SELECT sum(m.amount)::bigint FROM account_movements m WHERE m.account_id = a.id), 0) AS balance
FROM accounts a;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: correct it by a reversal', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER prices_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The entries that a statement writes add up to zero, transfer by transfer, or nothing is written.
CREATE FUNCTION check_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_entries GROUP BY wallet_id, transfer_id HAVING sum(amount) <> 0 OR count(*) <> 2
    ) THEN
        RAISE EXCEPTION 'entries do not balance' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entries_balance AFTER INSERT ON entries
    REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT EXECUTE FUNCTION check_entries();

CREATE FUNCTION bump_price_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE price_book SET revision = revision + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER prices_revision AFTER INSERT ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION bump_price_book();
CREATE TRIGGER assets_revision AFTER INSERT OR UPDATE OR DELETE ON assets
    FOR EACH STATEMENT EXECUTE FUNCTION bump_price_book();
CREATE TRIGGER providers_revision AFTER UPDATE OF markup_ppm ON providers
    FOR EACH STATEMENT EXECUTE FUNCTION bump_price_book();
