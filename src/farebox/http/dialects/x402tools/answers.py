"""What x402tools clients are answered: every refusal and problem as status and code.

The client reads the status, and of other errors than 401, 404 and 429 the body's `error`.
"""

import re
from typing import Any

import msgspec

from farebox import ids
from farebox.errors import Problem
from farebox.ledger.envelopes import Stopped
from farebox.ledger.types import Outcome, Refusal

REFUSALS: dict[Refusal, tuple[int, str, str]] = {
    Refusal.CREDENTIAL_REVOKED: (401, "INVALID_API_KEY", "This API key was revoked"),
    Refusal.KEY_REUSED: (422, "IDEMPOTENCY_KEY_REUSED", "This idempotency key was used for another request"),
    Refusal.REFERENCE_REUSED: (409, "CONFLICT", "This reference was used for another deposit"),
    Refusal.PRICE_CHANGED: (503, "TRY_AGAIN", "The price has just changed: ask again"),
    Refusal.WALLET_UNKNOWN: (404, "NOT_FOUND", "There is no such wallet"),
    Refusal.GRANT_UNKNOWN: (404, "NOT_FOUND", "There is no such grant"),
    Refusal.HOLD_UNKNOWN: (404, "NOT_FOUND", "There is no such hold"),
    Refusal.CHARGE_UNKNOWN: (404, "NOT_FOUND", "There is no such charge"),
    Refusal.ENVELOPE_UNKNOWN: (404, "NOT_FOUND", "there is no such envelope"),
    Refusal.GRANT_REVOKED: (403, "FORBIDDEN", "The payer has revoked this grant"),
    Refusal.GRANT_REPLACED: (403, "FORBIDDEN", "A newer grant has replaced this one"),
    Refusal.GRANT_EXPIRED: (403, "FORBIDDEN", "This grant has expired"),
    Refusal.HOLD_CLOSED: (409, "CONFLICT", "The hold is closed"),
    Refusal.HOLD_EXPIRED: (409, "CONFLICT", "The hold has expired"),
    Refusal.CAPTURE_EXCEEDS_HOLD: (422, "VALIDATION_ERROR", "More than the hold"),
    Refusal.REFUND_EXCEEDS_CHARGE: (422, "VALIDATION_ERROR", "More than is left of the charge"),
    Refusal.ASSET_MISMATCH: (422, "VALIDATION_ERROR", "The wallet holds another asset"),
    Refusal.CHARGE_LIMIT_EXCEEDED: (402, "USAGE_LIMIT_EXCEEDED", "More than is allowed at once"),
    Refusal.GRANT_LIMIT_EXCEEDED: (402, "USAGE_LIMIT_EXCEEDED", "More than is left of the limit"),
    Refusal.ENVELOPE_LIMIT_EXCEEDED: (402, "USAGE_LIMIT_EXCEEDED", "More than is left in this window"),
    Refusal.INSUFFICIENT_BALANCE: (402, "INSUFFICIENT_BALANCE", "The wallet does not hold enough"),
    Refusal.AMOUNT_OVERFLOW: (422, "VALIDATION_ERROR", "The amount is too large"),
}

CODES: dict[str, str] = {"invalid_request": "VALIDATION_ERROR"}


def refused(outcome: Outcome) -> tuple[int, bytes]:
    """Status and body for a refusal; for one by an envelope, how that stood."""
    assert outcome.refusal is not None
    status, code, message = REFUSALS[outcome.refusal]
    return status, error_body(message, code, **_standing(outcome.stopped))


def problem(found: Problem) -> tuple[int, bytes]:
    """Status and body for a problem."""
    errors = [{"field": _camel(error.field), "message": error.message} for error in found.errors]
    told = "; ".join(
        f"{error['field']}: {error['message']}" if error["field"] else error["message"] for error in errors
    )
    more = {"errors": errors} if errors else {}
    return found.status, error_body(told or found.detail, CODES.get(found.code, found.code.upper()), **more)


def error_body(message: str, code: str, **more: Any) -> bytes:
    """An error in the shape of the dialect."""
    return msgspec.json.encode({"error": message, "code": code, **more})


def _standing(by: Stopped | None) -> dict[str, Any]:
    if by is None:
        return {}
    return {
        "envelopeId": ids.public("env", by.envelope_id),
        "limit": by.limit,
        "used": by.used,
        "remaining": max(0, by.remaining),
        "windowEnd": by.window_end,
    }


def _camel(field: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), field)
