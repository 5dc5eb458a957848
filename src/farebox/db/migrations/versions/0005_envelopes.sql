-- Limits over windows of time: envelopes, their history, and what the journal keeps of them.

-- An organization counts usage that belongs to no wallet: in the journal it stands under a number of its own, from
-- the sequence of the accounts that are no wallets, so that no account has the same.
ALTER TABLE organizations
    ADD COLUMN number bigint NOT NULL DEFAULT nextval('account_ids') UNIQUE,
    ADD COLUMN zone   text NOT NULL DEFAULT 'UTC';

CREATE TABLE envelopes (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Whose it is; NULL: the operator's, which applies whoever pays.
    organization_id text REFERENCES organizations,
    owner           text NOT NULL GENERATED ALWAYS AS (coalesce(organization_id, '')) STORED,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- What it applies to: all, wallet:<id>, grant:<id>, provider:<id>, model:<name>; NULL: what is recorded on it.
    scope           text CHECK (scope ~ '^(all$|(wallet|grant|provider):[0-9]+$|model:)'),
    -- The account number that its events are filed under: the wallet's, the organization's, 0 for the operator.
    home            bigint NOT NULL,
    counts          text NOT NULL CHECK (counts IN ('usage', 'money')),
    asset           text REFERENCES assets,
    limit_units     bigint NOT NULL CHECK (limit_units > 0),
    -- In percent of the limit.
    thresholds      smallint[] NOT NULL CHECK (1 <= ALL (thresholds) AND 1000 >= ALL (thresholds)),
    period          text NOT NULL CHECK (period IN ('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY')),
    reset_day       smallint CHECK (reset_day BETWEEN 1 AND CASE period WHEN 'WEEKLY' THEN 7 WHEN 'MONTHLY' THEN 31
                                                                        WHEN 'YEARLY' THEN 366 ELSE 0 END),
    zone            text NOT NULL,
    -- The window that was used last; a later one begins with what is used in it.
    window_start    timestamptz NOT NULL,
    window_end      timestamptz NOT NULL,
    counted_since   timestamptz NOT NULL,
    used            bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    held            bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- How far facts, and a limit that was lowered, have taken it past its limit.
    overrun         bigint NOT NULL DEFAULT 0 CHECK (overrun >= 0),
    told            smallint NOT NULL DEFAULT 0,
    -- All that was ever counted: what statistics are answered from.
    total           bigint NOT NULL DEFAULT 0 CHECK (total >= 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz,
    CHECK ((counts = 'money') = (asset IS NOT NULL)),
    CHECK (counts = 'usage' OR scope IS NOT NULL),
    CHECK (window_start < window_end AND counted_since < window_end),
    CHECK (used::numeric + held <= limit_units::numeric + overrun)
) WITH (fillfactor = 50);

CREATE INDEX envelopes_scope ON envelopes (owner, scope) WHERE scope IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX envelopes_owner ON envelopes (owner, id DESC);

-- Windows that are over, and in which something was used.
CREATE TABLE envelope_windows (
    envelope_id bigint NOT NULL REFERENCES envelopes,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    limit_units bigint NOT NULL,
    used        bigint NOT NULL CHECK (used > 0),
    PRIMARY KEY (envelope_id, starts_at),
    CHECK (starts_at < ends_at)
);

ALTER TABLE transfers
    DROP CONSTRAINT transfers_kind_check,
    ADD CONSTRAINT transfers_kind_check CHECK (kind IN (
        'deposit', 'charge', 'hold', 'capture', 'release', 'refund', 'transfer', 'usage', 'record')),
    -- The envelopes that it was counted on, reserved in or freed from.
    ADD COLUMN envelope_ids bigint[] CHECK (cardinality(envelope_ids) > 0),
    -- The envelope that refused it, as it stood.
    ADD COLUMN stopped_by   jsonb,
    ADD COLUMN metadata     jsonb,
    ADD CONSTRAINT transfers_stopped_by CHECK (
        coalesce(refusal = 'envelope_limit_exceeded', false) = (stopped_by IS NOT NULL)),
    ADD CONSTRAINT transfers_metadata CHECK (metadata IS NULL OR kind = 'record');

ALTER TABLE holds
    ADD COLUMN usage_units  bigint NOT NULL DEFAULT 0 CHECK (usage_units >= 0),
    ADD COLUMN envelope_ids bigint[] CHECK (cardinality(envelope_ids) > 0);

-- With the number, so that the records of an envelope are read newest first.
DROP INDEX transfers_parent;
CREATE INDEX transfers_parent ON transfers (wallet_id, parent_id, id) WHERE parent_id IS NOT NULL;
