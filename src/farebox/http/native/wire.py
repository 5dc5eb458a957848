"""What the native API takes and gives. Amounts are integer units of the asset named beside them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from farebox.ledger.types import MAX_UNITS

T = TypeVar("T")

MAX_TTL_S = 10 * 366 * 86_400

Units = Annotated[int, Meta(gt=0, le=MAX_UNITS, description="Units of the asset: integers, never fractions.")]
Count = Annotated[int, Meta(ge=0, le=MAX_UNITS)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Model = Annotated[str, Meta(min_length=1, max_length=200, description="The model's name in the price book.")]
Username = Annotated[str, Meta(min_length=1, max_length=320, description="The user's name at the provider.")]
AssetCode = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9]{1,11}\Z", description="Such as USD or TOKEN.")]
Slug = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,38}\Z", description="Lower-case letters, digits and hyphens; no underscore."),
]
OrganizationId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z")]
WalletId = Annotated[str, Meta(pattern=r"^[1-9][0-9]{15}\Z", description="16 digits.")]
PublicId = Annotated[str, Meta(min_length=3, max_length=64)]
Seconds = Annotated[int, Meta(gt=0, le=MAX_TTL_S)]
DecimalText = Annotated[
    str, Meta(pattern=r"^(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?\Z", description="An exact decimal, as a string.")
]
Moment = Annotated[datetime, Meta(tz=True)]
Note = Annotated[str, Meta(min_length=1, max_length=500)]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What a request carries: an unknown member is an error, so that a misspelt one is not lost."""


class Page(Struct, Generic[T], frozen=True):
    """Some of a list. `next_cursor` asks for what follows; null at the end."""

    data: list[T]
    next_cursor: str | None


# Directory


class NewProvider(Body, frozen=True):
    slug: Slug
    name: Name
    verified: Annotated[bool, Meta(description="Shown on the consent page as checked by the operator.")] = False
    markup: Annotated[DecimalText, Meta(description="Factor on top of the price book, at most 6 decimals.")] = "1"


class ProviderChange(Body, frozen=True):
    name: Name | None = None
    verified: bool | None = None
    markup: DecimalText | None = None


class ProviderView(Struct, frozen=True):
    slug: str
    name: str
    verified: bool
    markup: str
    created_at: datetime


class RevenueView(Struct, frozen=True):
    asset: str
    scale: int
    balance: int


class NewKey(Body, frozen=True):
    name: Name
    scopes: list[Literal["read", "write"]] = msgspec.field(default_factory=lambda: ["read", "write"])
    expires_in_s: Seconds | None = None


class KeyView(Struct, frozen=True):
    id: str
    name: str
    hint: Annotated[str, Meta(description="The key's kind and its last four characters.")]
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class MadeKey(Struct, frozen=True):
    id: str
    key: Annotated[str, Meta(description="The secret. It is shown this once.")]
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None


class NewOrganization(Body, frozen=True):
    id: OrganizationId
    name: Name


class OrganizationView(Struct, frozen=True):
    id: str
    name: str
    created_at: datetime


class AssetBody(Body, frozen=True):
    name: Name
    scale: Annotated[int, Meta(ge=1, le=10**9, description="Units per one: a power of ten. It can't change later.")]
    usd_price: Annotated[
        DecimalText | None, Meta(description="USD for one; without it the asset converts to nothing else.")
    ] = None


class AssetView(Struct, frozen=True):
    code: str
    name: str
    scale: int
    usd_price: str | None


# Wallets


class NewWallet(Body, frozen=True):
    asset: AssetCode
    owner: Annotated[Name | None, Meta(description="Whatever tells you whose it is.")] = None
    organization: Annotated[OrganizationId | None, Meta(description="Its keys may use the wallet.")] = None


class WalletView(Struct, frozen=True):
    id: str
    asset: str
    scale: Annotated[int, Meta(description="Units per one of the asset.")]
    balance: Annotated[int, Meta(description="What was paid in and not yet taken.")]
    held: Annotated[int, Meta(description="What open holds reserve of the balance.")]
    available: Annotated[int, Meta(description="What can still be spent: balance - held.")]
    debt: Annotated[int, Meta(description="How far recorded usage has overdrawn it; the next deposit pays it first.")]
    owner: str | None
    organization: str | None
    created_at: datetime


class NewDeposit(Body, frozen=True):
    amount: Units
    asset: Annotated[AssetCode | None, Meta(description="Checked against the wallet's, where given.")] = None
    source: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}\Z", description="Where the money comes from.")] = (
        "manual"
    )
    reference: Annotated[
        Annotated[str, Meta(min_length=1, max_length=255)] | None,
        Meta(description="The source's own number: money with one comes in once."),
    ] = None
    note: Note | None = None


class NewTransfer(Body, frozen=True):
    from_wallet: WalletId
    to_wallet: WalletId
    amount: Units
    asset: AssetCode | None = None
    note: Note | None = None


class Moved(Struct, frozen=True):
    """What a deposit, a transfer or a refund did."""

    id: str
    wallet: str
    amount: int
    asset: str
    available: Annotated[int, Meta(description="Of the wallet, after it.")]
    created_at: datetime


class EntryView(Struct, frozen=True):
    id: str
    kind: str
    amount: Annotated[int, Meta(description="Below zero: money out.")]
    balance_after: int
    counterpart: Annotated[str, Meta(description="A provider's slug, a source's name or a wallet's number.")]
    model: str | None
    note: str | None
    reference: str | None
    created_at: datetime


class Statement(Struct, frozen=True):
    """The movements of a period, newest first, with what they add up to."""

    wallet: str
    asset: str
    scale: int
    since: datetime
    until: datetime
    opening_balance: int
    money_in: int
    money_out: int
    closing_balance: int
    entries: Annotated[int, Meta(description="How many the whole period has.")]
    data: list[EntryView]
    next_cursor: str | None


# Consent


class NewGrant(Body, frozen=True):
    provider: Slug
    provider_username: Username
    limit: Annotated[Units | None, Meta(description="The most that may be drawn in all.")] = None
    charge_limit: Annotated[Units | None, Meta(description="The most that one charge may draw.")] = None
    expires_in_s: Seconds | None = None


class GrantView(Struct, frozen=True, omit_defaults=True):
    id: str
    wallet: str
    asset: str
    provider: str
    provider_name: str
    provider_username: str
    state: Literal["active", "expired", "revoked", "replaced"]
    limit: int | None
    charge_limit: int | None
    spent: int
    held: int
    remaining: Annotated[int | None, Meta(description="Null without a limit.")]
    expires_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    session_token: Annotated[
        str | UnsetType, Meta(description="What the provider charges with. Told at the making, and to the provider.")
    ] = UNSET


class QrPayload(Struct, frozen=True):
    """What a CONXA QR code holds."""

    provider_id: Slug
    provider_username: Username
    provider_type: Annotated[str, Meta(max_length=20)] = "api"
    limit: Annotated[Decimal | None, Meta(description="In whole wallet tokens.")] = None


class NewRequest(Body, frozen=True):
    """A scanned code, or what it says."""

    wallet: WalletId
    qr: QrPayload
    expires_in_s: Annotated[Seconds | None, Meta(description="How long the grant is to last.")] = None


class RequestView(Struct, frozen=True):
    id: str
    wallet: str
    asset: str
    scale: int
    provider: str
    provider_name: str
    provider_verified: bool
    provider_username: str
    warnings: Annotated[list[str], Meta(description="What to look at twice before approving.")]
    limit: int | None
    expires_in_s: int | None
    state: Literal["pending", "approved", "declined", "expired"]
    terms: Annotated[str, Meta(description="Fingerprint of what is shown here; an approval has to name it.")]
    created_at: datetime
    expires_at: datetime


class Approval(Body, frozen=True):
    terms: Annotated[str, Meta(min_length=64, max_length=64, description="The request's `terms`, as shown.")]
    limit: Annotated[Units | None, Meta(description="At most what was asked for.")] = None
    charge_limit: Units | None = None
    expires_in_s: Seconds | None = None


# Charges


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

    session_token: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    grant: PublicId | None = None
    model: Model | None = None
    usage: UsageBody | None = None
    amount: Units | None = None
    asset: Annotated[AssetCode | None, Meta(description="Of `amount`; checked against the wallet's.")] = None


class NewHold(NewCharge, frozen=True):
    """As a charge, and for how long to reserve it."""

    expires_in_s: Annotated[int, Meta(ge=1, le=604_800)] | None = None


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
    created_at: datetime


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
    created_at: datetime


class HoldView(Struct, frozen=True):
    id: str
    wallet: str
    grant: str
    provider: str
    amount: int
    captured: int
    asset: str
    state: Literal["pending", "captured", "released", "expired"]
    model: str | None
    expires_at: datetime
    created_at: datetime
    closed_at: datetime | None


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
    created_at: datetime


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


# Prices


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
    starts_at: datetime
    source: str
    created_by: str
    created_at: datetime


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


class ErrorItem(Struct, frozen=True):
    field: str
    message: str


class ProblemView(Struct, frozen=True):
    """An error answer, `application/problem+json`. A refused charge also has `id`, `available` and `remaining`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ErrorItem] = msgspec.field(default_factory=list)
