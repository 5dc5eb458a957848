-- Teams: an organization's credits, the people who belong to it, and the agents that spend for them.

-- The wallet that the organization's own usage is taken from; made when it is first needed.
ALTER TABLE organizations ADD COLUMN credit_wallet_id bigint UNIQUE REFERENCES accounts;

-- Names are the organization's own: two organizations may use the same.
CREATE TABLE members (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id text NOT NULL REFERENCES organizations,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    display_name    text NOT NULL CHECK (length(display_name) <= 200),
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, name)
);

CREATE TABLE agents (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id text NOT NULL REFERENCES organizations,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    member_id       bigint REFERENCES members,
    -- What it may spend of the organization's credits, and has: an allowance is a grant, without a limit at first.
    grant_id        bigint NOT NULL UNIQUE REFERENCES grants,
    metadata        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, name)
);

CREATE INDEX agents_name ON agents (name);

-- Who of the organization it was spent for; which agent has spent it, its grant says.
ALTER TABLE transfers ADD COLUMN member_id bigint;

-- Usage whose price or organization is not known yet: kept until it is. The record is as it came, as JSON.
CREATE TABLE parked_usage (
    stream          text NOT NULL,
    record_id       text NOT NULL,
    organization_id text NOT NULL,
    model           text NOT NULL,
    reason          text NOT NULL,
    fingerprint     bytea NOT NULL CHECK (length(fingerprint) = 16),
    record          text NOT NULL,
    parked_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, record_id)
);

CREATE INDEX parked_usage_model ON parked_usage (stream, model);
CREATE INDEX parked_usage_organization ON parked_usage (organization_id) WHERE reason = 'unknown_organization';
