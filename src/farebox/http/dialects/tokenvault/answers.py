"""What the TokenVault client is answered: every refusal and problem as status and code.

The client looks for "insufficient" in the `message` of a 400; all else it takes from the status.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from farebox.errors import Problem
from farebox.ledger.types import Outcome, Refusal
from farebox.money import Asset, ones, usd_of
from farebox.teams.types import Standing

REFUSALS: dict[Refusal, tuple[int, str, str]] = {
    Refusal.CREDENTIAL_REVOKED: (401, "INVALID_API_KEY", "This API key was revoked"),
    Refusal.KEY_REUSED: (422, "RECORD_ID_REUSED", "This id was used for another request"),
    Refusal.REFERENCE_REUSED: (422, "REFERENCE_REUSED", "This reference was used for another payment"),
    Refusal.PRICE_CHANGED: (503, "TRY_AGAIN", "The price has just changed: ask again"),
    Refusal.WALLET_UNKNOWN: (404, "NOT_FOUND", "There is no such organization"),
    Refusal.GRANT_UNKNOWN: (404, "NOT_FOUND", "There is no such profile"),
    Refusal.HOLD_UNKNOWN: (404, "NOT_FOUND", "There is no such hold"),
    Refusal.CHARGE_UNKNOWN: (404, "NOT_FOUND", "There is no such charge"),
    Refusal.ENVELOPE_UNKNOWN: (404, "NOT_FOUND", "There is no such envelope"),
    Refusal.GRANT_REVOKED: (403, "ALLOWANCE_ENDED", "The allowance of this profile was taken back"),
    Refusal.GRANT_REPLACED: (403, "ALLOWANCE_ENDED", "The allowance of this profile was replaced"),
    Refusal.GRANT_EXPIRED: (403, "ALLOWANCE_ENDED", "The allowance of this profile has expired"),
    Refusal.HOLD_CLOSED: (409, "CONFLICT", "The hold is closed"),
    Refusal.HOLD_EXPIRED: (409, "CONFLICT", "The hold has expired"),
    Refusal.CAPTURE_EXCEEDS_HOLD: (422, "VALIDATION_ERROR", "More than the hold"),
    Refusal.REFUND_EXCEEDS_CHARGE: (422, "VALIDATION_ERROR", "More than is left of the charge"),
    Refusal.ASSET_MISMATCH: (422, "VALIDATION_ERROR", "The wallet holds another asset"),
    Refusal.CHARGE_LIMIT_EXCEEDED: (403, "ALLOWANCE_EXCEEDED", "More than this profile may spend at once"),
    Refusal.GRANT_LIMIT_EXCEEDED: (403, "ALLOWANCE_EXCEEDED", "More than is left of this profile's allowance"),
    Refusal.ENVELOPE_LIMIT_EXCEEDED: (403, "ALLOWANCE_EXCEEDED", "More than is left of a limit for this period"),
    Refusal.INSUFFICIENT_BALANCE: (400, "INSUFFICIENT_BALANCE", "Insufficient credits: recharge the organization"),
    Refusal.AMOUNT_OVERFLOW: (422, "VALIDATION_ERROR", "The amount is too large"),
}

CODES: dict[str, str] = {"invalid_request": "VALIDATION_ERROR", "amount_too_large": "VALIDATION_ERROR"}


def refused(refusal: Refusal, **more: Any) -> tuple[int, bytes]:
    """Status and body for a refusal."""
    status, code, message = REFUSALS[refusal]
    return status, error_body(message, code, **more)


def problem(found: Problem) -> tuple[int, bytes]:
    """Status and body for a problem."""
    more: dict[str, Any] = dict(found.extra)
    if found.status == 422:
        errors = [{"field": error.field, "message": error.message} for error in found.errors]
        more["errors"] = errors or [{"field": "", "message": found.detail}]
    return found.status, error_body(found.detail, CODES.get(found.code, found.code.upper()), **more)


def error_body(message: str, code: str, **more: Any) -> bytes:
    """An error in the shape of the dialect."""
    return msgspec.json.encode({"status": "error", "message": message, "code": code, **more})


def amount(units: int, credit: Asset) -> Raw:
    """Units of CREDIT as an exact JSON number of credits."""
    return Raw(ones(units, credit.scale).encode())


def money(units: int, credit: Asset) -> Raw:
    """Units of CREDIT as an exact JSON number of USD; null where credits have no price."""
    return Raw((usd_of(units, credit) or "null").encode())


def unix(moment: datetime) -> int:
    """Whole seconds."""
    return int(moment.timestamp())


def balance(found: Standing, credit: Asset) -> dict[str, Any]:
    """The balance of an organization, or of a profile, with what that has spent and may spend in all."""
    told: dict[str, Any] = {
        "organization_id": found.organization_id,
        "balance": amount(found.available, credit),
        "credits": amount(found.available, credit),
        "money_equivalent": money(found.available, credit),
        "debt": amount(found.debt, credit),
        "last_updated": unix(found.updated_at),
    }
    if found.agent is not None:
        allowance = None if found.allowance is None else amount(found.allowance, credit)
        told |= {"profile_id": found.agent, "spent": amount(found.spent, credit), "allowance": allowance}
    return told


def moved(organization_id: str, outcome: Outcome, credit: Asset, **more: Any) -> dict[str, Any]:
    """What a recharge or a consumption came to: credits moved, and the organization's new balance."""
    return {
        "organization_id": organization_id,
        "credits": amount(outcome.amount, credit),
        "balance": amount(outcome.available, credit),
        "money_equivalent": money(outcome.available, credit),
        "last_updated": unix(outcome.created_at),
        **more,
    }
