"""What a price is: exact rates in an asset, by token kind, unit and call, with tiers and start times."""

from datetime import datetime

import msgspec
from msgspec import Struct

NANO = 1_000_000_000
"""Rates are kept in nano-units: 10^-9 of the asset's smallest unit (RULES 2)."""

PPM = 1_000_000
"""A markup of PPM charges the list price."""

TOKEN_RATES = ("input_token", "output_token", "cached_input_token", "cache_write_token", "reasoning_token")


class Tier(Struct, frozen=True, omit_defaults=True):
    """Rates for requests whose input (cached or not) passes a number of tokens. They hold for the whole request."""

    above_input_tokens: int
    input_token: str | None = None
    output_token: str | None = None
    cached_input_token: str | None = None
    cache_write_token: str | None = None
    reasoning_token: str | None = None


class Rates(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Decimal strings in the price's asset, for one token, one unit, one call.

    A kind without a rate of its own takes its elder's: cached input and cache writes the input rate,
    reasoning the output rate.
    """

    input_token: str | None = None
    output_token: str | None = None
    cached_input_token: str | None = None
    cache_write_token: str | None = None
    reasoning_token: str | None = None
    call: str | None = None
    units: dict[str, str] = msgspec.field(default_factory=dict)
    tiers: tuple[Tier, ...] = ()


class Price(Struct, frozen=True):
    """One version of a price. `rates` None withdraws the model from `starts_at` on."""

    id: int
    provider_id: int | None
    model: str
    asset: str
    rates: Rates | None
    starts_at: datetime
    source: str
    created_by: str
    created_at: datetime


class NewPrice(Struct, frozen=True):
    """A version to be added."""

    model: str
    asset: str
    rates: Rates | None
    provider_id: int | None = None
    starts_at: datetime | None = None
    """None: now."""


class TakenIn(Struct, frozen=True):
    """What became of a list of prices: names of models."""

    added: list[str]
    unchanged: list[str]
    kept: list[str]
    """Set by hand here: the list did not replace them."""
