"""Consent: what a payer allows whom, and the request that leads to it."""

import hashlib
from datetime import datetime

import msgspec
from msgspec import Struct


class GrantRef(Struct, frozen=True):
    """What never changes of a grant: enough to build an ask. Whether it still holds, the ledger decides."""

    grant_id: int
    wallet_id: int
    asset: str
    provider_id: int


class Grant(Struct, frozen=True):
    """A payer's permission. Amounts are units of the wallet's asset; `used` is spent and held."""

    id: int
    wallet_id: int
    asset: str
    provider: str
    provider_name: str
    provider_username: str
    limit_units: int | None
    charge_limit_units: int | None
    spent: int
    held: int
    expires_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    created_at: datetime
    token_nonce: bytes
    now: datetime

    @property
    def state(self) -> str:
        """`active`, `expired`, `revoked` or `replaced`."""
        if self.end_reason is not None:
            return self.end_reason
        return "expired" if self.expires_at is not None and self.now >= self.expires_at else "active"


class Terms(Struct, frozen=True):
    """What a payer allows: a limit in all and per charge (units of the wallet's asset), and for how long."""

    limit_units: int | None = None
    charge_limit_units: int | None = None
    ttl_s: int | None = None


class ConnectionRequest(Struct, frozen=True):
    """What a scanned QR code asks for, opened by one wallet and answered once."""

    id: int
    wallet_id: int
    asset: str
    provider: str
    provider_name: str
    provider_verified: bool
    provider_username: str
    limit_units: int | None
    grant_ttl_s: int | None
    created_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    answer: str | None
    now: datetime

    @property
    def terms(self) -> str:
        """A fingerprint of what a payer is shown; an approval names it, so that what was shown is what is granted."""
        shown = (
            self.id,
            self.wallet_id,
            self.provider,
            self.provider_name,
            self.provider_verified,
            self.provider_username,
            self.limit_units,
            self.grant_ttl_s,
        )
        return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()

    @property
    def state(self) -> str:
        """`pending`, `approved`, `declined` or `expired`."""
        if self.answer is not None:
            return self.answer
        return "expired" if self.now >= self.expires_at else "pending"


class SessionStatus(Struct, frozen=True):
    """What a provider hears when it asks for one of its users: pending, active, expired or not_found."""

    status: str
    session_token: str | None = None
    expires_at: datetime | None = None
    grant_id: int | None = None
    wallet_id: int | None = None
