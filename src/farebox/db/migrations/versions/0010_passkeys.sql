-- Passkeys: what an authenticator signs in with instead of a password.

CREATE TABLE passkeys (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id     bigint NOT NULL REFERENCES people,
    credential_id bytea NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023),
    public_key    bytea NOT NULL,
    -- Authenticators that count rise with every use; those that don't stay at zero.
    sign_count    bigint NOT NULL CHECK (sign_count >= 0),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    used_at       timestamptz
);

CREATE INDEX passkeys_person ON passkeys (person_id);

-- Challenges that were answered: each is good for one answer, until it is too old for any.
CREATE TABLE answered_challenges (
    challenge  bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
