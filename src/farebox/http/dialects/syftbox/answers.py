"""What SyftBox accounting clients are answered: they keep the status and the whole body, whatever is in it."""

from typing import Any

import msgspec

from farebox.errors import Problem
from farebox.ledger.types import Refusal

REFUSALS: dict[Refusal, tuple[int, str, str]] = {
    Refusal.CREDENTIAL_REVOKED: (401, "invalid_credentials", "The password or the key was changed"),
    Refusal.KEY_REUSED: (422, "idempotency_key_reused", "This idempotency key was used for another request"),
    Refusal.REFERENCE_REUSED: (409, "conflict", "This reference was used for another deposit"),
    Refusal.PRICE_CHANGED: (503, "try_again", "The price has just changed: ask again"),
    Refusal.WALLET_UNKNOWN: (404, "not_found", "There is no such user"),
    Refusal.GRANT_UNKNOWN: (401, "token_unknown", "There is no such token"),
    Refusal.HOLD_UNKNOWN: (404, "not_found", "There is no such transaction"),
    Refusal.CHARGE_UNKNOWN: (404, "not_found", "There is no such transaction"),
    Refusal.ENVELOPE_UNKNOWN: (404, "not_found", "There is no such envelope"),
    Refusal.GRANT_REVOKED: (403, "token_revoked", "The sender has revoked this token"),
    Refusal.GRANT_REPLACED: (403, "token_revoked", "A newer token has replaced this one"),
    Refusal.GRANT_EXPIRED: (403, "token_expired", "This token has expired: ask the sender for a new one"),
    Refusal.HOLD_CLOSED: (409, "already_resolved", "This transaction was resolved the other way"),
    Refusal.HOLD_EXPIRED: (409, "timed_out", "This transaction has timed out and was cancelled"),
    Refusal.CAPTURE_EXCEEDS_HOLD: (422, "invalid_request", "More than the transaction"),
    Refusal.REFUND_EXCEEDS_CHARGE: (422, "invalid_request", "More than is left of the transaction"),
    Refusal.ASSET_MISMATCH: (422, "invalid_request", "The wallet holds another currency"),
    Refusal.CHARGE_LIMIT_EXCEEDED: (403, "limit_exceeded", "More than the sender allows for one transaction"),
    Refusal.GRANT_LIMIT_EXCEEDED: (403, "limit_exceeded", "More than is left of what the sender allows"),
    Refusal.ENVELOPE_LIMIT_EXCEEDED: (403, "limit_exceeded", "More than is left of a limit for this period"),
    Refusal.INSUFFICIENT_BALANCE: (402, "insufficient_balance", "The sender's balance does not hold enough"),
    Refusal.AMOUNT_OVERFLOW: (422, "amount_overflow", "The amount is larger than a balance can hold"),
}


def refused(refusal: Refusal) -> tuple[int, bytes]:
    """Status and body for a refusal."""
    status, code, message = REFUSALS[refusal]
    return status, _body(message, code)


def problem(found: Problem) -> tuple[int, bytes]:
    """Status and body for a problem."""
    errors = [{"field": error.field, "message": error.message} for error in found.errors]
    return found.status, _body(found.detail, found.code, **({"errors": errors} if errors else {}))


def _body(message: str, code: str, **more: Any) -> bytes:
    return msgspec.json.encode({"message": message, "code": code, **more})
