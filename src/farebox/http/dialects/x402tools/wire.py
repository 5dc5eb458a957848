"""What x402tools clients send and are sent. Unknown members are ignored, as their own server does."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from farebox import ids
from farebox.envelopes.metadata import NOTHING
from farebox.envelopes.types import Envelope, UsageRecord
from farebox.identity.types import Key
from farebox.ledger.types import MAX_UNITS
from farebox.windows import Period

Units = Annotated[int, Meta(gt=0, le=MAX_UNITS)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
PeriodName = Annotated[str, Meta(pattern=rf"^({'|'.join(Period)})\Z")]
EnvelopeId = Annotated[str, Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, Meta(tz=True)]


class EnvelopeBody(Struct, frozen=True, rename="camel"):
    """`POST /envelopes`."""

    name: Name
    limit: Units
    period: PeriodName
    reset_day: int | None = None


class EnvelopeChangeBody(Struct, frozen=True, rename="camel"):
    """`PUT /envelopes/{id}`: what is not given stays."""

    name: Name | UnsetType = UNSET
    limit: Units | UnsetType = UNSET
    period: PeriodName | UnsetType = UNSET
    reset_day: int | UnsetType | None = UNSET


class UsageBody(Struct, frozen=True, rename="camel"):
    """`POST /usage`."""

    envelope_id: EnvelopeId
    amount: Units
    metadata: msgspec.Raw = NOTHING


class ApiKeyBody(Struct, frozen=True, rename="camel"):
    """`POST /api-keys`."""

    name: Name
    expires_at: Moment | None = None


def envelope(found: Envelope) -> dict[str, Any]:
    """An envelope, with how it stands in the window of now."""
    standing = found.standing
    return {
        "id": ids.public("env", found.id),
        "name": standing.name,
        "limit": standing.limit_units,
        "period": standing.period,
        "resetDay": standing.reset_day,
        "organizationId": standing.organization_id,
        "createdAt": found.created_at,
        "updatedAt": found.updated_at,
        **_window(found),
    }


def usage(organization_number: int, found: UsageRecord) -> dict[str, Any]:
    """A record of usage."""
    return {
        "id": ids.transfer("ur", organization_number, found.id),
        "envelopeId": ids.public("env", found.envelope_id),
        "amount": found.amount,
        "timestamp": found.created_at,
        "metadata": None if found.metadata is None else msgspec.Raw(found.metadata.encode()),
    }


def period_usage(found: Envelope) -> dict[str, Any]:
    """How an envelope stands, as statistics tell it."""
    standing = found.standing
    told = {"envelopeId": ids.public("env", found.id), "name": standing.name, "period": standing.period}
    return told | {"limit": standing.limit_units, **_window(found)}


def api_key(found: Key, organization_id: str, secret: str | None = None) -> dict[str, Any]:
    """A key: its secret only where it was just made, else what may be shown of it."""
    return {
        "id": ids.public("key", found.id),
        "key": found.hint if secret is None else secret,
        "name": found.name,
        "organizationId": organization_id,
        "createdAt": found.created_at,
        "lastUsed": found.last_used_at,
        "expiresAt": found.expires_at,
    }


def _window(found: Envelope) -> dict[str, Any]:
    standing = found.standing
    return {
        "used": standing.used,
        "remaining": max(0, standing.remaining),
        "windowStart": standing.window_start.astimezone(UTC),
        "windowEnd": standing.window_end.astimezone(UTC),
    }
