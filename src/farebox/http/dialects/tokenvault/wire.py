"""What the TokenVault client sends. Unknown members are ignored, as its own server does."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from farebox.errors import Invalid
from farebox.ledger.types import MAX_UNITS
from farebox.money import parse_decimal

Organization = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Tokens = Annotated[int, Meta(ge=0, le=MAX_UNITS)]

MAX_METADATA = 16_384
"""Bytes of JSON text."""


class OrganizationBody(Struct, frozen=True):
    id: Organization
    name: Annotated[str, Meta(max_length=200)] = ""


class UserBody(Struct, frozen=True):
    id: Name
    organization_id: Organization
    name: Annotated[str, Meta(max_length=200)] = ""


class ProfileBody(Struct, frozen=True):
    id: Name
    organization_id: Organization
    user_id: Annotated[str, Meta(max_length=200)] | None = None
    metadata: dict[str, Any] | None = None


class RechargeBody(Struct, frozen=True):
    """Money for credits. Of the metadata, `reason`, `source` and `reference` mean something here."""

    organization_id: Organization
    money_amount: Raw
    metadata: dict[str, Any] | None = None


class ConsumptionBody(Struct, frozen=True):
    """What was used: tokens of a model, or credits of the image service that it was bought from."""

    organization_id: Organization
    profile_id: Name
    model: Name
    prompt_tokens: Tokens
    completion_tokens: Tokens
    record_id: Name | None = None
    user_id: Annotated[str, Meta(max_length=200)] | None = None
    bfl_credits: Raw = Raw(b"null")
    metadata: Raw = Raw(b"null")


class TicketBody(Struct, frozen=True):
    """What a stream is asked for: an organization, or one of its profiles."""

    organization_id: Organization
    profile_id: Name | None = None


def number(field: str, value: Raw) -> Decimal:
    """The exact value of a JSON number; raises Invalid for anything else."""
    try:
        return parse_decimal(bytes(value).decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        raise Invalid.field(field, "has to be a number of at most 30 digits") from None


def optional_number(field: str, value: Raw) -> Decimal | None:
    """As `number`; None for null."""
    return None if bytes(value) == b"null" else number(field, value)


def note_of(metadata: Raw) -> str | None:
    """Metadata as it is kept with a charge: JSON text; None for nothing. Raises Invalid for what is no object."""
    if bytes(metadata) == b"null":
        return None
    try:
        kept = msgspec.json.decode(metadata)  # what was skipped over has to be read once: numbers out of range
    except (msgspec.DecodeError, RecursionError):
        raise Invalid.field("metadata", "holds a number that can't be kept, or is nested too deeply") from None
    if kept is None or kept == {}:
        return None
    if not isinstance(kept, dict):
        raise Invalid.field("metadata", "has to be an object")
    if len(bytes(metadata)) > MAX_METADATA:
        raise Invalid.field("metadata", f"at most {MAX_METADATA} bytes")
    return bytes(metadata).decode()
