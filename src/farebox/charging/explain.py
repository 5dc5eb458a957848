"""How an amount came about, to the last digit: from the usage and the price version that are kept with it."""

from fractions import Fraction

from msgspec import Struct

from farebox.ledger.types import Usage
from farebox.money import Asset, decimal_text
from farebox.pricing.compute import compile_rates, lines
from farebox.pricing.types import NANO, PPM, Price
from farebox.wallets.types import TransferRecord


class CostLine(Struct, frozen=True):
    """`quantity` × `rate` = `cost`, exact, in the price's asset."""

    what: str
    quantity: int
    rate: str
    cost: str


class Sum(Struct, frozen=True):
    """The steps from usage to amount. `converted` and `rounded_up_by` are in the wallet's asset."""

    lines: list[CostLine]
    subtotal: str
    markup: str
    converted: str
    rounded_up_by: str


def usage_of(record: TransferRecord) -> Usage:
    """The usage that is kept with a charge."""
    return Usage(
        input_tokens=record.input_tokens or 0,
        output_tokens=record.output_tokens or 0,
        cached_input_tokens=record.cached_input_tokens or 0,
        cache_write_tokens=record.cache_write_tokens or 0,
        reasoning_tokens=record.reasoning_tokens or 0,
        calls=record.calls or 0,
        units=tuple((record.units or {}).items()),
    )


def explain(record: TransferRecord, price: Price, assets: dict[str, Asset]) -> Sum:
    """Computes the amount again, step by step."""
    assert price.rates is not None
    source, target = assets[price.asset], assets[record.asset]
    billed = lines(compile_rates(price.rates, source.scale), usage_of(record))
    nano = sum(line.quantity * line.rate_nano for line in billed)
    markup_ppm = PPM if record.markup_ppm is None else record.markup_ppm
    exact = Fraction(nano * markup_ppm, NANO * PPM) * Fraction(record.conversion or 1)
    return Sum(
        lines=[
            CostLine(
                line.what, line.quantity, _ones(line.rate_nano, source), _ones(line.quantity * line.rate_nano, source)
            )
            for line in billed
        ],
        subtotal=_ones(nano, source),
        markup=decimal_text(markup_ppm, 6),
        converted=_decimal(exact / target.scale),
        rounded_up_by=_decimal((record.amount - exact) / target.scale),
    )


def _ones(nano: int, asset: Asset) -> str:
    return _decimal(Fraction(nano, NANO * asset.scale))


def _decimal(value: Fraction) -> str:
    """The exact decimal where there is one; else 30 digits and an ellipsis."""
    twos, rest = _factors(value.denominator, 2)
    fives, rest = _factors(rest, 5)
    digits = max(twos, fives) if rest == 1 else 30
    scaled = value * 10**digits
    return decimal_text(scaled.numerator // scaled.denominator, digits) + ("" if rest == 1 else "…")


def _factors(number: int, prime: int) -> tuple[int, int]:
    count = 0
    while number % prime == 0:
        number //= prime
        count += 1
    return count, number
