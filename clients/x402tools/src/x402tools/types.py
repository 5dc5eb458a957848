"""What the client gives back. Counts are in an envelope's units; times carry a time zone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

PeriodType = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]


@dataclass
class Envelope:
    """A limit for each window of a period."""

    id: str
    name: str
    limit: int
    period: PeriodType
    organization_id: str
    created_at: datetime
    updated_at: datetime
    reset_day: int | None = None
    used: int | None = None
    """In this window."""
    remaining: int | None = None
    """In this window."""
    window_start: datetime | None = None
    window_end: datetime | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Of an answer."""
        return cls(
            id=data["id"],
            name=data["name"],
            limit=data["limit"],
            period=data["period"],
            organization_id=data["organizationId"],
            created_at=datetime.fromisoformat(data["createdAt"]),
            updated_at=datetime.fromisoformat(data["updatedAt"]),
            reset_day=data.get("resetDay"),
            used=data.get("used"),
            remaining=data.get("remaining"),
            window_start=_moment(data.get("windowStart")),
            window_end=_moment(data.get("windowEnd")),
        )


@dataclass
class Usage:
    """Something that was used."""

    id: str
    envelope_id: str
    amount: int
    timestamp: datetime
    metadata: dict[str, Any] | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Of an answer."""
        return cls(
            id=data["id"],
            envelope_id=data["envelopeId"],
            amount=data["amount"],
            timestamp=datetime.fromisoformat(data["timestamp"]),
            metadata=data.get("metadata"),
        )


@dataclass
class ApiKey:
    """A key of the organization; `key` is whole where it was just made, and masked in lists."""

    id: str
    key: str
    name: str
    organization_id: str
    created_at: datetime
    last_used: datetime | None = None
    expires_at: datetime | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Of an answer."""
        return cls(
            id=data["id"],
            key=data["key"],
            name=data["name"],
            organization_id=data["organizationId"],
            created_at=datetime.fromisoformat(data["createdAt"]),
            last_used=_moment(data.get("lastUsed")),
            expires_at=_moment(data.get("expiresAt")),
        )

    def __repr__(self) -> str:
        """Without the key: it has no place in a log."""
        return f"ApiKey(id={self.id!r}, name={self.name!r}, organization_id={self.organization_id!r})"


@dataclass
class UsageStats:
    """Sums over the organization's envelopes."""

    total_usage: int
    envelope_count: int
    active_envelopes: int
    period_usage: list[dict[str, Any]]
    """Of each envelope: `envelopeId`, `name`, `period`, `used`, `limit`, `remaining`, `windowStart`, `windowEnd`."""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Of an answer."""
        return cls(data["totalUsage"], data["envelopeCount"], data["activeEnvelopes"], data.get("periodUsage", []))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
