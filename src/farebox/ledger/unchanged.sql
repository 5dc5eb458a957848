-- name: post_unchanged
-- See the function, in the migrations: all in one round trip, or nothing.
SELECT first_id, posted_at, version
FROM post_unchanged(
    :wallet_ids::bigint[], :wallet_versions::bigint[], :grant_ids::bigint[], :grant_versions::bigint[],
    :credential_ids::bigint[], :book_revision::bigint, :before::timestamptz, :holding::boolean,
    :transfer_rows::json, :movement_rows::json, :wallet_rows::json, :grant_rows::json, :event_rows::json)
