"""The arithmetic of a charge: usage × rates × markup, converted to the wallet's asset, rounded once, up.

Pure and in integers: no float, no Decimal on the hot path.
"""

from fractions import Fraction

from msgspec import Struct

from farebox.ledger.types import Usage
from farebox.money import parse_decimal
from farebox.pricing.types import NANO, PPM, Rates, Tier


class NotPriced(ValueError):
    """Something was used that the price has no rate for; the text is its kind."""


class BadRate(ValueError):
    """A rate that can't be kept; the text says why."""


class Level(Struct, frozen=True):
    """The rates above some number of input tokens, in nano-units."""

    above_input_tokens: int
    input: int | None
    output: int | None
    cached_input: int | None
    cache_write: int | None
    reasoning: int | None


class CompiledRates(Struct, frozen=True):
    """Rates ready for arithmetic: nano-units of the price's asset. Levels are in falling order."""

    levels: tuple[Level, ...]
    call: int | None
    units: dict[str, int]


class Line(Struct, frozen=True):
    """One line of a bill: `quantity` × `rate_nano` nano-units."""

    what: str
    quantity: int
    rate_nano: int


def compile_rates(rates: Rates, scale: int) -> CompiledRates:
    """Rates in nano-units of an asset with `scale` units per one; raises BadRate."""

    def nano(text: str | None, elder: int | None = None) -> int | None:
        return elder if text is None else to_nano(text, scale)

    def level(above: int, tier: Rates | Tier, base: Level | None) -> Level:
        input_ = nano(tier.input_token, None if base is None else base.input)
        output = nano(tier.output_token, None if base is None else base.output)
        # An elder's rate of the same level comes before the own rate of the level below.
        return Level(
            above,
            input_,
            output,
            nano(tier.cached_input_token, input_ if base is None or tier.input_token else base.cached_input),
            nano(tier.cache_write_token, input_ if base is None or tier.input_token else base.cache_write),
            nano(tier.reasoning_token, output if base is None or tier.output_token else base.reasoning),
        )

    base = level(0, rates, None)
    tiers = sorted(rates.tiers, key=lambda tier: tier.above_input_tokens, reverse=True)
    return CompiledRates(
        levels=(*(level(tier.above_input_tokens, tier, base) for tier in tiers), base),
        call=nano(rates.call),
        units={name: to_nano(text, scale) for name, text in rates.units.items()},
    )


def to_nano(text: str, scale: int) -> int:
    """A decimal price for one thing, in nano-units; raises BadRate where it is finer, negative or no decimal."""
    try:
        value = Fraction(parse_decimal(text)) * scale * NANO
    except ValueError as error:
        raise BadRate(str(error)) from None
    if value.denominator != 1:
        raise BadRate(f"finer than 10^-9 of the asset's unit ({scale} units are one)")
    if not 0 <= value.numerator < 2**63:
        raise BadRate("negative or too large")
    return value.numerator


def lines(rates: CompiledRates, usage: Usage) -> list[Line]:
    """What is billed, line by line; raises NotPriced."""
    level = _level(rates, usage)
    billed = [
        _line("input_token", usage.input_tokens, level.input),
        _line("cached_input_token", usage.cached_input_tokens, level.cached_input),
        _line("cache_write_token", usage.cache_write_tokens, level.cache_write),
        _line("output_token", usage.output_tokens, level.output),
        _line("reasoning_token", usage.reasoning_tokens, level.reasoning),
        _line("call", usage.calls, rates.call),
        *(_line(f"units.{name}", count, rates.units.get(name)) for name, count in usage.units),
    ]
    if rates.call is not None and not usage.calls:
        billed.append(Line("call", 1, rates.call))  # a charge is one call unless it says how many
    return [line for line in billed if line is not None]


def total_nano(rates: CompiledRates, usage: Usage) -> int:
    """What the usage costs in nano-units of the price's asset; raises NotPriced."""
    if usage.calls or usage.units or rates.call is not None:
        return sum(line.quantity * line.rate_nano for line in lines(rates, usage))
    level = rates.levels[0] if len(rates.levels) == 1 else _level(rates, usage)
    special = usage.cached_input_tokens or usage.cache_write_tokens or usage.reasoning_tokens
    if not special and level.input is not None and level.output is not None:
        return usage.input_tokens * level.input + usage.output_tokens * level.output
    total = 0
    for count, rate, kind in (
        (usage.input_tokens, level.input, "input_token"),
        (usage.output_tokens, level.output, "output_token"),
        (usage.cached_input_tokens, level.cached_input, "cached_input_token"),
        (usage.cache_write_tokens, level.cache_write, "cache_write_token"),
        (usage.reasoning_tokens, level.reasoning, "reasoning_token"),
    ):
        if count:
            if rate is None:
                raise NotPriced(kind)
            total += count * rate
    return total


def amount(nano: int, markup_ppm: int, conversion: Fraction) -> int:
    """Units of the wallet's asset: rounded once, up (RULES 2)."""
    return rounded(nano, *factor(markup_ppm, conversion))


def factor(markup_ppm: int, conversion: Fraction) -> tuple[int, int]:
    """What makes nano-units of a price units of a wallet: times the one, divided by the other."""
    return markup_ppm * conversion.numerator, NANO * PPM * conversion.denominator


def rounded(nano: int, times: int, divided_by: int) -> int:
    """Units of the wallet's asset, rounded up."""
    return -(-nano * times // divided_by)


def _level(rates: CompiledRates, usage: Usage) -> Level:
    whole_input = usage.input_tokens + usage.cached_input_tokens + usage.cache_write_tokens
    for level in rates.levels:
        if whole_input > level.above_input_tokens:
            return level
    return rates.levels[-1]


def _line(what: str, count: int, rate: int | None) -> Line | None:
    if not count:
        return None
    if rate is None:
        raise NotPriced(what)
    return Line(what, count, rate)
