"""Envelopes: limits of a day, a week, a month or a year."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from farebox.envelopes.metadata import MAX_BYTES, NOTHING
from farebox.envelopes.types import MAX_THRESHOLDS, THRESHOLDS
from farebox.http.native.wire.fields import AssetCode, Body, Moment, Name, OrganizationId, Units

PeriodName = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
CountsName = Literal["usage", "money"]
ScopeKind = Literal["all", "wallet", "person", "grant", "agent", "provider", "model"]

LimitUnits = Annotated[int, Meta(gt=0, le=2**63 - 1, description="Units of usage, or of the asset for money.")]
ResetDay = Annotated[
    int,
    Meta(ge=1, le=366, description="1 to 7 (Monday = 1) for WEEKLY, 1 to 31 for MONTHLY, 1 to 366 for YEARLY."),
]
Zone = Annotated[str, Meta(min_length=1, max_length=64, description="An IANA time zone, such as Europe/Berlin.")]
Percent = Annotated[int, Meta(ge=1, le=1000)]
Thresholds = Annotated[
    list[Percent],
    Meta(max_length=MAX_THRESHOLDS, description="In percent of the limit: an event is written when one is passed."),
]


ScopeName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=320,
        description="A wallet's number, a person's e-mail address, a grant's id, an agent's name, a provider's slug or "
        "a model's name, as charges say it; none for `all`.",
    ),
]


class AppliesTo(Body, frozen=True):
    """What an envelope is attached to."""

    kind: ScopeKind
    name: ScopeName | None = None


class NewEnvelope(Body, frozen=True):
    name: Name
    limit: LimitUnits
    period: PeriodName
    reset_day: ResetDay | None = None
    time_zone: Annotated[Zone | None, Meta(description="The organization's, where none is given.")] = None
    counts: Annotated[CountsName, Meta(description="Tokens, calls and other units; or money.")] = "usage"
    asset: Annotated[AssetCode | None, Meta(description="What money is counted in. Other assets don't count.")] = None
    thresholds: Thresholds = msgspec.field(default_factory=lambda: list(THRESHOLDS))
    organization: Annotated[
        OrganizationId | None, Meta(description="Whose it is. Without one it is the operator's, whoever pays.")
    ] = None
    applies_to: Annotated[
        AppliesTo | None, Meta(description="Without it, only what is recorded on the envelope counts.")
    ] = None


class EnvelopeChange(Body, frozen=True):
    name: Name | UnsetType = UNSET
    limit: LimitUnits | UnsetType = UNSET
    period: PeriodName | UnsetType = UNSET
    reset_day: ResetDay | UnsetType | None = UNSET
    time_zone: Zone | UnsetType = UNSET
    thresholds: Thresholds | UnsetType = UNSET


class EnvelopeView(Struct, frozen=True):
    id: str
    name: str
    organization: str | None
    applies_to: AppliesTo | None
    counts: CountsName
    asset: str | None
    limit: int
    period: PeriodName
    reset_day: int | None
    time_zone: str
    thresholds: list[int]
    used: Annotated[int, Meta(description="In the window of now.")]
    held: Annotated[int, Meta(description="Reserved by open holds.")]
    remaining: Annotated[int, Meta(description="Below zero where facts have passed the limit.")]
    window_start: Moment
    window_end: Annotated[Moment, Meta(description="When it resets.")]
    total: Annotated[int, Meta(description="All that it has ever counted.")]
    created_at: Moment
    updated_at: Moment


class WindowView(Struct, frozen=True):
    start: Moment
    end: Moment
    limit: int
    used: int


class NewRecord(Body, frozen=True):
    amount: Units
    metadata: Annotated[
        msgspec.Raw, Meta(description=f"A JSON object of up to {MAX_BYTES} bytes, kept as it comes, or null.")
    ] = msgspec.field(default_factory=lambda: NOTHING)


class RecordView(Struct, frozen=True):
    id: str
    envelope: str
    amount: int
    metadata: Annotated[dict[str, Any] | None, Meta(description="As it was sent.")]
    created_at: Moment


class StandingView(Struct, frozen=True):
    """How an envelope stands to a charge."""

    id: str
    name: str
    counts: CountsName
    asset: str | None
    limit: int
    used: Annotated[int, Meta(description="Held units count as used.")]
    remaining: int
    needed: Annotated[int, Meta(description="What the charge would count on it.")]
    window_start: Moment
    resets_at: Moment


class LimitsView(Struct, frozen=True):
    """What would become of a charge."""

    allowed: bool
    refusal: Annotated[str | None, Meta(description="The code that the charge would be refused with.")]
    stopped_by: Annotated[str | None, Meta(description="The id of the envelope that would refuse it.")]
    amount: int
    asset: str
    available: Annotated[int, Meta(description="What the wallet has before the charge.")]
    grant_remaining: Annotated[int | None, Meta(description="What the grant still allows; null without a limit.")]
    charge_limit: Annotated[int | None, Meta(description="What the grant allows for one charge.")]
    envelopes: Annotated[
        list[StandingView], Meta(description="All that apply, the tightest first; for the payer's side only.")
    ]
