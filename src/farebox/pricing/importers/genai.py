"""The prices of the `genai-prices` package, in USD.

Its kinds are disjoint like ours, its tiers follow the same rule (the highest that the whole input passes), so that
rates carry over as they are. What has no kind of ours becomes a unit under its own name (`input_audio_tokens`,
`web_searches`, `audio_seconds`, …).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal, localcontext
from typing import Any

from msgspec.structs import replace

from farebox.pricing.importers import USD, Found
from farebox.pricing.types import NewPrice, Rates, Tier

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

    found = Found()
    plain: dict[str, list[NewPrice]] = {}
    by_id = {provider.id: provider for provider in providers}
    ordered = [by_id[name] for name in PLAIN if name in by_id]
    for provider in [*ordered, *(provider for provider in providers if provider.id not in PLAIN)]:
        for model in provider.models:
            versions = list(_versions(found, f"{provider.id}/{model.id}", model.prices, today))
            found.prices += versions
            if provider.id in PLAIN and versions:
                plain.setdefault(model.id, versions)
    full = {price.model for price in found.prices}  # some resell under names that look like another vendor's
    for name, versions in plain.items():
        if name not in full:
            found.prices += [replace(version, model=name) for version in versions]
    return found


def _versions(found: Found, model: str, prices: Any, today: date) -> Iterator[NewPrice]:
    """The version that holds on `today`, then those to come."""
    now, later = _holding(found, model, prices if isinstance(prices, list) else None, prices, today)
    if now is not None and (rates := _rates(found, model, now)) is not None:
        yield NewPrice(model, USD, rates)
    for start, price in later:
        rates = _rates(found, model, price)
        if rates is not None:
            yield NewPrice(model, USD, rates, starts_at=datetime.combine(start, time(), UTC))


def _holding(
    found: Found, model: str, conditional: list[Any] | None, only: Any, today: date
) -> tuple[Any, list[tuple[date, Any]]]:
    if conditional is None:
        return only, []
    now: Any = None
    later: list[tuple[date, Any]] = []
    for candidate in conditional:
        constraint = candidate.constraint
        if constraint is None:
            now = candidate.prices if now is None else now
        elif (start := getattr(constraint, "start_date", None)) is None:
            found.remark(model, "has prices by the time of day; the standard one was taken")
        elif start <= today:
            now = candidate.prices
        else:
            later.append((start, candidate.prices))
    return now, sorted(later, key=lambda version: version[0])


def _rates(found: Found, model: str, price: Any) -> Rates | None:
    """The rates of one price; None, with a remark, where it has none."""
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
        first = found.text(model, unit.usage_key, _one(getattr(value, "base", value), unit.per))
        if unit.usage_key == CALL and not steps:
            base["call"] = first
        elif kind is not None:
            base[kind] = first
            for step in steps:
                tiers.setdefault(step.start, {})[kind] = found.text(model, kind, _one(step.price, unit.per))
        elif steps:
            found.remark(model, f"{unit.usage_key}: has tiers, which units can't have; left out")
        else:
            units[unit.usage_key] = first
    if not base and not units:
        found.remark(model, "has no price")
        return None
    levels = tuple(Tier(start, **rates) for start, rates in sorted(_carried(base, tiers).items()))
    return Rates(**base, units=units, tiers=levels)


def _carried(base: dict[str, str], tiers: dict[int, dict[str, str]]) -> dict[int, dict[str, str]]:
    """Each tier with every rate: in the list, each kind has its own tiers, and the one below holds on."""
    carried: dict[int, dict[str, str]] = {}
    holding = {kind: rate for kind, rate in base.items() if kind != "call"}
    for start in sorted(tiers):
        holding = holding | tiers[start]
        carried[start] = holding
    return carried


def _one(price: Decimal, per: int) -> Decimal:
    with localcontext() as context:
        context.prec = 40
        return price / per
