"""Wallet tokens: what the CONXA and KNAI clients count in. Wallets in other assets are converted at their prices."""

from typing import Any

from farebox.ledger.types import Refusal
from farebox.money import floor
from farebox.pricing.book import Book, NotConvertible

TOKEN = "TOKEN"  # noqa: S105  # an asset


def whole_tokens(book: Book, asset: str, units: int) -> int:
    """An amount in whole tokens, rounded down; of an asset without a price, in whole ones of its own."""
    if asset == TOKEN:
        return units // book.assets[TOKEN].scale
    try:
        return floor(units * book.conversion(asset, TOKEN) / book.assets[TOKEN].scale)
    except NotConvertible:
        return units // book.assets[asset].scale


_TELLING = frozenset(
    {
        Refusal.CHARGE_LIMIT_EXCEEDED,
        Refusal.GRANT_LIMIT_EXCEEDED,
        Refusal.ENVELOPE_LIMIT_EXCEEDED,
        Refusal.INSUFFICIENT_BALANCE,
    }
)


def standing(refusal: Refusal, new_balance: int) -> dict[str, Any]:
    """What a refusal tells of the wallet: its balance in whole tokens, but only to the holder of an open session.

    After a session's end the balance is the payer's own again, and for a reused key no wallet was looked at (RULES 8).
    """
    return {"approved": False, "new_balance": new_balance} if refusal in _TELLING else {"approved": False}
