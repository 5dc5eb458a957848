"""Every refusal of the ledger as a native problem: status, and what to do next."""

from typing import Any

from farebox.errors import Problem
from farebox.ledger.types import Refusal

REFUSALS: dict[Refusal, tuple[int, str]] = {
    Refusal.CREDENTIAL_REVOKED: (401, "This API key was revoked."),
    Refusal.KEY_REUSED: (422, "This idempotency key was used for another request: use a new one."),
    Refusal.REFERENCE_REUSED: (409, "A deposit with this reference exists, with another wallet or amount."),
    Refusal.PRICE_CHANGED: (503, "The price has just changed: ask again."),
    Refusal.WALLET_UNKNOWN: (404, "There is no such wallet."),
    Refusal.GRANT_UNKNOWN: (404, "There is no such grant."),
    Refusal.HOLD_UNKNOWN: (404, "There is no such hold."),
    Refusal.CHARGE_UNKNOWN: (404, "There is no such charge."),
    Refusal.ENVELOPE_UNKNOWN: (404, "There is no such envelope."),
    Refusal.GRANT_REVOKED: (403, "The payer has revoked this grant: ask for a new connection."),
    Refusal.GRANT_REPLACED: (403, "A newer grant for the same user has replaced this one: use that."),
    Refusal.GRANT_EXPIRED: (403, "This grant has expired: ask for a new connection."),
    Refusal.HOLD_CLOSED: (409, "This hold was captured or released before."),
    Refusal.HOLD_EXPIRED: (410, "This hold has expired and was freed."),
    Refusal.CAPTURE_EXCEEDS_HOLD: (422, "More than the hold: capture at most what is held."),
    Refusal.REFUND_EXCEEDS_CHARGE: (422, "More than is left of the charge."),
    Refusal.ASSET_MISMATCH: (422, "The wallet holds another asset."),
    Refusal.CHARGE_LIMIT_EXCEEDED: (403, "More than the payer allows for one charge."),
    Refusal.GRANT_LIMIT_EXCEEDED: (403, "More than is left of the payer's limit for this grant."),
    Refusal.ENVELOPE_LIMIT_EXCEEDED: (403, "More than is left of the payer's limit for this period: see `envelope`."),
    Refusal.INSUFFICIENT_BALANCE: (402, "The wallet does not hold enough: a deposit is needed."),
    Refusal.AMOUNT_OVERFLOW: (422, "The amount is larger than a wallet can hold."),
}

TITLES = {
    401: "The API key is missing or not valid",
    402: "Payment required",
    403: "Not allowed",
    404: "There is no such thing",
    409: "It is in another state by now",
    410: "Its time is over",
    422: "A value is not acceptable",
    503: "Not now",
}


class Refused(Problem):
    """A refusal as a problem; its status is the refusal's."""

    def __init__(self, refusal: Refusal, extra: dict[str, Any]) -> None:
        status, detail = REFUSALS[refusal]
        super().__init__(detail, refusal.value, extra=extra, retry_after_s=1 if status == 503 else None)
        self.status = status
        self.title = TITLES[status]
