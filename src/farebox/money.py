"""Exact amounts: integer units of an asset, decimal text, and the conversions between them.

No float is ever made from an amount (RULES 1). `scale` is units per one: 1 USD = 1000000 units.
"""

import re
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

MAX_UNITS = 2**63 - 1
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,2})?", re.ASCII)


class Asset(Struct, frozen=True):
    """What is counted. `usd_price` is USD for one, exact; without it the asset converts to nothing else."""

    code: str
    name: str
    scale: int
    usd_price: Decimal | None


class NotExact(ValueError):
    """A decimal that is finer than its asset's unit."""


def parse_decimal(text: str) -> Decimal:
    """The exact value of a JSON number's text or of a decimal string; ValueError for anything else."""
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError("not a plain decimal number")
    return Decimal(text)


def to_units(value: Decimal, scale: int) -> int:
    """A decimal amount in units; raises NotExact where the asset has no such fraction."""
    units = Fraction(value) * scale
    if units.denominator != 1:
        raise NotExact(f"finer than 1/{scale}")
    return units.numerator


def to_decimal(units: int, scale: int) -> Decimal:
    """Units as a decimal amount, with all digits of the scale."""
    return Decimal(units).scaleb(-(len(str(scale)) - 1))


def show(units: int, asset: Asset) -> str:
    """An amount for people: `0.0042 USD`."""
    value = to_decimal(units, asset.scale)
    text = f"{value:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {asset.code}"


def rate(source: Asset, target: Asset) -> Fraction | None:
    """Target units for one source unit, exact; None where one of them has no price."""
    if source.code == target.code:
        return Fraction(1)
    if source.usd_price is None or target.usd_price is None:
        return None
    return Fraction(source.usd_price) / source.scale / (Fraction(target.usd_price) / target.scale)


def floor(value: Fraction) -> int:
    """Rounded down: what is shown of a balance."""
    return value.numerator // value.denominator


def ceil(value: Fraction) -> int:
    """Rounded up: what is charged (RULES 2)."""
    return -(-value.numerator // value.denominator)
