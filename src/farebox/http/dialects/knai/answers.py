"""What the KNAI client is answered: it reads the text from `error`, and the kind of error from the status alone."""

from typing import Any

import msgspec

from farebox.errors import Problem
from farebox.http.dialects.tokens import standing
from farebox.ledger.types import Refusal

REFUSALS: dict[Refusal, tuple[int, str, str]] = {
    Refusal.CREDENTIAL_REVOKED: (401, "INVALID_API_KEY", "This API key was revoked"),
    Refusal.KEY_REUSED: (409, "IDEMPOTENCY_CONFLICT", "This idempotency key was used for another request"),
    Refusal.REFERENCE_REUSED: (409, "IDEMPOTENCY_CONFLICT", "This reference was used for another deposit"),
    Refusal.PRICE_CHANGED: (503, "TRY_AGAIN", "The price has just changed: ask again"),
    Refusal.WALLET_UNKNOWN: (404, "NOT_FOUND", "There is no such wallet"),
    Refusal.GRANT_UNKNOWN: (403, "SESSION_UNKNOWN", "There is no such session: let the user connect again"),
    Refusal.HOLD_UNKNOWN: (404, "NOT_FOUND", "There is no such hold"),
    Refusal.CHARGE_UNKNOWN: (404, "NOT_FOUND", "There is no such charge"),
    Refusal.ENVELOPE_UNKNOWN: (404, "NOT_FOUND", "There is no such envelope"),
    Refusal.GRANT_REVOKED: (403, "SESSION_REVOKED", "The user has disconnected the wallet"),
    Refusal.GRANT_REPLACED: (410, "SESSION_EXPIRED", "A newer connection has replaced this session"),
    Refusal.GRANT_EXPIRED: (410, "SESSION_EXPIRED", "The session has expired: let the user connect again"),
    Refusal.HOLD_CLOSED: (409, "CONFLICT", "The hold is closed"),
    Refusal.HOLD_EXPIRED: (409, "CONFLICT", "The hold has expired"),
    Refusal.CAPTURE_EXCEEDS_HOLD: (422, "VALIDATION_ERROR", "More than the hold"),
    Refusal.REFUND_EXCEEDS_CHARGE: (422, "VALIDATION_ERROR", "More than is left of the charge"),
    Refusal.ASSET_MISMATCH: (422, "VALIDATION_ERROR", "The wallet holds another asset"),
    Refusal.CHARGE_LIMIT_EXCEEDED: (403, "LIMIT_EXCEEDED", "More than the user allows for one charge"),
    Refusal.GRANT_LIMIT_EXCEEDED: (403, "LIMIT_EXCEEDED", "More than is left of the limit that the user has set"),
    Refusal.ENVELOPE_LIMIT_EXCEEDED: (403, "LIMIT_EXCEEDED", "More than is left of a limit for this period"),
    Refusal.INSUFFICIENT_BALANCE: (402, "INSUFFICIENT_BALANCE", "The wallet does not hold enough"),
    Refusal.AMOUNT_OVERFLOW: (422, "VALIDATION_ERROR", "The amount is too large"),
}

CODES = {"invalid_request": "VALIDATION_ERROR", "amount_too_large": "VALIDATION_ERROR"}
"""Codes of problems that have another name here; the others are written large."""


def refused(refusal: Refusal, new_balance: int) -> tuple[int, bytes]:
    """Status and body for a refusal; `new_balance` is what the wallet has now, in whole tokens."""
    status, code, message = REFUSALS[refusal]
    return status, error_body(message, code, **standing(refusal, new_balance))


def problem(found: Problem) -> tuple[int, bytes]:
    """Status and body for a problem."""
    more: dict[str, Any] = dict(found.extra)
    if found.errors:
        more["errors"] = found.errors
    return found.status, error_body(found.detail, CODES.get(found.code, found.code.upper()), **more)


def error_body(message: str, code: str, **more: Any) -> bytes:
    """An error in the shape of the dialect."""
    return msgspec.json.encode({"error": message, "message": message, "code": code, **more})
