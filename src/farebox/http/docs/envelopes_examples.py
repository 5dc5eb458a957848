"""The part of the story that organizations tell of what they count: an envelope, its usage, a key."""

from farebox.http.docs.example import Example

_AS_ORGANIZATION = "ORGANIZATION_KEY"

ENVELOPES: tuple[Example, ...] = (
    Example("x402tools.health", "/x402tools/health", key=None),
    Example(
        "x402tools.add_envelope",
        "/x402tools/envelopes",
        {"name": "API calls", "limit": 100, "period": "MONTHLY", "resetDay": 1},
        key=_AS_ORGANIZATION,
        keeps=(("CALLS", "id"),),
    ),
    Example(
        "x402tools.record_usage",
        "/x402tools/usage",
        {"envelopeId": "$CALLS", "amount": 60, "metadata": {"endpoint": "/api/users"}},
        key=_AS_ORGANIZATION,
        idempotency_key="request-8735",
    ),
    Example("x402tools.usage", "/x402tools/usage?envelopeId=$CALLS&limit=20", key=_AS_ORGANIZATION),
    Example("x402tools.stats", "/x402tools/usage/stats", key=_AS_ORGANIZATION),
    Example("x402tools.envelopes", "/x402tools/envelopes?limit=20", key=_AS_ORGANIZATION),
    Example("x402tools.envelope", "/x402tools/envelopes/$CALLS", key=_AS_ORGANIZATION),
    Example("x402tools.change_envelope", "/x402tools/envelopes/$CALLS", {"limit": 200}, key=_AS_ORGANIZATION),
    Example("x402tools.delete_envelope", "/x402tools/envelopes/$CALLS", key=_AS_ORGANIZATION),
    Example(
        "x402tools.add_api_key",
        "/x402tools/api-keys",
        {"name": "nightly job"},
        key=_AS_ORGANIZATION,
        keeps=(("KEY_OF_JOB", "id"),),
    ),
    Example("x402tools.api_keys", "/x402tools/api-keys?limit=20", key=_AS_ORGANIZATION),
    Example("x402tools.delete_api_key", "/x402tools/api-keys/$KEY_OF_JOB", key=_AS_ORGANIZATION),
)
