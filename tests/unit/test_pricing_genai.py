"""The `genai-prices` package's prices: every one that is taken in costs what the package itself says, exactly."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices.data import providers
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)
from genai_prices.units import _get_registry

from farebox.ledger.types import Usage
from farebox.pricing.aliases import _match, canonical
from farebox.pricing.compute import compile_rates, total_nano
from farebox.pricing.importers import Found, genai
from farebox.pricing.types import NANO, NewPrice, Rates

TODAY = date(2026, 6, 1)
SCALE = 1_000_000
COUNTS = {"input_token": "input_tokens", "output_token": "output_tokens", "cached_input_token": "cached_input_tokens",
          "cache_write_token": "cache_write_tokens", "reasoning_token": "reasoning_tokens"}  # fmt: skip
USAGE_KEYS = {ours: theirs for theirs, ours in genai.KINDS.items()}
MODELS = {f"{provider.id}/{model.id}": model for provider in providers for model in provider.models}


@pytest.fixture(scope="module")
def found() -> Found:
    return genai.read(TODAY)


def sample(rates: Rates, count: Any) -> dict[str, int]:
    """Counts for every kind that can be charged, by the kind's name; units stand by their own."""
    kinds: list[str] = []
    if rates.input_token is not None:
        kinds += ["input_token", "cached_input_token", "cache_write_token"]
    if rates.output_token is not None:
        kinds += ["output_token", "reasoning_token"]
    kinds += [kind for kind in COUNTS if kind not in kinds and getattr(rates, kind) is not None]
    # A unit never counts towards our tiers, so where there are tiers it has to stay away.
    names = [name for name in rates.units if not (rates.tiers and name.startswith(("input", "cache")))]
    return {name: count() for name in (*kinds, *names)}


def ours(rates: Rates, counts: dict[str, int]) -> Fraction:
    """USD by our arithmetic."""
    kinds = {COUNTS[kind]: count for kind, count in counts.items() if kind in COUNTS}
    units = tuple((name, count) for name, count in counts.items() if name not in COUNTS)
    return Fraction(total_nano(compile_rates(rates, SCALE), Usage(**kinds, units=units)), NANO * SCALE)


def theirs(price: ModelPrice, counts: dict[str, int]) -> Fraction:
    """USD by the package. Its counts are no disjoint kinds: one contains those that are more special."""
    registry = _get_registry()
    special = {registry.units[USAGE_KEYS.get(name, name)].usage_key: count for name, count in counts.items()}
    whole = {
        key: sum(
            count
            for name, count in special.items()
            if unit.dimensions.items() <= registry.units[name].dimensions.items()
        )
        for key, unit in registry.units.items()
        if key != "requests"
    }
    with localcontext() as context:
        context.prec = 80
        return Fraction(price.calc_price(TheirUsage(**whole))["total_price"])


def usages(rates: Rates, chance: random.Random) -> Iterator[dict[str, int]]:
    yield sample(rates, lambda: 0)
    yield sample(rates, lambda: 1)
    yield sample(rates, lambda: chance.randint(0, 2_000_000))
    for tier in rates.tiers:
        rest = {"input_token": tier.above_input_tokens - 7, "cached_input_token": 3, "output_token": 11}
        yield {kind: count for kind, count in rest.items() if kind in sample(rates, int)} | {"cache_write_token": 4}
        yield {"input_token": tier.above_input_tokens + 1}


def test_every_price_is_what_the_package_says(found: Found) -> None:
    chance = random.Random(0)
    checked = 0
    for price in found.prices:
        if price.model not in MODELS or price.rates is None:
            continue
        at = datetime.combine(TODAY, time(), UTC) if price.starts_at is None else price.starts_at
        for counts in usages(price.rates, chance):
            assert ours(price.rates, counts) == theirs(MODELS[price.model].get_prices(at), counts), (price, counts)
            checked += 1
    assert checked > 4000


def test_nothing_is_dropped_in_silence(found: Found) -> None:
    taken = {price.model: price for price in found.prices}
    said = {(remark.model, remark.reason.partition(":")[0]) for remark in found.remarks}
    for name, model in MODELS.items():
        if name not in taken:
            assert any(model == name for model, _ in said), name
            continue
        if model.price_variants:
            assert any(model == name and "other prices by" in reason for model, reason in said), name
        price, rates = model.get_prices(datetime.combine(TODAY, time(), UTC)), taken[name].rates
        assert rates is not None
        for key, value in vars(price).items():
            if value is None or taken[name].starts_at is not None:
                continue
            usage_key = _get_registry().unit_for_price_key(key).usage_key
            kind = "call" if usage_key == "requests" else genai.KINDS.get(usage_key)
            kept = usage_key in rates.units if kind is None else getattr(rates, kind) is not None
            assert kept or (name, usage_key) in said, (name, key)


def test_the_list_is_worth_having(found: Found) -> None:
    names = {price.model for price in found.prices}
    assert names >= {"gpt-4o", "openai/gpt-4o", "claude-3-5-sonnet", "anthropic/claude-3-5-sonnet"}
    assert len(names) > 2000
    assert {price.asset for price in found.prices} == {"USD"}
    assert all(1 <= len(name) <= 200 for name in names)


def test_a_plain_name_is_the_first_vendors(found: Found) -> None:
    full = {price.model: price.rates for price in found.prices if price.starts_at is None}
    for name, rates in full.items():
        sellers = [vendor for vendor in genai.PLAIN if f"{vendor}/{name}" in full]
        if name not in MODELS:
            assert rates == full[f"{sellers[0]}/{name}"], name


def one(prices: Any, today: date = TODAY) -> Found:
    """What the importer makes of one model of one small vendor."""
    model = ModelInfo(id="m", match=ClauseEquals("m"), prices=prices)
    return genai.read_of([Provider(id="tiny", name="Tiny", api_pattern="tiny", models=[model])], today)


def price_of(text: str) -> ModelPrice:
    return ModelPrice(input_mtok=Decimal(text))


def test_rates_are_for_one_token_and_exact() -> None:
    price = ModelPrice(
        input_mtok=TieredPrices(base=Decimal("1.25"), tiers=[Tier(start=200_000, price=Decimal("2.5"))]),
        output_mtok=Decimal("10"),
        cache_read_mtok=Decimal("0.000001"),
        output_audio_mtok=Decimal("64"),
        web_searches_kcount=Decimal("35"),
        requests_kcount=Decimal("5"),
    )
    (taken,) = one(price).prices
    assert taken == NewPrice("tiny/m", "USD", taken.rates)
    assert taken.rates == Rates(
        input_token="0.00000125",
        output_token="0.00001",
        cached_input_token="0.000000000001",
        call="0.005",
        units={"output_audio_tokens": "0.000064", "web_searches": "0.035"},
        tiers=taken.rates.tiers if taken.rates else (),
    )
    (tier,) = taken.rates.tiers
    assert (tier.above_input_tokens, tier.input_token) == (200_000, "0.0000025")
    assert (tier.output_token, tier.cached_input_token) == ("0.00001", "0.000000000001")


def test_a_token_rate_that_is_too_fine_leaves_the_model_out_and_is_said() -> None:
    found = one(ModelPrice(input_mtok=Decimal("1"), cache_read_mtok=Decimal("0.0833333333333")))
    assert found.prices == []
    assert [(remark.model, remark.reason.split(":")[0]) for remark in found.remarks] == [
        ("tiny/m", "cache_read_tokens")
    ]


def test_a_unit_that_is_too_fine_is_only_left_out() -> None:
    found = one(ModelPrice(input_mtok=Decimal("1"), audio_hours=Decimal("0.111")))
    assert [price.rates for price in found.prices] == [Rates(input_token="0.000001")]
    assert "audio_seconds" in found.remarks[0].reason


def test_a_model_without_a_price_is_said() -> None:
    found = one(ModelPrice())
    assert (found.prices, [remark.reason for remark in found.remarks]) == ([], ["has no price"])


def start(days: int) -> StartDateConstraint:
    return StartDateConstraint(TODAY + timedelta(days))


NIGHT = TimeOfDateConstraint(time(1, tzinfo=UTC), time(4, tzinfo=UTC))
DATED: list[tuple[str, list[tuple[Any, str]], list[tuple[int | None, str]]]] = [
    ("the last that has begun", [(None, "1"), (start(-9), "2"), (start(-1), "3")], [(None, "3")]),
    ("begins today", [(None, "1"), (start(0), "2")], [(None, "2")]),
    ("what is to come", [(None, "1"), (start(1), "2"), (start(5), "3")], [(None, "1"), (1, "2"), (5, "3")]),
    ("the last in the list wins, not the latest", [(start(-1), "1"), (start(-9), "2")], [(None, "2")]),
    ("none has begun: the first", [(start(3), "1"), (start(5), "2")], [(None, "1"), (5, "2")]),
    ("an unconditional one at the end wins for ever", [(start(-1), "1"), (start(1), "2"), (None, "3")], [(None, "3")]),
    ("a time of day is not for us", [(None, "1"), (NIGHT, "9")], [(None, "1")]),
]


@pytest.mark.parametrize(("prices", "expected"), [row[1:] for row in DATED], ids=[row[0] for row in DATED])
def test_versions_by_date(prices: list[tuple[Any, str]], expected: list[tuple[int | None, str]]) -> None:
    conditional = [ConditionalPrice(constraint, prices=price_of(text)) for constraint, text in prices]
    found = one(conditional)
    midnight = datetime.combine(TODAY, time(), UTC)
    assert [
        (price.starts_at, price.rates.input_token if price.rates else None) for price in found.prices
    ] == [
        (None if days is None else midnight + timedelta(days), f"0.00000{text}") for days, text in expected
    ]  # fmt: skip
    model = ModelInfo(id="m", match=ClauseEquals("m"), prices=conditional)
    for price in found.prices:
        assert theirs(model.get_prices(price.starts_at or midnight), {"input_token": 1}) == Fraction(
            price.rates.input_token if price.rates and price.rates.input_token else "0"
        )


ALIASES = [
    ("gpt-4o-2024-11-20", ("gpt-4o", "openai/gpt-4o")),
    ("openai/gpt-4o-2024-11-20", ("openai/gpt-4o",)),
    ("GPT-4o", ("gpt-4o", "openai/gpt-4o")),
    ("claude-3-opus-20240229", None),
    ("my-claude-v2-clone", ()),
    ("not-gemini-1.5-pro-at-all", ()),
    ("no-such-model", ()),
    ("", ()),
    ("nobody/gpt-4o", ()),
    ("\0" * 200, ()),
]


@pytest.mark.parametrize(("name", "expected"), ALIASES)
def test_a_name_goes_by_anothers_price_only_by_a_rule(name: str, expected: tuple[str, ...] | None) -> None:
    if expected is None:
        assert canonical(name)[0].startswith("claude-3-opus")
    else:
        assert canonical(name) == expected


NO_SPEECH = ClauseRegex("^(?!.*-tts$)")
RULES: list[tuple[Any, str, bool]] = [
    (ClauseEquals("x-1"), "X-1", True),
    (ClauseStartsWith("x-1"), "x-1-mini", True),
    (ClauseRegex(r"^x-1-\d+$"), "x-1-9", True),
    (ClauseRegex(r"^x-1-\d{4}-\d{2}-\d{2}$"), "x-1-20260131", True),
    (ClauseRegex(r"x-1"), "my-x-1", False),
    (ClauseContains("x-1"), "x-1-mini", True),
    (ClauseContains("x-1"), "my-x-1", False),
    (ClauseEndsWith("x-1"), "x-1", True),
    (ClauseEndsWith("x-1"), "my-x-1", False),
    (ClauseOr([ClauseEquals("y"), ClauseStartsWith("x")]), "x-1", True),
    (ClauseAnd([ClauseStartsWith("x"), NO_SPEECH]), "x-1", True),
    (ClauseAnd([ClauseStartsWith("x"), NO_SPEECH]), "x-1-tts", False),
    (ClauseAnd([ClauseContains("x"), NO_SPEECH]), "my-x-1", False),
]


@pytest.mark.parametrize(("rule", "name", "stands"), RULES)
def test_a_rule_counts_that_knows_the_name_from_its_beginning(rule: Any, name: str, stands: bool) -> None:
    vendor = Provider(id="v", name="V", api_pattern="v", models=[ModelInfo(id="x-1", match=rule)])
    assert _match(vendor, name) == ("x-1" if stands else None)


def test_names_that_stand_for_a_model_lead_into_the_book(found: Found) -> None:
    names = {price.model for price in found.prices} | {remark.model for remark in found.remarks}
    for name in names:
        assert all(other in names for other in canonical(name)), name
