"""Which version of a price holds: by provider, by time, by the names that stand for a model."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from farebox.ledger.types import Usage
from farebox.money import Asset
from farebox.pricing.book import Book, NotConvertible, UnknownModel, Version
from farebox.pricing.compute import NotPriced, compile_rates
from farebox.pricing.nearest import Names
from farebox.pricing.types import PPM, Rates

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OURS, OTHERS, ALL = 1, 2, None
RATES = compile_rates(Rates(input_token="0.000001"), 10**6)
ASSETS = {
    "USD": Asset("USD", "US dollar", 10**6, Decimal(1)),
    "TOKEN": Asset("TOKEN", "Token", 1000, Decimal("0.00001")),
    "GEM": Asset("GEM", "Gem", 1, None),
}


def hours(count: float) -> datetime:
    return NOW + timedelta(hours=count)


def version(number: int, starts: float = -1, rates: Any = RATES) -> Version:
    """Version `number`, that starts so many hours from now; `rates` None withdraws."""
    return Version(number, "USD", hours(starts), rates)


def book(versions: dict[tuple[int | None, str], list[Version]], **given: Any) -> Book:
    newest_first = {
        key: tuple(sorted(found, key=lambda v: (v.starts_at, v.id), reverse=True)) for key, found in versions.items()
    }
    base: dict[str, Any] = {"read_at": hours(-100), "assets": ASSETS, "markups": {}, "conversions": {}}
    return Book(revision=7, versions=newest_first, **base | given)


OWN, COMMON = (OURS, "m"), (ALL, "m")
HOLDS: list[tuple[str, dict[tuple[int | None, str], list[Version]], int | None, float | None]] = [
    ("the price for all", {COMMON: [version(1)]}, 1, None),
    ("the own price first", {COMMON: [version(1)], OWN: [version(2)]}, 2, None),
    ("another's own price is not ours", {(OTHERS, "m"): [version(2)]}, None, None),
    ("of two that have begun the later", {COMMON: [version(2, -3), version(1, -1)]}, 1, None),
    ("of equal starts the last added", {COMMON: [version(1), version(2)]}, 2, None),
    ("from its first moment on", {COMMON: [version(1), version(2, 0)]}, 2, None),
    ("not before it begins", {COMMON: [version(1), version(2, 0.001)]}, 1, 0.001),
    ("only one to come", {COMMON: [version(1, 5)]}, None, None),
    ("the nearest change counts", {COMMON: [version(1), version(2, 5), version(3, 4)]}, 1, 4),
    ("an own price to come ends the one for all", {COMMON: [version(1), version(2, 9)], OWN: [version(3, 4)]}, 1, 4),
    ("a change for all does not end an own price", {COMMON: [version(1), version(2, 4)], OWN: [version(3)]}, 3, None),
    ("withdrawn", {COMMON: [version(1, -2), version(2, -1, None)]}, None, None),
    ("withdrawn later", {COMMON: [version(1), version(2, 3, None)]}, 1, 3),
    ("back again", {COMMON: [version(1, -2, None), version(2)]}, 2, None),
    (
        "an own price that was withdrawn leaves that for all",
        {OWN: [version(1, -1, None)], COMMON: [version(2)]},
        2,
        None,
    ),
]


@pytest.mark.parametrize(("versions", "held", "until"), [row[1:] for row in HOLDS], ids=[row[0] for row in HOLDS])
def test_the_version_that_holds(
    versions: dict[tuple[int | None, str], list[Version]], held: int | None, until: float | None
) -> None:
    if held is None:
        with pytest.raises(UnknownModel):
            book(versions).find(OURS, "m", NOW)
    else:
        found, _, change = book(versions).find(OURS, "m", NOW)
        assert (found.id, change) == (held, None if until is None else hours(until))


def test_a_clock_that_is_behind_the_databases_finds_the_price_that_was_just_set() -> None:
    just_set = book({COMMON: [version(1, 0.5)]}, read_at=hours(0.5))
    assert just_set.find(OURS, "m", NOW)[0].id == 1


SINCE: list[tuple[str, dict[tuple[int | None, str], list[Version]], float | None]] = [
    ("begun when the book was read", {COMMON: [version(1)]}, None),
    ("begun since", {COMMON: [version(1), version(2, 1)]}, 1),
    ("the last that has", {COMMON: [version(1), version(2, 1), version(3, 2)]}, 2),
    ("an own price", {COMMON: [version(1)], OWN: [version(2, 1)]}, 1),
    ("an own price that was withdrawn since", {COMMON: [version(1)], OWN: [version(2), version(3, 1, None)]}, 1),
    ("that of what it stands for", {(ALL, "vendor/m"): [version(1), version(2, 1)]}, 1),
]


@pytest.mark.parametrize(("versions", "since"), [row[1:] for row in SINCE], ids=[row[0] for row in SINCE])
def test_what_only_this_machines_clock_says_is_told(
    versions: dict[tuple[int | None, str], list[Version]], since: float | None
) -> None:
    read_now = book(versions, read_at=NOW, aliases=rules)
    told = read_now.quote(OURS, "m", Usage(input_tokens=1), "USD", hours(2.5)).pricing.since
    assert told == (None if since is None else hours(since))


def rules(model: str) -> tuple[str, ...]:
    return {"m-2026": ("m", "vendor/m"), "m": ("vendor/m",), "lost": ("nowhere",)}.get(model, ())


FULL = (ALL, "vendor/m")
ALIASES: list[tuple[str, str, dict[tuple[int | None, str], list[Version]], int | None, float | None]] = [
    ("a name that stands for a model", "m-2026", {COMMON: [version(1)], FULL: [version(2)]}, 1, None),
    ("the next name where the first is not there", "m-2026", {FULL: [version(2)]}, 2, None),
    ("an exact name comes first", "m-2026", {(ALL, "m-2026"): [version(3)], COMMON: [version(1)]}, 3, None),
    ("the own price of what it stands for", "m-2026", {OWN: [version(4)], COMMON: [version(1)]}, 4, None),
    ("a price to come for the exact name", "m-2026", {(ALL, "m-2026"): [version(3, 2)], COMMON: [version(1)]}, 1, 2),
    ("what it stands for changes", "m-2026", {COMMON: [version(1), version(5, 6)]}, 1, 6),
    ("a withdrawn model stays withdrawn", "m", {COMMON: [version(1, -1, None)], FULL: [version(2)]}, None, None),
    ("so does what stands for it", "m-2026", {COMMON: [version(1, -1, None)], FULL: [version(2)]}, None, None),
    ("a name for nothing", "lost", {COMMON: [version(1)]}, None, None),
]


@pytest.mark.parametrize(("model", "versions", "held", "until"), [r[1:] for r in ALIASES], ids=[r[0] for r in ALIASES])
def test_names_that_stand_for_a_model(
    model: str, versions: dict[tuple[int | None, str], list[Version]], held: int | None, until: float | None
) -> None:
    filled = book(versions, aliases=rules)
    if held is None:
        with pytest.raises(UnknownModel):
            filled.find(OURS, model, NOW)
    else:
        found, _, change = filled.find(OURS, model, NOW)
        assert (found.id, change) == (held, None if until is None else hours(until))


def test_a_quote_says_by_which_price_and_until_when() -> None:
    filled = book({COMMON: [version(1), version(2, 4)]}, markups={OURS: 1_500_000})
    quote = filled.quote(OURS, "m", Usage(input_tokens=3), "TOKEN", NOW)
    assert quote.amount == 450  # 0.000003 USD × 1.5 in thousandths of a token of 0.00001 USD
    assert quote.pricing.price_id == 1
    assert (quote.pricing.markup_ppm, quote.pricing.revision, quote.pricing.until) == (1_500_000, 7, hours(4))
    assert Fraction(quote.pricing.conversion or 0) == 100
    plain = filled.quote(OTHERS, "m", Usage(input_tokens=3), "USD", NOW)
    assert (plain.amount, plain.pricing.markup_ppm, plain.pricing.conversion) == (3, PPM, None)


def test_a_quote_of_a_moment_is_that_of_a_book_that_was_never_asked() -> None:
    """What is remembered of one moment does not hold at another, before or after."""
    versions = {COMMON: [version(1, -3), version(2, 1), version(3, 2)], OWN: [version(4, 3), version(5, 4, None)]}
    asked, usage = book(versions), Usage(input_tokens=3)
    for moment in (0, 1.5, 0.5, 3.5, 2.5, 5, 1, 2, 3, 4, -1, 0):
        for asset in ("USD", "TOKEN"):
            for provider in (OURS, OTHERS):
                fresh = book(versions).quote(provider, "m", usage, asset, hours(moment))
                assert asked.quote(provider, "m", usage, asset, hours(moment)) == fresh


def test_what_has_no_rate_is_told_before_what_has_no_conversion() -> None:
    priced = version(1, rates=compile_rates(Rates(output_token="1"), 10**6))
    with pytest.raises(NotPriced):
        book({COMMON: [priced]}).quote(OURS, "m", Usage(input_tokens=3), "GEM", NOW)


def test_an_asset_without_a_price_converts_to_nothing() -> None:
    with pytest.raises(NotConvertible):
        book({COMMON: [version(1)]}).quote(OURS, "m", Usage(input_tokens=3), "GEM", NOW)


def test_the_nearest_names_have_a_price_for_this_provider() -> None:
    filled = book(
        {
            (ALL, "gpt-4o"): [version(1)],
            (ALL, "gpt-4o-gone"): [version(2, -1, None)],
            (ALL, "gpt-4o-soon"): [version(3, 1)],
            (OTHERS, "gpt-4o-theirs"): [version(4)],
            (OURS, "gpt-4o-ours"): [version(5)],
            (ALL, "whisper"): [version(6)],
        }
    )
    with pytest.raises(UnknownModel) as raised:
        filled.find(OURS, "gpt-4o-", NOW)
    assert raised.value.nearest == ["gpt-4o", "gpt-4o-ours"]


MANY = [f"{vendor}/model-{number}-{size}" for vendor in ("a", "b", "c") for number in range(99) for size in ("s", "l")]
NEAR = [
    ("gpt-4-o", "gpt-4o"),
    ("GPT-4O", "gpt-4o"),
    ("gpt4o", "gpt-4o"),
    ("claude-sonet", "claude-sonnet"),
    ("laude-sonnet", "claude-sonnet"),
    ("a/model-17s", "a/model-17-s"),
]


@pytest.mark.parametrize(("asked", "meant"), NEAR)
def test_a_slip_finds_the_name_that_was_meant(asked: str, meant: str) -> None:
    names = Names(["gpt-4o", "gpt-4.1", "claude-sonnet", "claude-opus", *MANY])
    assert meant in names.like(asked, 3, lambda name: True)


@pytest.mark.parametrize("asked", ["", "zzz", "\0", "é" * 200, "x" * 10**6, "😀"])
def test_what_resembles_nothing_finds_nothing(asked: str) -> None:
    assert Names(["gpt-4o", *MANY]).like(asked, 3, lambda name: True) == []


def test_only_so_many_names_are_looked_at_closely() -> None:
    looked_at: list[str] = []

    def allowed(name: str) -> bool:
        looked_at.append(name)
        return True

    assert len(Names(MANY).like("a/model-" * 1000, 3, allowed)) <= 3
    assert 0 < len(looked_at) <= 12
