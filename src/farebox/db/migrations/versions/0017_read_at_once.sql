-- A wallet's transfers by their ids, with many reads of the disk under way at once: they lie on a page each, and a page of a
-- hundred took a hundred reads, one after the other. They are found in the index first, then read in the order of the
-- table, and asked for ahead (a bitmap heap scan). Settings are the function's own, so that nobody's plan is another.
CREATE FUNCTION transfers_at_once(wallet_id bigint, ids bigint[]) RETURNS SETOF transfers
LANGUAGE plpgsql STABLE ROWS 100
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_indexscan = off
AS $$
BEGIN
    RETURN QUERY SELECT * FROM transfers t WHERE t.wallet_id = transfers_at_once.wallet_id AND t.id = ANY (ids);
END $$;
