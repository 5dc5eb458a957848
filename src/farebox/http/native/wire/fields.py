"""What every noun of the API is made of: constrained fields, bodies, pages, problems."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from farebox.http.patterns import formed
from farebox.ledger.types import MAX_UNITS

T = TypeVar("T")

MAX_TTL_S = 10 * 366 * 86_400

Units = Annotated[int, Meta(gt=0, le=MAX_UNITS, description="Units of the asset: integers, never fractions.")]
Count = Annotated[int, Meta(ge=0, le=MAX_UNITS)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Model = Annotated[str, Meta(min_length=1, max_length=200, description="The model's name in the price book.")]
Username = Annotated[str, Meta(min_length=1, max_length=320, description="The user's name at the provider.")]
AssetCode = Annotated[
    str,
    formed(r"^[A-Z][A-Z0-9]{1,11}\Z", "2 to 12 capital letters and digits, such as USD", "Such as USD or TOKEN."),
]
Slug = Annotated[
    str,
    formed(
        r"^[a-z0-9][a-z0-9-]{0,38}\Z",
        "1 to 39 lower-case letters, digits and hyphens, such as acme-chat",
        "Lower-case letters, digits and hyphens; no underscore.",
    ),
]
OrganizationId = Annotated[
    str, formed(r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z", "1 to 64 letters, digits and any of _.:-, such as acme")
]
WalletId = Annotated[str, formed(r"^[1-9][0-9]{15}\Z", "a wallet's number, which has 16 digits", "16 digits.")]
PublicId = Annotated[str, Meta(min_length=3, max_length=64)]
Seconds = Annotated[int, Meta(gt=0, le=MAX_TTL_S)]
DecimalText = Annotated[
    str,
    formed(
        r"^(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?\Z",
        "a decimal number from zero up, such as 0.0000025",
        "An exact decimal, as a string.",
    ),
]
Moment = Annotated[datetime, Meta(tz=True)]
Note = Annotated[str, Meta(min_length=1, max_length=500)]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What a request carries: an unknown member is an error, so that a misspelt one is not lost."""


class Page(Struct, Generic[T], frozen=True):
    """Some of a list. `next_cursor` asks for what follows; null at the end."""

    data: list[T]
    next_cursor: str | None


class ErrorItem(Struct, frozen=True):
    field: str
    message: str


class StoppingView(Struct, frozen=True):
    """The envelope that refused something."""

    id: str
    counts: str
    period: str
    window_start: Moment
    resets_at: Annotated[Moment, Meta(description="When its window ends, and another begins.")]


class ProblemView(Struct, frozen=True):
    """An error answer (RFC 9457)."""

    type: Annotated[str, Meta(description="Where the docs explain it: `/docs#` and the code.")]
    title: Annotated[str, Meta(description="What kind of error it is, for people.")]
    status: int
    detail: Annotated[str, Meta(description="What happened this time, for people.")]
    code: Annotated[str, Meta(description="What happened, for programs.")]
    request_id: Annotated[str, Meta(description="Also in the header X-Request-Id.")]
    errors: Annotated[list[ErrorItem], Meta(description="Which fields are not acceptable.")] = msgspec.field(
        default_factory=list
    )
    id: Annotated[str | UnsetType, Meta(description="Of a refused charge, hold or movement: it is kept.")] = UNSET
    amount: Annotated[int | UnsetType, Meta(description="What was refused, in units of `asset`.")] = UNSET
    asset: str | UnsetType = UNSET
    available: Annotated[int | UnsetType, Meta(description="What the wallet has, with a refusal.")] = UNSET
    remaining: Annotated[
        int | UnsetType | None, Meta(description="What is left of the grant's limit, with a refusal.")
    ] = UNSET
    envelope: Annotated[
        StoppingView | UnsetType, Meta(description="With envelope_limit_exceeded: the one with the least left.")
    ] = UNSET
    nearest: Annotated[
        list[str] | UnsetType, Meta(description="With unknown_model: models whose names are like it.")
    ] = UNSET
