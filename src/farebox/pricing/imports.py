"""What an import changes: the difference between a price list and what the book says."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from farebox.pricing.types import NewPrice, Rates, TakenIn

BY_HAND = frozenset({"api", "console"})
"""The sources of prices that somebody set one by one."""


class Standing(Struct, frozen=True):
    """What the book says from some moment on. `rates` None: withdrawn."""

    asset: str
    rates: Rates | None
    by_hand: bool


class Known(Struct):
    """What the book says of one model: what holds, and what is planned by its start."""

    now: Standing | None = None
    planned: dict[datetime, Standing] = msgspec.field(default_factory=dict)


def by_model(rows: Iterable[Mapping[str, Any]]) -> dict[str, Known]:
    """Rows of the book (`compared`) by model. Of several with one start, the last holds."""
    found: dict[str, Known] = {}
    for row in rows:
        known = found.setdefault(row["model"], Known())
        rates = None if row["rates"] is None else msgspec.json.decode(row["rates"], type=Rates)
        standing = Standing(row["asset"], rates, row["source"] in BY_HAND)
        if row["planned"]:
            known.planned[row["starts_at"]] = standing
        else:
            known.now = standing
    return found


def compare(
    prices: list[NewPrice], there: dict[str, Known], provider_id: int | None, at: datetime, *, replace: bool
) -> tuple[list[NewPrice], TakenIn]:
    """The versions to add at a moment, and what that means for each model."""
    plan: list[NewPrice] = []
    done = TakenIn([], [], [])
    by_name: dict[str, list[NewPrice]] = {}
    for price in prices:
        by_name.setdefault(price.model, []).append(price)
    for model, said in by_name.items():
        known = there.get(model, Known())
        changes = list(_changes(_timeline(said, at), known, replace=replace))
        plan += [msgspec.structs.replace(price, provider_id=provider_id) for price in changes]
        if changes:
            done.added.append(model)
        elif _by_hand(known) and not replace:
            done.kept.append(model)
        else:
            done.unchanged.append(model)
    return plan, done


def _timeline(said: list[NewPrice], at: datetime) -> dict[datetime | None, NewPrice]:
    """A list's prices of one model by start; None is what holds `at` that moment."""
    begun = [price for price in said if price.starts_at is None or price.starts_at <= at]
    timeline: dict[datetime | None, NewPrice] = {
        price.starts_at: price for price in said if price.starts_at is not None and price.starts_at > at
    }
    if begun:
        newest = sorted(begun, key=lambda price: price.starts_at or at)[-1]
        timeline[None] = msgspec.structs.replace(newest, starts_at=None)
    return timeline


def _changes(timeline: dict[datetime | None, NewPrice], known: Known, *, replace: bool) -> Iterator[NewPrice]:
    """Walks through both from now on, and adds a version wherever they part.

    So a planned change that is no longer in the list does not come about: what the list says instead starts then.
    """
    holding, wanted = known.now, timeline.get(None)
    later = sorted({start for start in timeline if start is not None} | known.planned.keys())
    for moment in (None, *later):
        if moment is not None:
            holding = known.planned.get(moment, holding)
            wanted = timeline.get(moment, wanted)
        if wanted is None or (holding is not None and holding.by_hand and not replace):
            continue
        if holding is None or (holding.asset, holding.rates) != (wanted.asset, wanted.rates):
            yield msgspec.structs.replace(wanted, starts_at=moment)
            holding = Standing(wanted.asset, wanted.rates, by_hand=False)


def _by_hand(known: Known) -> bool:
    return any(standing.by_hand for standing in (known.now, *known.planned.values()) if standing is not None)
