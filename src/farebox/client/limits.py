"""Envelopes and what they leave. Counts are units of usage, or of the asset where an envelope counts money."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct


class AppliesTo(Struct, frozen=True, omit_defaults=True):
    """What an envelope is attached to.

    `kind` is `all`, `wallet`, `person`, `grant`, `agent`, `provider` or `model`; `name` says which, but for `all`.
    """

    kind: str
    name: str | None = None


class Envelope(Struct, frozen=True):
    """A limit for each window of a period, as it stands in the window of now."""

    id: str
    name: str
    organization: str | None
    applies_to: AppliesTo | None
    counts: str
    """`usage` or `money`."""
    asset: str | None
    limit: int
    period: str
    """`DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`."""
    reset_day: int | None
    time_zone: str
    thresholds: list[int]
    """In percent: an event is written when one is passed."""
    used: int
    held: int
    remaining: int
    """Below zero where facts have passed the limit."""
    window_start: datetime
    window_end: datetime
    total: int
    created_at: datetime
    updated_at: datetime


class Window(Struct, frozen=True):
    """What was used in a window that is over."""

    start: datetime
    end: datetime
    limit: int
    used: int


class Record(Struct, frozen=True):
    """Something that was recorded on an envelope."""

    id: str
    envelope: str
    amount: int
    metadata: dict[str, Any] | None
    created_at: datetime


class Standing(Struct, frozen=True):
    """How an envelope stands to a charge."""

    id: str
    name: str
    counts: str
    asset: str | None
    limit: int
    used: int
    remaining: int
    needed: int
    """What the charge would count on it."""
    window_start: datetime
    resets_at: datetime


class Limits(Struct, frozen=True):
    """What would become of a charge."""

    allowed: bool
    refusal: str | None
    stopped_by: str | None
    """The id of the envelope that would refuse it."""
    amount: int
    asset: str
    available: int
    grant_remaining: int | None
    charge_limit: int | None
    envelopes: list[Standing] = msgspec.field(default_factory=list)
    """All that apply, the tightest first; told to the payer's side only."""
