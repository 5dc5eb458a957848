"""Who asks: a key's owner and what it may do."""

from datetime import datetime

from msgspec import Struct

READ, WRITE = "read", "write"
OPERATE = "operate"
"""An administrator's key that works in the console and nowhere else, and makes no keys for administrators."""
RECHARGE = "recharge"
"""Turns money into credits: only an administrator gives this right to an organization's key."""


class Principal(Struct, frozen=True):
    """The owner of a valid key. `client` scopes idempotency keys, so that another key of the owner finds them too."""

    kind: str
    credential_id: int | None
    """None for who came without a key, where that is allowed."""
    client: str
    scopes: frozenset[str]
    provider_id: int | None = None
    slug: str | None = None
    organization_id: str | None = None

    @property
    def is_admin(self) -> bool:
        return self.kind == "admin"


class Key(Struct, frozen=True):
    """An API key as it may be shown: never the secret."""

    id: int
    kind: str
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    """To within a few seconds."""


class Provider(Struct, frozen=True):
    """An AI service that charges."""

    id: int
    slug: str
    name: str
    verified: bool
    markup_ppm: int
    created_at: datetime


class Organization(Struct, frozen=True):
    """A tenant."""

    id: str
    name: str
    zone: str
    """Where windows of its limits begin."""
    created_at: datetime


class Place(Struct, frozen=True):
    """Where a browser is: a passkey is good for one host only, so that no other site can ask for it."""

    host: str
    origin: str
