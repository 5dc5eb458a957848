"""Payments between people. Amounts are units of USD."""

from datetime import datetime

from msgspec import Struct

SCALE = 1_000_000
"""Units of a USD."""
SENDER, RECIPIENT, SYSTEM = "sender", "recipient", "system"
PENDING, COMPLETED, CANCELLED = "pending", "completed", "cancelled"


class Payment(Struct, frozen=True):
    """A transfer that is pending, completed or cancelled: a hold of the sender's wallet for the recipient's."""

    wallet_id: int
    id: int
    grant_id: int | None
    lineage: list[int] | None
    to_wallet_id: int
    sender: str
    recipient: str
    asked_by: str
    closed_by: str | None
    amount: int
    state: str
    void_reason: str | None
    app_name: str | None
    app_path: str | None
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    now: datetime

    @property
    def timed_out(self) -> bool:
        """Whether its time was over before anybody resolved it, swept or not (RULES 18)."""
        return self.void_reason == "expired" or (self.state == "pending" and self.now >= self.expires_at)

    @property
    def status(self) -> str:
        """`pending`, `completed` or `cancelled`."""
        if self.state == "posted":
            return COMPLETED
        return CANCELLED if self.state == "voided" or self.timed_out else PENDING

    @property
    def resolved_by(self) -> str | None:
        """`sender`, `recipient`, or `system` where its time was over or an operator has freed it."""
        return SYSTEM if self.timed_out or (self.state == "voided" and not self.closed_by) else self.closed_by

    @property
    def resolved_at(self) -> datetime | None:
        """When it was resolved."""
        return self.expires_at if self.timed_out else self.closed_at

    def side_of(self, wallet_id: int) -> str:
        """Which side one of its two wallets is on."""
        return SENDER if wallet_id == self.wallet_id else RECIPIENT


class NewPayment(Struct, frozen=True):
    """What is to be paid to whom; with a token, by whom."""

    sender: str
    recipient: str
    amount: int
    app_name: str | None = None
    app_path: str | None = None
    token: str | None = None


def may_confirm(payment: Payment, side: str) -> bool:
    """Whoever created it confirms it."""
    return side == payment.asked_by


def may_cancel(payment: Payment, side: str) -> bool:
    """The recipient always may; the sender, what the sender created."""
    return side == RECIPIENT or payment.asked_by == SENDER
