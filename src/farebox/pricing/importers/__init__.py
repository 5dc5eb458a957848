"""Public price lists, read into versions for the price book. Nothing is dropped in silence."""

from decimal import Decimal

import msgspec
from msgspec import Struct

from farebox.pricing.types import TOKEN_RATES, NewPrice, Tier

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

    def too_fine(self, model: str, kind: object, left_out: str) -> None:
        """Keeps that something is not there because of a rate that the book can't keep exactly."""
        self.remark(model, f"{kind}: finer than the book's 10^-15 USD, so {left_out} is left out")


class TooFine(ValueError):
    """A rate with more digits than the book keeps; the text is its kind."""


def exact(kind: str, value: Decimal) -> str:
    """A rate in USD as the book keeps it; raises TooFine, since a rounded price would be another price."""
    if value != value.quantize(FINEST):
        raise TooFine(kind)
    return plain(value)


def carried(base: dict[str, str], tiers: dict[int, dict[str, str]]) -> tuple[Tier, ...]:
    """Each tier with every token rate that holds in it: a kind that it does not name keeps the rate from below."""
    holding = {kind: rate for kind, rate in base.items() if kind in TOKEN_RATES}
    found: list[Tier] = []
    for start in sorted(tiers):
        holding = holding | tiers[start]
        found.append(Tier(start, **holding))
    return tuple(found)


def plain(value: Decimal) -> str:
    """A decimal without an exponent and without trailing zeros."""
    text = format(value or Decimal(0), "f")  # a zero can have a sign, and an exponent of any length
    return text.rstrip("0").rstrip(".") if "." in text else text
