"""Wallet tokens: what the CONXA and KNAI clients count in. Wallets in other assets are converted at their prices."""

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
