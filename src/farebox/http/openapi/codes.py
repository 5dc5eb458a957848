"""Every code that an error answer of the native API can carry: status, meaning, what to do next.

A problem's `type` points at its line in the docs. Refusals come from the ledger's own table, the rest is told here.
"""

from msgspec import Struct

from farebox.errors import (
    BadRequest,
    Busy,
    Conflict,
    Forbidden,
    Gone,
    HeadTooLarge,
    Internal,
    Invalid,
    MethodNotAllowed,
    NotFound,
    Problem,
    RequestTimeout,
    TooLarge,
    TooMany,
    Unauthorized,
    UnsupportedMediaType,
)
from farebox.http.native.refusals import REFUSALS, TITLES
from farebox.ledger.types import Refusal


class Code(Struct, frozen=True):
    """One code of the table."""

    code: str
    status: int
    meaning: str
    then: str
    """What to do next."""


_SAME_KEY = "Ask again after Retry-After, with the same idempotency key."

_TOLD: tuple[tuple[type[Problem], str, str, str], ...] = (
    (BadRequest, "bad_request", "The request is malformed.", "Read `detail`, and change the request."),
    (
        BadRequest,
        "malformed_json",
        "The body is not JSON, has a member twice, or a number out of any range.",
        "Send well-formed JSON in UTF-8.",
    ),
    (
        BadRequest,
        "idempotency_key_missing",
        "Calls that move money need an Idempotency-Key header.",
        "Send one: a fresh UUID for each new wish, the same one for each retry of it.",
    ),
    (
        BadRequest,
        "idempotency_key_invalid",
        "The key is empty, longer than 255 characters, not printable ASCII, or starts with `auto:`.",
        "Send another key.",
    ),
    (
        BadRequest,
        "malformed_http",
        "The bytes are no HTTP/1.1 request; the connection is closed.",
        "Send a Host, one Content-Length or chunks, each key once, and no control characters in headers.",
    ),
    (BadRequest, "bad_cursor", "The cursor is not one of this list.", "Start without a cursor."),
    (BadRequest, "repeated_parameter", "A query parameter stands twice.", "Send it once."),
    (
        BadRequest,
        "secret_in_query",
        "The address holds a secret, and addresses are logged.",
        "Send keys in headers, and replace the one that was sent here.",
    ),
    (Unauthorized, "invalid_api_key", "No key was sent, or not a valid one.", "Send `Authorization: Bearer <key>`."),
    (Unauthorized, "signed_out", "The session of the page that asks is over.", "Sign in again."),
    (Forbidden, "forbidden", "This key may not do that.", "Use the key of somebody who may."),
    (Forbidden, "admin_only", "This takes an administrator's key.", "Use one."),
    (Forbidden, "providers_only", "Only a provider charges.", "Use a provider's key."),
    (Forbidden, "scope_missing", "The key lacks the `read` or the `write` scope.", "Use a key that has it."),
    (Forbidden, "own_key", "A key can't revoke itself.", "Revoke it with another one."),
    (NotFound, "not_found", "It is not there, or it is not yours to see.", "Check the id and the key."),
    (
        MethodNotAllowed,
        "method_not_allowed",
        "This address has no such method.",
        "Use one of those in the Allow header.",
    ),
    (Conflict, "conflict", "Somebody else was quicker.", "Ask again."),
    (Conflict, "email_taken", "Somebody has an account with this address.", "Look for it: GET /v1/people?email=…"),
    (Conflict, "slug_taken", "A provider with this slug exists.", "Choose another slug."),
    (
        Conflict,
        "terms_changed",
        "The request is not the one that was shown to the payer.",
        "Get it again, show it, and approve with its `terms`.",
    ),
    (Conflict, "already_answered", "This request was approved or declined before.", "Nothing is left to do."),
    (Gone, "request_expired", "Nobody answered this request in time.", "Scan a fresh code."),
    (
        RequestTimeout,
        "request_timeout",
        "The request took too long to arrive; the connection is closed.",
        "Send it at once, with the same idempotency key.",
    ),
    (TooLarge, "too_large", "The body is larger than the server takes.", "Send less at once."),
    (
        UnsupportedMediaType,
        "unsupported_media_type",
        "The body is not declared as JSON, or is compressed.",
        "Send it as it is, with `Content-Type: application/json`.",
    ),
    (Invalid, "invalid_request", "A value is not acceptable; `errors` says which.", "Change what `errors` names."),
    (
        Invalid,
        "unknown_model",
        "No price is known for this model; `nearest` has names that look like it.",
        "Correct the name, or add a price.",
    ),
    (Invalid, "unknown_provider", "There is no such provider.", "Check the slug."),
    (
        Invalid,
        "not_priced",
        "The model's price has no rate for something that was used.",
        "Leave that out, or add a rate for it.",
    ),
    (
        Invalid,
        "not_convertible",
        "There is no rate between the two assets.",
        "Give both a `usd_price`, or price the model in the wallet's asset.",
    ),
    (Invalid, "amount_too_large", "The amount is larger than any wallet.", "Charge less at once."),
    (
        Invalid,
        "wider_than_asked",
        "An approval can only narrow what was asked for.",
        "Approve with the same limits, or lower ones.",
    ),
    (HeadTooLarge, "head_too_large", "Address and headers are larger than the server takes.", "Send fewer of them."),
    (TooMany, "rate_limited", "Too many requests.", "Wait as long as Retry-After says."),
    (Internal, "internal_error", "Something broke on our side.", "Tell the operator the `request_id`."),
    (
        Internal,
        "broken_invariant",
        "The books would not have balanced, so nothing was written.",
        "Tell the operator the `request_id`.",
    ),
    (Busy, "unavailable", "The database is away; nothing was done.", _SAME_KEY),
    (Busy, "database_away", "The database does not answer.", _SAME_KEY),
    (Busy, "wrong_schema", "The database has another version's schema.", "Let the operator migrate it."),
    (Busy, "overloaded", "Too much at once; nothing was done.", _SAME_KEY),
    (
        Busy,
        "outcome_unknown",
        "The answer was lost on the way: it may have been done.",
        "Ask again with the same idempotency key: that tells, and does it at most once.",
    ),
)

_AFTER_A_REFUSAL: dict[Refusal, str] = {
    Refusal.CREDENTIAL_REVOKED: "Use a valid key.",
    Refusal.KEY_REUSED: "A retry repeats the very same request.",
    Refusal.REFERENCE_REUSED: "Look at the deposit that has it.",
    Refusal.PRICE_CHANGED: _SAME_KEY,
    Refusal.WALLET_UNKNOWN: "Check the number.",
    Refusal.GRANT_UNKNOWN: "Let the user connect again.",
    Refusal.HOLD_UNKNOWN: "Check the id.",
    Refusal.CHARGE_UNKNOWN: "Check the id.",
    Refusal.ENVELOPE_UNKNOWN: "Check the id.",
    Refusal.GRANT_REVOKED: "Let the user connect again.",
    Refusal.GRANT_REPLACED: "Use the session token of the newer grant.",
    Refusal.GRANT_EXPIRED: "Let the user connect again.",
    Refusal.HOLD_CLOSED: "Get the hold: it says what became of it.",
    Refusal.HOLD_EXPIRED: "Make a new hold.",
    Refusal.CAPTURE_EXCEEDS_HOLD: "Capture what is held, and charge the rest.",
    Refusal.REFUND_EXCEEDS_CHARGE: "Refund at most what is left: `amount` - `refunded` of the charge.",
    Refusal.ASSET_MISMATCH: "Name the wallet's own asset, or a wallet of the same one.",
    Refusal.CHARGE_LIMIT_EXCEEDED: "Ask for less at once, or let the payer raise the limit.",
    Refusal.GRANT_LIMIT_EXCEEDED: "Let the payer raise the limit: by a new grant.",
    Refusal.ENVELOPE_LIMIT_EXCEEDED: "Wait until `envelope.resets_at`, or let the payer raise the limit.",
    Refusal.INSUFFICIENT_BALANCE: "Let the payer put money in.",
    Refusal.AMOUNT_OVERFLOW: "Move less.",
}


def _table() -> dict[str, Code]:
    told = [Code(code, kind.status, meaning, then) for kind, code, meaning, then in _TOLD]
    refusals = [
        Code(refusal.value, status, meaning, _AFTER_A_REFUSAL[refusal])
        for refusal, (status, meaning) in REFUSALS.items()
        if refusal is not Refusal.CREDENTIAL_REVOKED  # shown as invalid_api_key
    ]
    return {code.code: code for code in sorted(told + refusals, key=lambda code: code.status)}


CODES: dict[str, Code] = _table()
"""By code, in the order of the statuses."""

STATUSES: dict[int, str] = {kind.status: kind.title for kind, *_ in _TOLD} | TITLES
"""The title of each status."""
