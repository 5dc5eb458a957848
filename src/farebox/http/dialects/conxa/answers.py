"""What the CONXA client is answered: every refusal and problem as status and code, in both of its error shapes.

Client 1.3.4 reads `message`, 1.3.0 `detail`: both are sent.
"""

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
    Refusal.GRANT_UNKNOWN: (401, "SESSION_EXPIRED", "There is no such session: let the user connect again"),
    Refusal.HOLD_UNKNOWN: (404, "NOT_FOUND", "There is no such hold"),
    Refusal.CHARGE_UNKNOWN: (404, "NOT_FOUND", "There is no such charge"),
    Refusal.ENVELOPE_UNKNOWN: (404, "NOT_FOUND", "There is no such envelope"),
    Refusal.GRANT_REVOKED: (403, "NO_CHARGE_PERMISSION", "The user has disconnected the wallet"),
    Refusal.GRANT_REPLACED: (401, "SESSION_EXPIRED", "A newer connection has replaced this session"),
    Refusal.GRANT_EXPIRED: (401, "SESSION_EXPIRED", "The session has expired: let the user connect again"),
    Refusal.HOLD_CLOSED: (409, "CONFLICT", "The hold is closed"),
    Refusal.HOLD_EXPIRED: (409, "CONFLICT", "The hold has expired"),
    Refusal.CAPTURE_EXCEEDS_HOLD: (422, "VALIDATION_ERROR", "More than the hold"),
    Refusal.REFUND_EXCEEDS_CHARGE: (422, "VALIDATION_ERROR", "More than is left of the charge"),
    Refusal.ASSET_MISMATCH: (422, "VALIDATION_ERROR", "The wallet holds another asset"),
    Refusal.CHARGE_LIMIT_EXCEEDED: (403, "HARD_CAP_VIOLATION", "More than the user allows for one charge"),
    Refusal.GRANT_LIMIT_EXCEEDED: (403, "HARD_CAP_VIOLATION", "More than is left of the limit that the user has set"),
    Refusal.ENVELOPE_LIMIT_EXCEEDED: (403, "HARD_CAP_VIOLATION", "More than is left of a limit for this period"),
    Refusal.INSUFFICIENT_BALANCE: (402, "INSUFFICIENT_BALANCE", "The wallet does not hold enough"),
    Refusal.AMOUNT_OVERFLOW: (422, "VALIDATION_ERROR", "The amount is too large"),
}

CODES: dict[str, str] = {
    "invalid_api_key": "INVALID_API_KEY",
    "session_unknown": "SESSION_EXPIRED",
    "foreign_session": "NO_CHARGE_PERMISSION",
    "not_found": "NOT_FOUND",
    "conflict": "CONFLICT",
    "invalid_request": "VALIDATION_ERROR",
    "amount_too_large": "VALIDATION_ERROR",
    "unknown_model": "UNKNOWN_MODEL",
    "rate_limited": "RATE_LIMITED",
    "idempotency_key_invalid": "INVALID_IDEMPOTENCY_KEY",
}


FIELDS = {"unknown_model": "model_name"}
"""Which member of the body a problem is about, where the problem itself can't know its name here."""


def refused(refusal: Refusal, new_balance: int) -> tuple[int, bytes]:
    """Status and body for a refusal; `new_balance` is what the wallet has now, in whole tokens."""
    status, code, message = REFUSALS[refusal]
    return status, error_body(message, code, **standing(refusal, new_balance))


def problem(found: Problem) -> tuple[int, bytes]:
    """Status and body for a problem."""
    errors = [{"field": error.field, "message": error.message} for error in found.errors]
    code = CODES.get(found.code, found.code.upper())
    more: dict[str, Any] = dict(found.extra)
    if found.status == 422:
        more["errors"] = errors or [{"field": FIELDS.get(found.code, ""), "message": found.detail}]
    return found.status, error_body(found.detail, code, **more)


def error_body(message: str, code: str, **more: Any) -> bytes:
    """An error in the shape of the dialect."""
    return msgspec.json.encode({"status": "error", "message": message, "detail": message, "code": code, **more})
