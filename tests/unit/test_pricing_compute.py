"""The arithmetic of a charge, against an oracle that is written the slow way: fractions of decimal strings."""

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from farebox.ledger.types import Usage
from farebox.money import decimal_text
from farebox.pricing.compute import BadRate, NotPriced, amount, compile_rates, lines, to_nano, total_nano
from farebox.pricing.types import NANO, PPM, TOKEN_RATES, Rates, Tier

SCALE = 1_000_000
ONE = Fraction(1)
COUNTS = dict(zip(TOKEN_RATES, ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens",
                                "reasoning_tokens"), strict=True))  # fmt: skip
ELDERS = {"cached_input_token": "input_token", "cache_write_token": "input_token", "reasoning_token": "output_token"}


def cost(rates: Rates, usage: Usage, markup: int = PPM, conversion: Fraction = ONE) -> int:
    nano = total_nano(compile_rates(rates, SCALE), usage)
    return amount(nano, markup, conversion)


def oracle_rate(rates: Rates, kind: str, whole_input: int) -> Fraction | None:
    """The rate of a kind by the words of the documentation."""
    passed = [tier for tier in rates.tiers if whole_input > tier.above_input_tokens]
    elder = ELDERS.get(kind)
    if passed:
        tier = max(passed, key=lambda tier: tier.above_input_tokens)
        for named in (kind, elder):
            if named is not None and (text := getattr(tier, named)) is not None:
                return Fraction(text)
    for named in (kind, elder):
        if named is not None and (text := getattr(rates, named)) is not None:
            return Fraction(text)
    return None


def oracle(rates: Rates, usage: Usage, markup: int, conversion: Fraction) -> int | None:
    """Units that are charged; None where something has no price."""
    whole = usage.input_tokens + usage.cached_input_tokens + usage.cache_write_tokens
    total = Fraction(0)
    for kind, count_of in COUNTS.items():
        if count := getattr(usage, count_of):
            rate = oracle_rate(rates, kind, whole)
            if rate is None:
                return None
            total += count * rate
    for name, count in usage.units:
        if count and name not in rates.units:
            return None
        total += count * Fraction(rates.units.get(name, "0"))
    if usage.calls and rates.call is None:
        return None
    total += (usage.calls or 1) * Fraction(rates.call or 0)
    return ceil(total * SCALE * Fraction(markup, PPM) * conversion)


counts = st.one_of(st.sampled_from([0, 1, 999, 1000, 1001, 200_000, 200_001]), st.integers(0, 10**9))
rate_texts = st.integers(0, 10**14).map(lambda nano: decimal_text(nano, 15))
some_rate = st.one_of(st.none(), rate_texts)
units = st.dictionaries(st.sampled_from(["images", "pages", "seconds"]), rate_texts, max_size=3)


@st.composite
def all_rates(draw: Any) -> Rates:
    def kinds() -> dict[str, str | None]:
        return {kind: draw(some_rate) for kind in TOKEN_RATES}

    starts = draw(st.lists(st.sampled_from([0, 1, 1000, 128_000, 200_000]), max_size=3, unique=True))
    tiers = tuple(Tier(start, **kinds()) for start in starts)
    return Rates(**kinds(), call=draw(some_rate), units=draw(units), tiers=tiers)


@st.composite
def all_usage(draw: Any) -> Usage:
    used = draw(st.dictionaries(st.sampled_from(["images", "pages", "seconds"]), counts, max_size=2))
    return Usage(
        **{name: draw(counts) for name in COUNTS.values()},
        calls=draw(st.sampled_from([0, 0, 1, 7])),
        units=tuple(used.items()),
    )


@given(
    all_rates(),
    all_usage(),
    st.one_of(st.just(PPM), st.integers(0, 10 * PPM)),
    st.one_of(st.just(ONE), st.fractions(min_value=Fraction(1, 10**6), max_value=10**6, max_denominator=10**6)),
)
def test_a_charge_is_what_the_slow_way_says(rates: Rates, usage: Usage, markup: int, conversion: Fraction) -> None:
    expected = oracle(rates, usage, markup, conversion)
    if expected is None:
        with pytest.raises(NotPriced):
            cost(rates, usage, markup, conversion)
        return
    assert cost(rates, usage, markup, conversion) == expected
    billed = lines(compile_rates(rates, SCALE), usage)
    assert sum(line.quantity * line.rate_nano for line in billed) == total_nano(compile_rates(rates, SCALE), usage)


TIERED = Rates(
    input_token="0.000001",
    output_token="0.000002",
    cached_input_token="0.0000005",
    reasoning_token="0.000003",
    tiers=(
        Tier(1000, input_token="0.00001", cached_input_token="0.000005"),
        Tier(200_000, output_token="0.00002"),
    ),
)

TABLE: list[tuple[str, Rates, Usage, int]] = [
    ("nothing costs nothing", TIERED, Usage(), 0),
    ("the last token below a tier", TIERED, Usage(input_tokens=1000), 1000),
    ("a tier holds for the whole request", TIERED, Usage(input_tokens=1001), 10_010),
    ("cached input counts towards a tier", TIERED, Usage(input_tokens=1, cached_input_tokens=1000), 10 + 5000),
    ("cache writes count towards a tier", TIERED, Usage(cache_write_tokens=1001), 10_010),
    ("output does not", TIERED, Usage(output_tokens=5000), 10_000),
    ("a tier without a rate keeps the one below all tiers", TIERED, Usage(1001, output_tokens=1), 10_012),
    ("the highest tier that is passed", TIERED, Usage(200_001, output_tokens=1), 200_001 + 20),
    ("reasoning as output in a tier that prices output", TIERED, Usage(200_001, reasoning_tokens=1), 200_001 + 20),
    ("reasoning has its own rate", TIERED, Usage(reasoning_tokens=1000), 3000),
    ("cache writes as input", TIERED, Usage(cache_write_tokens=1000), 1000),
    ("cached input as input", Rates(input_token="0.000001"), Usage(cached_input_tokens=5), 5),
    ("reasoning as output", Rates(output_token="0.000001"), Usage(reasoning_tokens=5), 5),
    ("a call without a count is one", Rates(call="0.01"), Usage(), 10_000),
    ("calls that are counted", Rates(call="0.01"), Usage(calls=3), 30_000),
    ("units by their names", Rates(units={"images": "0.04"}), Usage(units=(("images", 2),)), 80_000),
    ("a count of none needs no price", Rates(input_token="0.000001"), Usage(1, units=(("images", 0),)), 1),
    ("the smallest part of a unit is a unit", Rates(input_token="0.000000000000001"), Usage(input_tokens=1), 1),
    ("rounded once, not by line", Rates(input_token="0.0000003", output_token="0.0000003"), Usage(1, 1), 1),
    ("exact where it is exact", Rates(input_token="0.0000003"), Usage(input_tokens=10), 3),
    ("free is free", Rates(input_token="0"), Usage(input_tokens=10**9), 0),
]


@pytest.mark.parametrize(("rates", "usage", "units"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_rules_by_example(rates: Rates, usage: Usage, units: int) -> None:
    assert cost(rates, usage) == units
    assert oracle(rates, usage, PPM, ONE) == units


@pytest.mark.parametrize(
    ("usage", "kind"),
    [
        (Usage(input_tokens=1), "input_token"),
        (Usage(output_tokens=1), "output_token"),
        (Usage(cached_input_tokens=1), "cached_input_token"),
        (Usage(cache_write_tokens=1), "cache_write_token"),
        (Usage(reasoning_tokens=1), "reasoning_token"),
        (Usage(calls=1), "call"),
        (Usage(units=(("pages", 1),)), "units.pages"),
    ],
)
def test_what_has_no_price_is_named(usage: Usage, kind: str) -> None:
    with pytest.raises(NotPriced, match=f"^{kind}$"):
        cost(Rates(units={"images": "1"}), usage)


def test_markup_and_conversion_come_before_the_one_rounding() -> None:
    third = Rates(input_token="0.000001")
    assert cost(third, Usage(input_tokens=3), markup=1_333_333) == 4  # 3.999999
    assert cost(third, Usage(input_tokens=3), conversion=Fraction(1, 3)) == 1
    assert cost(third, Usage(input_tokens=4), conversion=Fraction(1, 3)) == 2
    assert cost(third, Usage(input_tokens=3), markup=0) == 0


@pytest.mark.parametrize(
    "text", ["-1", "nan", "Infinity", "1e400", "", "0x1", "1_0", " 1", "0.0000000000000001", "1e-16", "99999999999999"]
)
def test_rates_that_can_not_be_kept_are_refused(text: str) -> None:
    with pytest.raises(BadRate):
        to_nano(text, SCALE)


@given(st.integers(0, 2**63 - 1))
def test_every_rate_that_can_be_kept_is_kept_exactly(nano: int) -> None:
    assert to_nano(decimal_text(nano, 15), SCALE) == nano


@given(all_rates())
def test_the_order_of_tiers_does_not_matter(rates: Rates) -> None:
    turned = structs.replace(rates, tiers=rates.tiers[::-1])
    assert compile_rates(turned, SCALE) == compile_rates(rates, SCALE)


def test_a_whole_rate_is_in_nano_units() -> None:
    assert to_nano("1", SCALE) == SCALE * NANO
