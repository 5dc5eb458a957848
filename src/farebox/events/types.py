"""What is told of a wallet when its balance changes."""

from datetime import datetime

from msgspec import Struct


class Balance(Struct, frozen=True):
    """A wallet as a change left it, in units of its asset. Within a wallet, later versions are higher."""

    wallet_id: int
    version: int
    balance: int
    held: int
    at: datetime

    @property
    def available(self) -> int:
        return self.balance - self.held

    @property
    def debt(self) -> int:
        """How far facts have overdrawn it."""
        return max(0, -self.available)
