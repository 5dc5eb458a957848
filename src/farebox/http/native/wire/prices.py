"""Prices and quotes."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from farebox.http.native.wire.charges import UsageBody
from farebox.http.native.wire.fields import AssetCode, Body, Count, DecimalText, Model, Moment, Slug


class TierBody(Body, frozen=True):
    above_input_tokens: Count
    input_token: DecimalText | None = None
    output_token: DecimalText | None = None
    cached_input_token: DecimalText | None = None
    cache_write_token: DecimalText | None = None
    reasoning_token: DecimalText | None = None


class PriceBody(Body, frozen=True):
    """Prices of one model, in ones of the asset (not units), for one token, call or unit."""

    asset: AssetCode
    input_token: DecimalText | None = None
    output_token: DecimalText | None = None
    cached_input_token: Annotated[DecimalText | None, Meta(description="Default: as input.")] = None
    cache_write_token: Annotated[DecimalText | None, Meta(description="Default: as input.")] = None
    reasoning_token: Annotated[DecimalText | None, Meta(description="Default: as output.")] = None
    call: DecimalText | None = None
    units: dict[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")], DecimalText] = msgspec.field(
        default_factory=dict
    )
    tiers: Annotated[list[TierBody], Meta(max_length=16)] = msgspec.field(default_factory=list)
    starts_at: Annotated[Moment | None, Meta(description="Default: now.")] = None


class PriceView(Struct, frozen=True):
    id: str
    provider: Annotated[str, Meta(description="`*` for every provider.")]
    model: str
    asset: str
    input_token: str | None
    output_token: str | None
    cached_input_token: str | None
    cache_write_token: str | None
    reasoning_token: str | None
    call: str | None
    units: dict[str, str]
    tiers: list[TierBody]
    withdrawn: bool
    starts_at: Moment
    source: str
    created_by: str
    created_at: Moment


class NewQuote(Body, frozen=True):
    provider: Slug
    model: Model
    usage: UsageBody
    asset: AssetCode = "USD"


class QuoteView(Struct, frozen=True):
    amount: int
    asset: str
    price: str
    markup: str


class ImportedPrice(PriceBody, frozen=True, kw_only=True):
    """A price of a list."""

    model: Model


class PriceImport(Body, frozen=True):
    """A price list, or a part of one: all of it is taken in, or nothing."""

    prices: Annotated[list[ImportedPrice], Meta(min_length=1, max_length=1000)]
    provider: Annotated[str, Meta(max_length=39, description="A slug, or `*` for the book for all.")] = "*"
    source: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}\Z", description="Where the list is from.")] = (
        "import"
    )
    replace: Annotated[bool, Meta(description="Also replace prices that were set one by one.")] = False
    dry_run: Annotated[bool, Meta(description="Only tell what would change.")] = False


class PriceImported(Struct, frozen=True):
    """What became of the list: names of models."""

    added: Annotated[list[str], Meta(description="New, or different from what held.")]
    unchanged: list[str]
    kept: Annotated[list[str], Meta(description="Set one by one before, and so left alone.")]
