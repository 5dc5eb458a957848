"""What every noun of the API is made of: constrained fields, bodies, pages, problems."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

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
