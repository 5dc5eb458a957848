-- What the loader's statements share: the formulas of crowd.py once more, for the server to work out. They are plain
-- expressions, so that PostgreSQL writes them out in place; they go with their schema.

CREATE SCHEMA growth;

CREATE TABLE growth.world (
    wallets   bigint NOT NULL,
    transfers bigint NOT NULL,
    busy      bigint NOT NULL,
    heavy     bigint NOT NULL,
    provider  bigint NOT NULL,
    revenue   bigint NOT NULL,
    outside   bigint NOT NULL,
    -- The journal covers the year before this.
    until     timestamptz NOT NULL
);

-- Of a number's first eight digits; the rest of its body is zeros.
CREATE FUNCTION growth.with_check_digit(high bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN
    high * 100000000 + (10 - (
        high % 10 + high / 100 % 10 + high / 10000 % 10 + high / 1000000 % 10
        + high / 10 % 10 * 2 / 10 + high / 10 % 10 * 2 % 10
        + high / 1000 % 10 * 2 / 10 + high / 1000 % 10 * 2 % 10
        + high / 100000 % 10 * 2 / 10 + high / 100000 % 10 * 2 % 10
        + high / 10000000 % 10 * 2 / 10 + high / 10000000 % 10 * 2 % 10
    ) % 10) % 10;

CREATE FUNCTION growth.wallet_id(index bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN
    growth.with_check_digit(10000000 + index * 55623059 % 90000000);

-- A batch of eight takes a block of 4096 numbers.
CREATE FUNCTION growth.transfer_id(n bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN
    1 + n / 8 * 4096 + n % 8;

-- What all charges of a cycle up to one cost: the first 110 units, each ten more than the last.
CREATE FUNCTION growth.charged_in_cycle(place bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN
    100 * place + 5 * place * (place + 1);

-- What a wallet has been charged, and what was paid in, up to the transfer of a rank in it.
CREATE FUNCTION growth.charged(rank bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN
    rank / 64 * growth.charged_in_cycle(63) + growth.charged_in_cycle(rank % 64);
CREATE FUNCTION growth.paid_in(rank bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN
    (rank / 64 + 1) * 1000000000000;

-- How many transfers a wallet of a kind has: there are `moves` of the kind, and its `members` take turns.
CREATE FUNCTION growth.turns(member bigint, members bigint, moves bigint) RETURNS bigint
    IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN moves / members + CASE WHEN member < moves % members THEN 1 ELSE 0 END;

-- How many of the first n transfers are of ordinary wallets, of busy ones, of heavy ones.
CREATE FUNCTION growth.of_kind(n bigint, first bigint, many bigint) RETURNS bigint
    IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN n / 10 * many + greatest(0, least(n % 10 - first, many));

-- Wallets, with the rank of their last transfer; -1 where there is none.
CREATE FUNCTION growth.holders(low bigint, high bigint)
    RETURNS TABLE (index bigint, wallet_id bigint, last_rank bigint)
    STABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT i, growth.wallet_id(i), CASE
        WHEN i < w.heavy THEN growth.turns(i, w.heavy, growth.of_kind(w.transfers, 9, 1))
        WHEN i < w.heavy + w.busy THEN growth.turns(i - w.heavy, w.busy, growth.of_kind(w.transfers, 5, 4))
        ELSE growth.turns(i - w.heavy - w.busy, w.wallets - w.heavy - w.busy, growth.of_kind(w.transfers, 0, 5))
        END - 1
    FROM growth.world w CROSS JOIN LATERAL generate_series(low, high - 1) i
$$;

CREATE FUNCTION growth.moves(low bigint, high bigint)
    RETURNS TABLE (n bigint, index bigint, wallet_id bigint, rank bigint, is_deposit boolean,
                   amount bigint, balance_after bigint, at timestamptz)
    STABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT m.n, m.index, growth.wallet_id(m.index), m.rank, m.rank % 64 = 0,
           CASE WHEN m.rank % 64 = 0 THEN 1000000000000 ELSE 100 + 10 * (m.rank % 64) END,
           growth.paid_in(m.rank) - growth.charged(m.rank),
           m.until - interval '1 year' + interval '1 year' * (m.n::double precision / m.transfers)
    FROM (
        SELECT n, w.transfers, w.until,
               CASE WHEN n % 10 < 5 THEN w.heavy + w.busy + turn % (w.wallets - w.heavy - w.busy)
                    WHEN n % 10 < 9 THEN w.heavy + turn % w.busy ELSE turn % w.heavy END AS index,
               CASE WHEN n % 10 < 5 THEN turn / (w.wallets - w.heavy - w.busy)
                    WHEN n % 10 < 9 THEN turn / w.busy ELSE turn / w.heavy END AS rank
        FROM growth.world w
        CROSS JOIN LATERAL generate_series(low, high - 1) n
        CROSS JOIN LATERAL (SELECT CASE WHEN n % 10 < 5 THEN n / 10 * 5 + n % 10
                                        WHEN n % 10 < 9 THEN n / 10 * 4 + n % 10 - 5 ELSE n / 10 END AS turn OFFSET 0) t
        OFFSET 0
    ) m
$$;
