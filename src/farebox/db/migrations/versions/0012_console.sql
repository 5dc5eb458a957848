-- What the console looks at and leaves behind: totals with refunds, audits that were run, forms that were sent.

-- Totals, kept for each way of looking at them, by day and by month: a chart reads the rows of its own kind and no finer
-- ones, so that what it costs grows with days and names and not with charges. They are counted anew from the journal, in
-- the background.
DROP TABLE daily_totals;
CREATE TABLE spend_totals (
    kind          text NOT NULL CHECK (kind IN ('provider', 'model', 'agent', 'provider_model')),
    grain         text NOT NULL CHECK (grain IN ('day', 'month')),
    -- The day, or the first of the month; UTC.
    starts_on     date NOT NULL,
    asset         text NOT NULL REFERENCES assets,
    -- What the kind does not name is 0 or empty; so are agents and models of charges without one.
    provider_id   bigint NOT NULL,
    model         text NOT NULL,
    agent_id      bigint NOT NULL,
    charges       bigint NOT NULL,
    refused       bigint NOT NULL,
    refunds       bigint NOT NULL,
    -- Units of the asset; of many wallets together, so wider than 64 bits. What was charged, and what was given back.
    amount        numeric NOT NULL,
    refunded      numeric NOT NULL,
    input_tokens  numeric NOT NULL,
    output_tokens numeric NOT NULL,
    PRIMARY KEY (kind, provider_id, grain, starts_on, asset, model, agent_id)
);
UPDATE totals_progress SET done = 0, noted = 0, horizon = '0';

-- By this the keeper of totals finds refunds; no charge is in it.
CREATE INDEX transfers_refunds ON transfers (id) WHERE kind = 'refund' AND refusal IS NULL;

-- An audit that somebody has started from a page: how far it is, and what it found.
CREATE TABLE audit_runs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Moves with every check; a run that stands still has died with its process.
    moved_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    checking   text NOT NULL DEFAULT '',
    checked    bigint NOT NULL DEFAULT 0,
    ended_at   timestamptz,
    -- The result as JSON; NULL where it could not be finished.
    report     jsonb
);
-- One at a time: each reads all that there is.
CREATE UNIQUE INDEX audit_runs_open ON audit_runs ((true)) WHERE ended_at IS NULL;

-- Forms of the console that were acted on, by their own keys: sent again, they do nothing.
CREATE TABLE sent_forms (
    key     text PRIMARY KEY,
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX sent_forms_old ON sent_forms (sent_at);
