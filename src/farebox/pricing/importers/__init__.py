"""Public price lists, read into versions for the price book. Nothing is dropped in silence."""

from decimal import ROUND_HALF_EVEN, Decimal

import msgspec
from msgspec import Struct

from farebox.pricing.types import NewPrice

USD = "USD"
FINEST = Decimal("1e-15")
"""The smallest rate that the book keeps in USD: 10^-9 of a unit of 10^-6 USD."""


class Remark(Struct, frozen=True):
    """Something about a model that was not taken in as it stands in the list, and why."""

    model: str
    reason: str


class Found(Struct):
    """What a price list came to."""

    prices: list[NewPrice] = msgspec.field(default_factory=list)
    remarks: list[Remark] = msgspec.field(default_factory=list)

    def remark(self, model: str, reason: str) -> None:
        """Keeps why something is not there, or not as it was."""
        self.remarks.append(Remark(model, reason))

    def text(self, model: str, kind: str, value: Decimal) -> str:
        """A rate as the book keeps it; one that is finer is rounded to the book's last digit, and that is said."""
        kept = value if value == value.quantize(FINEST) else value.quantize(FINEST, ROUND_HALF_EVEN)
        if kept != value:
            self.remark(model, f"{kind}: finer than 10^-15 USD, rounded to it")
        return plain(kept)


def plain(value: Decimal) -> str:
    """A decimal without an exponent and without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
