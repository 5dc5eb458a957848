"""The price book, and quotes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote as quoted

from farebox.client.call import Call, Listing, decimal, delete, get, given, part, post, put
from farebox.client.types import Page, Price, PriceImported, Quote, Tier, Usage

EVERYBODY = "*"
"""The book for all providers."""

Rate = str | Decimal | int


def put_price(
    model: str,
    asset: str,
    *,
    provider: str = EVERYBODY,
    input_token: Rate | None = None,
    output_token: Rate | None = None,
    cached_input_token: Rate | None = None,
    cache_write_token: Rate | None = None,
    reasoning_token: Rate | None = None,
    call: Rate | None = None,
    units: Mapping[str, Rate] | None = None,
    tiers: Sequence[Tier] = (),
    starts_at: datetime | None = None,
) -> Call[Price]:
    """Adds a version of a model's price: ones of the asset for one token, call or unit, as exact decimals."""
    body: dict[str, Any] = {
        "asset": asset,
        "input_token": decimal(input_token),
        "output_token": decimal(output_token),
        "cached_input_token": decimal(cached_input_token),
        "cache_write_token": decimal(cache_write_token),
        "reasoning_token": decimal(reasoning_token),
        "call": decimal(call),
        "units": {name: decimal(rate) for name, rate in (units or {}).items()},
        "tiers": list(tiers),
        "starts_at": starts_at,
    }
    return put(_path(provider, model), body, Price)


def list_prices(provider: str = EVERYBODY) -> Listing[Price]:
    """The prices that hold now: a provider's own, or the book for all."""
    return Listing("/v1/prices", Page[Price], given({"provider": provider}))


def price_versions(model: str, *, provider: str = EVERYBODY) -> Call[list[Price]]:
    """The versions of a model's price, newest first."""
    return get(_path(provider, model), list[Price])


def withdraw_price(model: str, *, provider: str = EVERYBODY) -> Call[None]:
    """Withdraws a model's price from now on."""
    return delete(_path(provider, model))


def import_prices(
    prices: Sequence[Mapping[str, Any]],
    *,
    provider: str = EVERYBODY,
    source: str = "import",
    replace: bool = False,
    dry_run: bool = False,
) -> Call[PriceImported]:
    """Takes in a price list: what differs becomes a new version.

    Each has `model`, `asset` and rates as decimal strings, as `put_price` takes them.
    """
    body = {
        "prices": [dict(price) for price in prices],
        "provider": provider,
        "source": source,
        "replace": replace,
        "dry_run": dry_run,
    }
    return post("/v1/prices/import", body, PriceImported, repeatable=True)


def quote(provider: str, model: str, usage: Usage, *, asset: str = "USD") -> Call[Quote]:
    """What usage would cost now, in units of `asset`. Nothing is charged."""
    body = {"provider": provider, "model": model, "usage": usage, "asset": asset}
    return post("/v1/quotes", body, Quote, repeatable=True)


def _path(provider: str, model: str) -> str:
    # A model's name may hold slashes, which stand as they are.
    if any(not step.strip(".") for step in model.split("/")):
        raise ValueError("this model's name would be another address")
    return f"/v1/prices/{part(provider)}/{quoted(model, safe='/:')}"
