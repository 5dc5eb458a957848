-- People ask for money in their wallets; an operator answers by a deposit, or with no.

CREATE TABLE top_up_requests (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    wallet_id   bigint NOT NULL REFERENCES accounts,
    amount      bigint NOT NULL CHECK (amount > 0),
    reason      text NOT NULL CHECK (length(reason) <= 200),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered_at timestamptz,
    answer      text CHECK (answer IN ('paid', 'declined')),
    CHECK ((answered_at IS NULL) = (answer IS NULL))
);

-- One open request a wallet.
CREATE UNIQUE INDEX top_up_requests_open ON top_up_requests (wallet_id) WHERE answer IS NULL;
