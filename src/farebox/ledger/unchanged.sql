-- name: post_unchanged
-- See the function, in the migrations: all in one round trip, or nothing.
SELECT first_id, posted_at, version
FROM post_unchanged(
    :wallet_ids::bigint[], :wallet_versions::bigint[], :grant_ids::bigint[], :grant_versions::bigint[],
    :hold_wallets::bigint[], :hold_ids::bigint[], :hold_versions::bigint[],
    :envelope_ids::bigint[], :envelope_versions::bigint[], :credential_ids::bigint[],
    :person_ids::bigint[], :person_versions::bigint[],
    :price_revision::bigint, :envelope_revision::bigint, :decided_at::timestamptz, :before::timestamptz,
    :holding::boolean, :transfer_rows::json, :movement_rows::json, :wallet_rows::json, :grant_rows::json,
    :opened_rows::json, :closed_rows::json, :envelope_rows::json, :event_rows::json)

-- name: read_facts
-- What a batch is decided on, without its locks: the same rows as those of lock_and_load.
SELECT * FROM read_facts(
    :wallet_ids::bigint[], :grant_ids::bigint[], :hold_wallets::bigint[], :hold_ids::bigint[], :envelope_ids::bigint[],
    :draw_wallets::bigint[], :draw_grants::bigint[], :draw_providers::bigint[], :draw_models::text[])
