-- What was spent, by day: kept beside the journal, so that a chart over ten million charges reads a few hundred rows.

CREATE TABLE daily_totals (
    day           date NOT NULL,
    provider_id   bigint NOT NULL REFERENCES providers,
    asset         text NOT NULL REFERENCES assets,
    model         text NOT NULL,
    -- 0: no agent.
    agent_id      bigint NOT NULL,
    charges       bigint NOT NULL,
    refused       bigint NOT NULL,
    -- Units of the asset; of many wallets together, so wider than 64 bits.
    amount        numeric NOT NULL,
    input_tokens  numeric NOT NULL,
    output_tokens numeric NOT NULL,
    PRIMARY KEY (day, provider_id, asset, model, agent_id)
);

-- How far the journal is counted: transfers up to `done` are. `noted` can be, when every transaction below `horizon`
-- has ended: then nothing can appear behind it any more (see docs/decisions/0022).
CREATE TABLE totals_progress (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    done    bigint NOT NULL,
    noted   bigint NOT NULL,
    horizon xid8 NOT NULL
);
INSERT INTO totals_progress (done, noted, horizon) VALUES (0, 0, '0');
