"""What an import changes: the difference between a price list and what the book says."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from farebox.pricing.types import NewPrice, Rates, TakenIn

BY_HAND = "api"
"""The source of prices that somebody set one by one."""


class Known(Struct):
    """What the book says of one model: what holds, and what is planned by its start."""

    asset: str = ""
    rates: Rates | None = None
    by_hand: bool = False
    planned: dict[datetime, tuple[str, Rates | None]] = msgspec.field(default_factory=dict)


def by_model(rows: Iterable[Mapping[str, Any]]) -> dict[str, Known]:
    """Rows of the book (`compared`) by model."""
    found: dict[str, Known] = {}
    for row in rows:
        known = found.setdefault(row["model"], Known())
        rates = None if row["rates"] is None else msgspec.json.decode(row["rates"], type=Rates)
        if row["planned"]:
            known.planned[row["starts_at"]] = (row["asset"], rates)
        else:
            known.asset, known.rates, known.by_hand = row["asset"], rates, row["source"] == BY_HAND
    return found


def compare(
    prices: list[NewPrice], there: dict[str, Known], provider_id: int | None, *, replace: bool
) -> tuple[list[NewPrice], TakenIn]:
    """The versions to add, and what that means for each model."""
    plan: list[NewPrice] = []
    kept: dict[str, None] = {}
    changed: dict[str, None] = {}
    for price in prices:
        known = there.get(price.model, Known())
        if known.by_hand and not replace:
            kept[price.model] = None
        elif _differs(price, known):
            changed[price.model] = None
            plan.append(msgspec.structs.replace(price, provider_id=provider_id))
    models = dict.fromkeys(price.model for price in prices)
    unchanged = [model for model in models if model not in changed and model not in kept]
    return plan, TakenIn(list(changed), unchanged, list(kept))


def _differs(price: NewPrice, known: Known) -> bool:
    if price.starts_at is None:
        return (known.asset, known.rates) != (price.asset, price.rates)
    return known.planned.get(price.starts_at) != (price.asset, price.rates)
