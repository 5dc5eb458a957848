"""Envelopes and what can be read of them. Units are the asset's for money, plain numbers for usage."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from farebox.ledger.envelopes import Counts, EnvelopeFacts
from farebox.windows import Period

THRESHOLDS = (50, 80, 100)
"""Told where nothing else is said, in percent of the limit."""
MAX_THRESHOLDS = 20


class Scope(Struct, frozen=True):
    """What an envelope applies to: `kind` is all, wallet, grant, provider or model; `name` says which."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """The scope that `str` of it reads as."""
        kind, _, name = text.partition(":")
        return cls(kind, name)


class NewEnvelope(Struct, frozen=True, kw_only=True):
    """What an envelope is to be."""

    name: str
    limit_units: int
    period: Period
    reset_day: int | None = None
    zone: str | None = None
    """None: the organization's."""
    counts: Counts = Counts.USAGE
    asset: str | None = None
    thresholds: tuple[int, ...] = THRESHOLDS
    organization_id: str | None = None
    """Whose it is; None: the operator's."""
    scope: Scope | None = None
    """What it applies to; None: only what is recorded on it."""
    person_id: int | None = None
    """Whose own limit it is, if anybody's."""


class EnvelopeChange(Struct, frozen=True, kw_only=True):
    """What is to change; what is not given stays, but a reset day does not outlive its period."""

    name: str | UnsetType = UNSET
    limit_units: int | UnsetType = UNSET
    period: Period | UnsetType = UNSET
    reset_day: int | UnsetType | None = UNSET
    zone: str | UnsetType = UNSET
    thresholds: tuple[int, ...] | UnsetType = UNSET


class Envelope(Struct, frozen=True):
    """An envelope as it stands now, in the window of now."""

    standing: EnvelopeFacts
    scope: Scope | None
    created_at: datetime
    updated_at: datetime
    provider: str | None = None
    """The slug of the provider that it is attached to, if it is."""

    @property
    def id(self) -> int:
        return self.standing.id


class WindowRecord(Struct, frozen=True):
    """What was used in a window that is over."""

    starts_at: datetime
    ends_at: datetime
    limit_units: int
    used: int


class UsageRecord(Struct, frozen=True):
    """Usage that was recorded on an envelope."""

    id: int
    envelope_id: int
    amount: int
    metadata: str | None
    """JSON text."""
    created_at: datetime


class Totals(Struct, frozen=True):
    """What an organization has used, in all that it counts as usage."""

    total: int
    """In envelopes that are deleted by now too."""
    count: int
    active: int
    """How many were used in their window of now."""
    envelopes: list[Envelope]
    """The newest first."""
