"""Usage records as a Redis stream carries them, and what becomes of them."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from farebox.ledger.types import Usage

Fields = dict[bytes, bytes]
Entry = tuple[bytes, Fields]
"""An entry of the stream: its id, and its fields as they came."""


class Malformed(ValueError):
    """A record that can't be booked, whoever asks; the text is the reason."""


class UsageRecord(Struct, frozen=True, gc=False):
    """Usage that has already happened. `record_id` is its identity: delivered twice, it is booked once."""

    record_id: str
    organization_id: str
    agent: str
    member: str
    model: str
    usage: Usage
    note: str | None
    fingerprint: bytes


class Fate(StrEnum):
    """What became of a record. Only a transient trouble is none: the record is then tried again."""

    BOOKED = "booked"
    REPLAYED = "replayed"
    """It had been booked before."""
    PARKED = "parked"
    """Kept until its model has a price, or its organization is there."""
    REFUSED = "refused"
    """Kept for a person: a dead letter, whose reason goes along."""


class Settled(Struct, frozen=True, gc=False):
    """The fate of one record, and the reason where it was not booked."""

    fate: Fate
    reason: str = ""


class Kind(Struct, frozen=True):
    """What records wait for, with the model and organization that they are of."""

    reason: str
    model: str
    organization_id: str


class Parked(Struct, frozen=True):
    """So many records that wait for the same price or organization, the first of them since then."""

    reason: str
    model: str
    organization_id: str
    records: int
    since: datetime
