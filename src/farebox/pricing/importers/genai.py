"""The prices of the `genai-prices` package, in USD.

Its kinds are disjoint like ours, its tiers follow the same rule (the highest that the whole input passes), so that
rates carry over as they are. What has no kind of ours becomes a unit under its own name (`input_audio_tokens`,
`web_searches`, `audio_seconds`, …).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, localcontext
from typing import Any

from msgspec.structs import replace

from farebox.pricing.importers import USD, Found, TooFine, carried, exact
from farebox.pricing.types import NewPrice, Rates

SOURCE = "genai-prices"

PLAIN = (
    "openai",
    "anthropic",
    "google",
    "mistral",
    "deepseek",
    "x-ai",
    "cohere",
    "meta",
    "moonshotai",
    "zai",
    "minimax",
    "perplexity",
    "voyageai",
    "elevenlabs",
    "groq",
    "cerebras",
)
"""Whose models are known by their plain names; where two have the same name, the first. `vendor/name` works for all."""

KINDS = {
    "input_tokens": "input_token",
    "output_tokens": "output_token",
    "cache_read_tokens": "cached_input_token",
    "cache_write_tokens": "cache_write_token",
    "output_reasoning_tokens": "reasoning_token",
}
CALL = "requests"


def read(today: date) -> Found:
    """Every model's price that holds on `today` or starts later."""
    from genai_prices.data import providers  # a large module: read when it is asked for

    return read_of(providers, today)


def read_of(providers: Sequence[Any], today: date) -> Found:
    """The same of some of the package's providers."""
    found = Found()
    plain: dict[str, list[NewPrice]] = {}
    by_id = {provider.id: provider for provider in providers}
    ordered = [by_id[name] for name in PLAIN if name in by_id]
    for provider in [*ordered, *(provider for provider in providers if provider.id not in PLAIN)]:
        for model in provider.models:
            versions = list(_versions(found, f"{provider.id}/{model.id}", model.prices, today))
            found.prices += versions
            if versions and model.price_variants:
                kinds = sorted({key for variant in model.price_variants for key in variant.when})
                found.remark(
                    f"{provider.id}/{model.id}", f"has other prices by {', '.join(kinds)}; the standard one was taken"
                )
            if provider.id in PLAIN and versions:
                plain.setdefault(model.id, versions)
    full = {price.model for price in found.prices}  # some resell under names that look like another vendor's
    for name, versions in plain.items():
        if name not in full:
            found.prices += [replace(version, model=name) for version in versions]
    return found


def _versions(found: Found, model: str, prices: Any, today: date) -> Iterator[NewPrice]:
    """The version that holds on `today`, then those to come."""
    holding: Any = None
    for start, price in _by_start(found, model, prices, today):
        if price is holding:
            continue
        holding = price
        try:
            rates = _rates(found, model, price)
        except TooFine as error:
            found.too_fine(model, error, "the model" if start <= today else f"its change of {start}")
            continue
        if rates is not None:
            moment = None if start <= today else datetime.combine(start, time(), UTC)
            yield NewPrice(model, USD, rates, starts_at=moment)


def _by_start(found: Found, model: str, prices: Any, today: date) -> Iterator[tuple[date, Any]]:
    """What holds on `today` and on each day on which that can change."""
    if not isinstance(prices, list):
        yield today, prices
        return
    by_day = [candidate for candidate in prices if candidate.constraint is None or _start(candidate) is not None]
    if len(by_day) < len(prices):
        found.remark(model, "has prices by the time of day; the standard one was taken")
    if not by_day:
        return
    starts = {start for candidate in by_day if (start := _start(candidate)) is not None and start > today}
    for day in (today, *sorted(starts)):
        begun = [candidate for candidate in by_day if (_start(candidate) or day) <= day]
        yield day, (begun[-1] if begun else by_day[0]).prices  # the package's own rule


def _start(candidate: Any) -> date | None:
    start: date | None = getattr(candidate.constraint, "start_date", None)
    return start


def _rates(found: Found, model: str, price: Any) -> Rates | None:
    """The rates of one price; None, with a remark, where it has none. Raises TooFine.

    A unit whose rate is too fine is only left out: charging it is refused. A token kind would take its elder's rate.
    """
    from genai_prices.units import _get_registry

    units_of = _get_registry()
    base: dict[str, str] = {}
    units: dict[str, str] = {}
    tiers: dict[int, dict[str, str]] = {}
    for key, value in vars(price).items():
        if value is None or key.startswith("_"):
            continue
        unit = units_of.unit_for_price_key(key)
        kind = KINDS.get(unit.usage_key)
        steps = getattr(value, "tiers", ())
        first = getattr(value, "base", value)
        if kind is not None:
            base[kind] = _one(unit, first)
            for step in steps:
                tiers.setdefault(step.start, {})[kind] = _one(unit, step.price)
        elif steps:
            found.remark(model, f"{unit.usage_key}: has tiers, which units can't have; left out")
        elif unit.usage_key == CALL:
            base["call"] = _one(unit, first)
        else:
            try:
                units[unit.usage_key] = _one(unit, first)
            except TooFine as error:
                found.too_fine(model, error, "this unit")
    if not base and not units:
        found.remark(model, "has no price")
        return None
    return Rates(**base, units=units, tiers=carried(base, tiers))


def _one(unit: Any, price: Decimal) -> str:
    with localcontext() as context:
        context.prec = 40
        return exact(unit.usage_key, price / unit.per)
