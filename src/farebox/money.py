"""Exact amounts: integer units of an asset, decimal text, and the conversions between them.

No float is ever made from an amount (RULES 1). `scale` is units per one: 1 USD = 1000000 units.
"""

import re
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

MAX_UNITS = 2**63 - 1
_PRICE_DIGITS = 15
"""Decimals that a price of an asset can have."""
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?", re.ASCII)
_COMMA = re.compile(r"[0-9]+,[0-9]+", re.ASCII)
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,2})?", re.ASCII)


class Asset(Struct, frozen=True):
    """What is counted. `usd_price` is USD for one, exact; without it the asset converts to nothing else."""

    code: str
    name: str
    scale: int
    usd_price: Decimal | None


class NotExact(ValueError):
    """A decimal that is finer than its asset's unit."""


class TwoReadings(ValueError):
    """A text such as `1,500`, which is one and a half to some and fifteen hundred to others."""


def parse_decimal(text: str) -> Decimal:
    """The exact value of a JSON number's text or of a decimal string; ValueError for anything else."""
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError("not a plain decimal number")
    return Decimal(text)


def typed_decimal(text: str, *, whole: bool = False) -> Decimal:
    """A number as people type it: `1234.5`, `1,234.50` or, as many phones' keys have it, `1234,5`.

    Raises TwoReadings for `1,234` unless it has to be a `whole` number, ValueError for what is no number.
    """
    grouped, comma = _GROUPED.fullmatch(text), _COMMA.fullmatch(text)
    if grouped and comma and not whole:
        raise TwoReadings("a comma that may part thousands or begin a fraction")
    return parse_decimal(text.replace(",", "" if grouped else "." if comma else ","))


def to_units(value: Decimal, scale: int) -> int:
    """A decimal amount in units; raises NotExact where the asset has no such fraction."""
    ones_, parts = value.as_integer_ratio()
    units, left = divmod(ones_ * scale, parts)
    if left:
        raise NotExact(f"finer than 1/{scale}")
    return units


def decimal_text(number: int, digits: int) -> str:
    """`number` × 10^-`digits` as plain text without trailing zeros; exact for any length."""
    sign, text = "-" if number < 0 else "", str(abs(number)).zfill(digits + 1)
    whole, fraction = text[: len(text) - digits], text[len(text) - digits :].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def ones(units: int, scale: int) -> str:
    """Units as ones of their asset: `ones(1500000, 1000000)` is `1.5`."""
    return decimal_text(units, len(str(scale)) - 1)


def usd_of(units: int, asset: Asset) -> str | None:
    """What units are worth in USD, exact; None for an asset without a price."""
    if asset.usd_price is None:
        return None
    digits = len(str(asset.scale)) - 1 + _PRICE_DIGITS
    ones_, parts = asset.usd_price.as_integer_ratio()
    return decimal_text(units * (ones_ * 10**_PRICE_DIGITS // parts), digits)


def show(units: int, asset: Asset) -> str:
    """An amount for people: `1,204.0042 USD`."""
    whole, point, fraction = ones(units, asset.scale).partition(".")
    return f"{int(whole):,}{point}{fraction} {asset.code}" if whole != "-0" else f"-0{point}{fraction} {asset.code}"


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
