"""Which errors an operation can answer with. The document and the docs tell it; schemathesis holds the server to it."""

from farebox.http.openapi.codes import CODES
from farebox.http.openapi.operations import Operation

_ALWAYS = (
    "bad_request",
    "repeated_parameter",
    "secret_in_query",
    "invalid_api_key",
    "scope_missing",
    "rate_limited",
    "internal_error",
    "database_away",
)
_WITH_A_BODY = ("malformed_json", "too_large", "unsupported_media_type", "invalid_request")
_KEYED = ("idempotency_key_missing", "idempotency_key_invalid", "idempotency_key_reused")
_LEDGER = ("unavailable", "overloaded", "outcome_unknown", "broken_invariant")
_PRICED = ("unknown_model", "not_priced", "not_convertible", "amount_too_large")
_DRAW = (
    *_PRICED,
    "providers_only",
    "wallet_unknown",
    "grant_unknown",
    "grant_revoked",
    "grant_replaced",
    "grant_expired",
    "asset_mismatch",
    "charge_limit_exceeded",
    "grant_limit_exceeded",
    "envelope_limit_exceeded",
    "insufficient_balance",
)
_OPEN_HOLD = ("hold_unknown", "hold_closed", "hold_expired")

OWN: dict[str, tuple[str, ...]] = {
    "admin_keys.add": ("admin_only",),
    "admin_keys.list": ("admin_only",),
    "admin_keys.revoke": ("admin_only", "own_key"),
    "agents.add": (),
    "agents.allow": ("conflict",),
    "agents.list": (),
    "assets.list": (),
    "assets.put": ("admin_only",),
    "charges.add": _DRAW,
    "charges.add_batch": (),
    "charges.explanation": (),
    "charges.get": (),
    "charges.list": ("not_found",),
    "charges.refund": ("charge_unknown", "refund_exceeds_charge", "amount_overflow"),
    "connection_requests.approve": (
        "terms_changed",
        "already_answered",
        "request_expired",
        "wider_than_asked",
        "conflict",
    ),
    "connection_requests.decline": ("already_answered", "request_expired"),
    "connection_requests.get": (),
    "connection_requests.open": ("not_found", "unknown_provider"),
    "envelopes.add": ("unknown_provider", "admin_only", "not_found"),
    "envelopes.change": (),
    "envelopes.delete": (),
    "envelopes.get": (),
    "envelopes.list": ("not_found",),
    "envelopes.record": ("envelope_unknown", "envelope_limit_exceeded"),
    "envelopes.records": (),
    "envelopes.windows": (),
    "grants.get": (),
    "grants.revoke": (),
    "holds.add": _DRAW,
    "holds.capture": (*_OPEN_HOLD, *_PRICED, "capture_exceeds_hold"),
    "holds.get": (),
    "holds.release": _OPEN_HOLD,
    "limits.look": (*_PRICED, "not_found"),
    "organizations.add": ("admin_only",),
    "organizations.add_key": ("admin_only",),
    "organizations.change": ("admin_only",),
    "organizations.get": (),
    "organizations.keys": (),
    "organizations.list": ("admin_only",),
    "organizations.revoke_key": (),
    "people.add": ("admin_only", "email_taken", "overloaded"),
    "people.credit": ("admin_only", "amount_overflow"),
    "people.get": ("admin_only",),
    "people.list": ("admin_only",),
    "prices.list": ("not_found",),
    "prices.put": ("admin_only",),
    "prices.take_in": ("admin_only", "not_found"),
    "prices.versions": (),
    "prices.withdraw": ("admin_only",),
    "providers.add": ("admin_only", "slug_taken"),
    "providers.add_key": (),
    "providers.change": ("admin_only",),
    "providers.get": (),
    "providers.keys": (),
    "providers.list": ("admin_only",),
    "providers.revenue": (),
    "providers.revoke_key": (),
    "quotes.quote": (*_PRICED, "not_found"),
    "tickets.add": (),
    "transfers.add": (
        "forbidden",
        "not_found",
        "wallet_unknown",
        "asset_mismatch",
        "envelope_limit_exceeded",
        "insufficient_balance",
        "amount_overflow",
    ),
    "usage_records.add": (
        *_PRICED,
        "admin_only",
        "not_found",
        "wallet_unknown",
        "amount_overflow",
    ),
    "wallet_grants.add": ("unknown_provider", "conflict"),
    "wallet_grants.list": (),
    "wallets.add": ("admin_only", "not_found"),
    "wallets.deposit": ("admin_only", "wallet_unknown", "asset_mismatch", "reference_reused", "amount_overflow"),
    "wallets.get": (),
    "wallets.history": (),
    "wallets.holds": (),
    "wallets.list": ("admin_only",),
    "wallets.statement": (),
}
"""What an operation answers with beyond what its shape tells: by the rules that its handler asks."""

REFERENCE_IS_KEY = frozenset({"wallets.deposit"})
"""Operations that can do without an idempotency key: something else in the request names it."""


def codes_of(operation: Operation) -> list[str]:
    """The codes that an operation can answer with, in the order of the table."""
    found = {*_ALWAYS, *OWN[operation.id]}
    if operation.body is not None:
        found.update(_WITH_A_BODY)
    if any(parameter.place == "query" for parameter in operation.parameters):
        found.add("invalid_request")
    if any(parameter.place == "path" for parameter in operation.parameters):
        found.update(("not_found", "invalid_request") if "model" in operation.path else ("not_found",))
    if operation.paged:
        found.add("bad_cursor")
    if operation.keyed:
        found.update((*_KEYED, *_LEDGER))
    return [code for code in CODES if code in found]


def by_status(codes: list[str]) -> dict[int, list[str]]:
    """Codes by the status that they come with."""
    found: dict[int, list[str]] = {}
    for code in codes:
        found.setdefault(CODES[code].status, []).append(code)
    return found
