"""Charges, holds, refunds, usage, and what is told of them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from farebox.http.native.wire.fields import AssetCode, Body, Count, Model, Moment, Note, PublicId, Slug, Units, WalletId


class UsageBody(Body, frozen=True):
    """What was used. The token kinds are disjoint: count each token in one of them."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    cached_input_tokens: Count = 0
    cache_write_tokens: Count = 0
    reasoning_tokens: Count = 0
    calls: Count = 0
    units: dict[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")], Count] = msgspec.field(default_factory=dict)


class NewCharge(Body, frozen=True):
    """Say who pays (`session_token` or `grant`), and for what: `model` and `usage`, or an `amount`."""

    session_token: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(description="What the provider was told when the payer approved."),
    ] = None
    grant: Annotated[PublicId | None, Meta(description="Instead of the token: the grant's id.")] = None
    model: Model | None = None
    usage: UsageBody | None = None
    amount: Units | None = None
    asset: Annotated[AssetCode | None, Meta(description="Of `amount`; checked against the wallet's.")] = None


class NewHold(NewCharge, frozen=True):
    """As a charge, and for how long to reserve it."""

    expires_in_s: Annotated[
        Annotated[int, Meta(ge=1, le=604_800)] | None,
        Meta(description="Seconds until it is freed by itself; by default what the operator has set."),
    ] = None


class NewCapture(Body, frozen=True):
    """What was used, at most what is held; nothing given takes the whole hold."""

    model: Model | None = None
    usage: UsageBody | None = None
    amount: Units | None = None


class Charged(Struct, frozen=True):
    """A charge, capture or hold that was done."""

    id: str
    wallet: str
    grant: str
    amount: int
    asset: str
    available: Annotated[int, Meta(description="Of the wallet, after it.")]
    remaining: Annotated[int | None, Meta(description="Of the grant's limit, after it; null without a limit.")]
    created_at: Moment


class BatchedCharge(NewCharge, frozen=True, kw_only=True):
    """As a charge by itself, with its idempotency key beside it."""

    idempotency_key: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[ -~]+\Z")]


class NewCharges(Body, frozen=True):
    """Charges that are asked for in one request. Each stands by itself: what is refused does not stop the others."""

    charges: Annotated[list[BatchedCharge], Meta(min_length=1, max_length=100)]


class ChargeResult(Struct, frozen=True):
    """What became of one charge: `charge` where its status is 201, else `problem`."""

    status: Annotated[int, Meta(description="The HTTP status that the charge by itself would be answered with.")]
    replayed: Annotated[bool, Meta(description="Whether it had been done before, with this key.")]
    charge: Charged | None = None
    problem: Annotated[dict[str, Any] | None, Meta(description="As in error answers.")] = None


class ChargeResults(Struct, frozen=True):
    """In the order that was asked for."""

    results: list[ChargeResult]


class ChargeView(Struct, frozen=True):
    id: str
    wallet: str
    grant: str | None
    provider: str | None
    provider_username: str | None
    kind: Literal["charge", "capture", "usage"]
    status: Literal["approved", "declined"]
    refusal: str | None
    amount: int
    refunded: int
    asset: str
    model: str | None
    usage: UsageBody | None
    available_after: int
    remaining_after: int | None
    idempotency_key: str | None
    created_at: Moment


class HoldView(Struct, frozen=True):
    id: str
    wallet: str
    grant: str | None
    provider: Annotated[str | None, Meta(description="Whom it is for; null where it is for another wallet.")]
    to_wallet: Annotated[str | None, Meta(description="The other wallet, of a payment between people.")]
    amount: int
    captured: int
    asset: str
    state: Literal["pending", "captured", "released", "expired"]
    model: str | None
    expires_at: Moment
    created_at: Moment
    closed_at: Moment | None


class NewRefund(Body, frozen=True):
    amount: Annotated[Units | None, Meta(description="Nothing given refunds all that is left.")] = None
    reason: Note | None = None


class NewUsageRecord(Body, frozen=True):
    """Usage that has already happened: booked whatever the balance."""

    wallet: WalletId
    provider: Slug
    model: Model | None = None
    usage: UsageBody | None = None
    amount: Units | None = None


class HistoryItem(Struct, frozen=True):
    """Something that was asked of a wallet, and what became of it."""

    id: str
    kind: str
    status: Literal["approved", "declined"]
    refusal: str | None
    amount: int
    available_after: int
    grant: str | None
    provider: str | None
    provider_username: str | None
    model: str | None
    reference: str | None
    note: str | None
    created_at: Moment


class ExplainLine(Struct, frozen=True):
    what: str
    quantity: int
    rate: Annotated[str, Meta(description="Exact price of one, in the price's asset.")]
    cost: Annotated[str, Meta(description="quantity × rate.")]


class Explanation(Struct, frozen=True):
    """How an amount came about, to the last digit."""

    id: str
    status: str
    summary: str
    amount: int
    asset: str
    price: Annotated[str | None, Meta(description="The version of the price that was used.")]
    lines: list[ExplainLine]
    subtotal: str | None
    markup: str | None
    converted: Annotated[str | None, Meta(description="In the wallet's asset, exact.")]
    rounded_up_by: str | None
    refusal: str | None
