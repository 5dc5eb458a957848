-- Sessions of people and administrators who signed in with a browser.

CREATE TABLE web_sessions (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash       bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    -- A person with the password that was verified, or somebody with an API key.
    person_id        bigint REFERENCES people,
    password_version bigint,
    credential_id    bigint REFERENCES api_keys,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at       timestamptz NOT NULL,
    CHECK ((person_id IS NULL) <> (credential_id IS NULL)),
    CHECK ((person_id IS NULL) = (password_version IS NULL))
);

CREATE INDEX web_sessions_expired ON web_sessions (expires_at);
