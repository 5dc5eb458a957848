-- name: assets
SELECT code, name, scale, usd_price FROM assets ORDER BY code

-- name: put_asset
INSERT INTO assets (code, name, scale, usd_price) VALUES (:code, :name, :scale, :usd_price)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, usd_price = excluded.usd_price
    WHERE assets.scale = excluded.scale
RETURNING code

-- name: revision
SELECT revision FROM price_book

-- name: clock
SELECT clock_timestamp()

-- name: lock_book
-- Two imports at once would both find a price missing, and both add it; and of two versions the one that is added last
-- starts last. Charges only read this row.
SELECT revision FROM price_book FOR UPDATE

-- name: book
-- Only versions that can still matter: the newest that has started, of each model, and those to come.
(SELECT DISTINCT ON (provider_id, model) id, provider_id, model, asset, rates::text AS rates, starts_at
 FROM prices WHERE starts_at <= :at
 ORDER BY provider_id, model, starts_at DESC, id DESC)
UNION ALL
SELECT id, provider_id, model, asset, rates::text, starts_at FROM prices WHERE starts_at > :at

-- name: markups
SELECT id, markup_ppm FROM providers

-- name: add_prices
-- What starts in the past starts now: by its own start it could be behind a version that holds, and never hold.
INSERT INTO prices (provider_id, model, asset, rates, starts_at, source, created_by)
SELECT provider_id, model, asset, rates, greatest(starts_at, clock_timestamp()), :source, :created_by
FROM json_to_recordset(:prices::json)
    AS p (provider_id bigint, model text, asset text, rates jsonb, starts_at timestamptz)
RETURNING id

-- name: price
SELECT id, provider_id, model, asset, rates::text AS rates, starts_at, source, created_by, created_at
FROM prices WHERE id = :id

-- name: held
SELECT id, provider_id, model, asset, rates::text AS rates, starts_at, source, created_by, created_at
FROM prices
WHERE provider_id IS NOT DISTINCT FROM :provider_id::bigint AND model = :model AND starts_at <= clock_timestamp()
ORDER BY starts_at DESC, id DESC LIMIT 1

-- name: planned
SELECT DISTINCT starts_at FROM prices
WHERE provider_id IS NOT DISTINCT FROM :provider_id::bigint AND model = :model AND starts_at > clock_timestamp()

-- name: prices_page
-- The version of each model that holds now, of one provider or of the book for all.
SELECT * FROM (
    SELECT DISTINCT ON (model) id, provider_id, model, asset, rates::text AS rates, starts_at, source, created_by,
           created_at
    FROM prices
    WHERE provider_id IS NOT DISTINCT FROM :provider_id::bigint AND starts_at <= clock_timestamp() AND model > :after
    ORDER BY model, starts_at DESC, id DESC
) newest WHERE rates IS NOT NULL ORDER BY model LIMIT :limit

-- name: versions
SELECT id, provider_id, model, asset, rates::text AS rates, starts_at, source, created_by, created_at
FROM prices WHERE provider_id IS NOT DISTINCT FROM :provider_id::bigint AND model = :model
ORDER BY starts_at DESC, id DESC LIMIT :limit

-- name: any_price
SELECT EXISTS (SELECT FROM prices)

-- name: compared
-- What an import is compared with: what holds and what is planned, of one owner. Of equal starts the last added counts.
SELECT * FROM (
    (SELECT DISTINCT ON (model) id, model, asset, rates::text AS rates, starts_at, source, false AS planned
     FROM prices WHERE provider_id IS NOT DISTINCT FROM :provider_id::bigint AND starts_at <= :at
     ORDER BY model, starts_at DESC, id DESC)
    UNION ALL
    SELECT id, model, asset, rates::text, starts_at, source, true FROM prices
    WHERE provider_id IS NOT DISTINCT FROM :provider_id::bigint AND starts_at > :at
) found ORDER BY id
