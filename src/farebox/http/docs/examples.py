"""One example for each call: together a story that runs from the first to the last, which a test has it do.

`$NAMES` are the shell's. `keeps` says which members of the answer later examples go on with.
"""

from farebox.http.docs.credits_examples import CREDITS
from farebox.http.docs.envelopes_examples import ENVELOPES
from farebox.http.docs.example import Example
from farebox.http.docs.people_examples import PEOPLE

_USAGE = {"input_tokens": 1200, "output_tokens": 350}
_AS_PROVIDER = "PROVIDER_KEY"
_QR = {"provider_id": "chat", "provider_username": "grace", "limit": 50000}

STORY: tuple[Example, ...] = (
    Example("operations.health", "/health", key=None),
    Example("operations.ready", "/ready", key=None),
    Example("operations.metrics", "/metrics", key=None),
    Example("organizations.add", "/v1/organizations", {"id": "acme", "name": "Acme Inc."}),
    Example("organizations.list", "/v1/organizations"),
    Example("organizations.get", "/v1/organizations/acme"),
    Example("organizations.change", "/v1/organizations/acme", {"time_zone": "Europe/Berlin"}),
    Example(
        "organizations.add_key",
        "/v1/organizations/acme/keys",
        {"name": "laptop"},
        keeps=(("ORGANIZATION_KEY", "key"), ("KEY_OF_ACME", "id")),
    ),
    Example("organizations.keys", "/v1/organizations/acme/keys"),
    Example("agents.add", "/v1/organizations/acme/agents", {"name": "mail-agent"}),
    Example("agents.allow", "/v1/organizations/acme/agents/mail-agent/allowance", {"limit": 500000000}),
    Example("agents.list", "/v1/organizations/acme/agents"),
    Example(
        "people.add",
        "/v1/people",
        {"email": "ada@example.org"},
        keeps=(("PERSON", "id"), ("PASSWORD", "password")),
    ),
    Example("people.credit", "/v1/people/$PERSON/credits", {"amount": 5000000}, idempotency_key="credit-1"),
    Example("people.get", "/v1/people/$PERSON"),
    Example("people.list", "/v1/people?email=ada@example.org"),
    Example("admin_keys.add", "/v1/keys", {"name": "night shift", "scopes": ["read"]}, keeps=(("KEY", "id"),)),
    Example("admin_keys.list", "/v1/keys"),
    Example("admin_keys.revoke", "/v1/keys/$KEY"),
    Example("assets.list", "/v1/assets"),
    Example("assets.put", "/v1/assets/GEM", {"name": "Gems", "scale": 1000, "usd_price": "0.01"}),
    Example("providers.add", "/v1/providers", {"slug": "chat", "name": "Chat"}),
    Example("providers.change", "/v1/providers/chat", {"verified": True, "markup": "1.2"}),
    Example(
        "providers.add_key",
        "/v1/providers/chat/keys",
        {"name": "server"},
        keeps=(("PROVIDER_KEY", "key"), ("KEY_OF_CHAT", "id")),
    ),
    Example("providers.list", "/v1/providers?limit=20"),
    Example("providers.get", "/v1/providers/chat"),
    Example("providers.keys", "/v1/providers/chat/keys"),
    Example(
        "prices.put",
        "/v1/prices/*/small-1",
        {"asset": "USD", "input_token": "0.0000004", "output_token": "0.0000016"},
    ),
    Example(
        "prices.take_in",
        "/v1/prices/import",
        {"prices": [{"model": "large-1", "asset": "USD", "input_token": "0.000002", "output_token": "0.000008"}]},
    ),
    Example("prices.list", "/v1/prices?limit=20"),
    Example("prices.versions", "/v1/prices/*/small-1"),
    Example("quotes.quote", "/v1/quotes", {"provider": "chat", "model": "small-1", "usage": _USAGE}),
    Example("wallets.add", "/v1/wallets", {"asset": "USD", "owner": "grace"}, keeps=(("WALLET", "id"),)),
    Example(
        "wallets.deposit",
        "/v1/wallets/$WALLET/deposits",
        {"amount": 5000000, "asset": "USD", "source": "bank", "reference": "2026-0042"},
        idempotency_key="deposit-1",
    ),
    Example("wallets.list", "/v1/wallets?owner=grace"),
    Example("wallets.get", "/v1/wallets/$WALLET"),
    Example(
        "connection_requests.open",
        "/v1/connection-requests",
        {"wallet": "$WALLET", "qr": _QR},
        keeps=(("REQUEST", "id"), ("TERMS", "terms")),
    ),
    Example("connection_requests.get", "/v1/connection-requests/$REQUEST"),
    Example("connection_requests.approve", "/v1/connection-requests/$REQUEST/approve", {"terms": "$TERMS"}),
    Example(
        "connection_requests.decline",
        "/v1/connection-requests/$OTHER_REQUEST/decline",
    ),
    Example(
        "wallet_grants.add",
        "/v1/wallets/$WALLET/grants",
        {"provider": "chat", "provider_username": "grace", "limit": 2000000, "charge_limit": 100000},
        keeps=(("GRANT", "id"), ("SESSION_TOKEN", "session_token")),
    ),
    Example("wallet_grants.list", "/v1/wallets/$WALLET/grants"),
    Example("grants.get", "/v1/grants/$GRANT", key=_AS_PROVIDER),
    Example(
        "charges.add",
        "/v1/charges",
        {"session_token": "$SESSION_TOKEN", "model": "small-1", "usage": _USAGE},
        key=_AS_PROVIDER,
        idempotency_key="answer-8731",
        keeps=(("CHARGE", "id"),),
    ),
    Example(
        "charges.add_batch",
        "/v1/charges/batch",
        {
            "charges": [
                {"idempotency_key": "night-1", "session_token": "$SESSION_TOKEN", "amount": 1200},
                {"idempotency_key": "night-2", "session_token": "$SESSION_TOKEN", "amount": 900},
            ]
        },
        key=_AS_PROVIDER,
    ),
    Example("charges.list", "/v1/charges?limit=20", key=_AS_PROVIDER),
    Example("charges.get", "/v1/charges/$CHARGE", key=_AS_PROVIDER),
    Example("charges.explanation", "/v1/charges/$CHARGE/explanation", key=_AS_PROVIDER),
    Example(
        "charges.refund",
        "/v1/charges/$CHARGE/refunds",
        {"amount": 100, "reason": "The answer was cut short."},
        key=_AS_PROVIDER,
        idempotency_key="refund-8731",
    ),
    Example(
        "holds.add",
        "/v1/holds",
        {"session_token": "$SESSION_TOKEN", "amount": 20000, "expires_in_s": 600},
        key=_AS_PROVIDER,
        idempotency_key="job-17",
        keeps=(("HOLD", "id"),),
    ),
    Example("holds.get", "/v1/holds/$HOLD", key=_AS_PROVIDER),
    Example(
        "holds.capture",
        "/v1/holds/$HOLD/capture",
        {"amount": 12500},
        key=_AS_PROVIDER,
        idempotency_key="job-17-done",
    ),
    Example("holds.release", "/v1/holds/$OTHER_HOLD/release", key=_AS_PROVIDER, idempotency_key="job-18-cancelled"),
    Example(
        "usage_records.add",
        "/v1/usage-records",
        {"wallet": "$WALLET", "provider": "chat", "model": "small-1", "usage": _USAGE},
        idempotency_key="backfill-1",
    ),
    Example(
        "transfers.add",
        "/v1/transfers",
        {"from_wallet": "$WALLET", "to_wallet": "$OTHER_WALLET", "amount": 250000},
        idempotency_key="allowance-11",
    ),
    Example(
        "envelopes.add",
        "/v1/envelopes",
        {"name": "API calls", "limit": 10000, "period": "MONTHLY", "reset_day": 1, "organization": "acme"},
        keeps=(("ENVELOPE", "id"),),
    ),
    Example(
        "envelopes.record",
        "/v1/envelopes/$ENVELOPE/records",
        {"amount": 50, "metadata": {"endpoint": "/api/users"}},
        idempotency_key="request-1",
    ),
    Example("envelopes.records", "/v1/envelopes/$ENVELOPE/records?limit=20"),
    Example("envelopes.change", "/v1/envelopes/$ENVELOPE", {"limit": 20000}),
    Example("envelopes.get", "/v1/envelopes/$ENVELOPE"),
    Example("envelopes.windows", "/v1/envelopes/$ENVELOPE/windows"),
    Example("envelopes.list", "/v1/envelopes?organization=acme"),
    Example("limits.look", "/v1/limits?grant=$GRANT&amount=5000"),
    Example("envelopes.delete", "/v1/envelopes/$ENVELOPE"),
    Example("providers.revenue", "/v1/providers/chat/revenue", key=_AS_PROVIDER),
    Example("wallets.history", "/v1/wallets/$WALLET/history?kind=charge"),
    Example("tickets.add", "/v1/wallets/$WALLET/tickets", {}),
    Example("wallets.statement", "/v1/wallets/$WALLET/statement?since=2026-01-01T00:00:00Z"),
    Example("wallets.holds", "/v1/wallets/$WALLET/holds"),
    Example(
        "conxa.status",
        "/conxa/providers/session/status?provider_username=grace",
        key=None,
        headers=("X-Provider-API-Key: $PROVIDER_KEY",),
    ),
    Example(
        "conxa.charge",
        "/conxa/charge/authorize",
        {"model_name": "small-1", "input_tokens": 1200, "output_tokens": 350},
        key=None,
        headers=(
            "X-Provider-API-Key: $PROVIDER_KEY",
            "X-Provider-Session: $SESSION_TOKEN",
            "X-Idempotency-Key: answer-8732",
        ),
    ),
    Example("conxa.wallet", "/conxa/wallet/$WALLET", key=None),
    Example("conxa.health", "/conxa/health", key=None),
    Example(
        "knai.status",
        "/knai/providers/session/status?provider_username=grace",
        key=None,
        headers=("X-Provider-API-Key: $PROVIDER_KEY", "X-Provider-Slug: chat"),
    ),
    Example(
        "knai.charge",
        "/knai/charge/authorize",
        {"amount_tokens": 120, "model": "small-1"},
        key=None,
        headers=(
            "X-Provider-API-Key: $PROVIDER_KEY",
            "X-Provider-Slug: chat",
            "X-Session-Token: $SESSION_TOKEN",
            "Idempotency-Key: answer-8733",
        ),
    ),
    Example("knai.health", "/knai/health", key=None),
    *PEOPLE,
    *ENVELOPES,
    *CREDITS,
    Example("organizations.revoke_key", "/v1/organizations/acme/keys/$KEY_OF_ACME"),
    Example("grants.revoke", "/v1/grants/$GRANT"),
    Example("prices.withdraw", "/v1/prices/*/large-1"),
    Example("providers.revoke_key", "/v1/providers/chat/keys/$KEY_OF_CHAT"),
)

EXAMPLES: dict[str, Example] = {example.operation: example for example in STORY}
"""By operation."""
