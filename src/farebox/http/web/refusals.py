"""Refusals in a payer's words: what was asked, why not, and what can be done."""

from farebox.http.native.refusals import REFUSALS
from farebox.ledger.types import Refusal

_TOLD = {
    Refusal.GRANT_REVOKED: "You had revoked this connection, so nothing could be drawn any more.",
    Refusal.GRANT_REPLACED: "A newer connection to the same provider had replaced this one.",
    Refusal.GRANT_EXPIRED: "The connection had expired. Scan a fresh code to connect again.",
    Refusal.CHARGE_LIMIT_EXCEEDED: "It was more than you allow for one charge of this connection.",
    Refusal.GRANT_LIMIT_EXCEEDED: "It was more than was left of the limit that you set for this connection.",
    Refusal.ENVELOPE_LIMIT_EXCEEDED: "It was more than was left of a limit for this period.",
    Refusal.INSUFFICIENT_BALANCE: "Your wallet did not hold enough.",
    Refusal.HOLD_CLOSED: "What was reserved had been taken or freed before.",
    Refusal.HOLD_EXPIRED: "The reservation had expired, and the money was free again.",
}


def told(refusal: Refusal) -> str:
    """A refusal for the person whose wallet it was asked of."""
    return _TOLD.get(refusal) or REFUSALS[refusal][1]
