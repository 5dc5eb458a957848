"""Who is in a ledger of a given size, by formulas: millions are written and drawn on, and listed nowhere.

A year of transfers, ten at a time: five of ordinary wallets, four of the busy hundredth of them, one of ten heavy ones.
Each kind takes turns among its wallets, so that a wallet's rows lie far apart, as they do in life. A wallet's first
transfer, and every 64th, is a deposit; the others are charges.
"""

import hashlib

from msgspec import Struct

from farebox import ids

STRIDE, SPACE = 55_623_059, 90_000_000
"""Wallet numbers step by the first within the second: scattered, and none twice."""
LOW_DIGITS = 10**7
CYCLE = 64
HEAVY = 10
BUSY_ONE_IN = 100


class Size(Struct, frozen=True):
    """How large a ledger is. Two entries a transfer; at least four a wallet, so that each has money."""

    wallets: int
    entries: int

    def __post_init__(self) -> None:
        if not 10 * HEAVY <= self.wallets <= SPACE or self.entries < 4 * self.wallets:
            raise ValueError(f"{10 * HEAVY:,} to {SPACE:,} wallets, and at least four entries a wallet")

    @property
    def transfers(self) -> int:
        """How many transfers make the entries."""
        return self.entries // 2

    @property
    def busy(self) -> int:
        """How many wallets are busy; the heavy ones come first, then these, then the ordinary ones."""
        return self.wallets // BUSY_ONE_IN

    @property
    def name(self) -> str:
        """Such as `1e7 wallets, 1e8 entries`."""
        return f"{_power(self.wallets)} wallets, {_power(self.entries)} entries"


def _power(number: int) -> str:
    exponent = len(str(number)) - 1
    return f"10^{exponent}" if number == 10**exponent else f"{number:,}"


def wallet_id(index: int) -> int:
    """The number of a wallet by its place in the crowd."""
    body = (SPACE // 9 + index * STRIDE % SPACE) * LOW_DIGITS
    return body * 10 + ids.luhn_digit(body)


def grant_id(index: int) -> int:
    """The one grant of a wallet."""
    return index + 1


def session_token(index: int) -> str:
    """What a provider draws on that grant with."""
    return f"ps_{hashlib.md5(str(index).encode(), usedforsecurity=False).hexdigest()}"
