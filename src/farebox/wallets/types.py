"""Wallets and what can be read of them. Amounts are units of the wallet's asset."""

from datetime import datetime

from msgspec import Struct


class Wallet(Struct, frozen=True):
    """A wallet as it stands. `available` = balance - held; below zero it is `debt`."""

    id: int
    asset: str
    scale: int
    balance: int
    held: int
    debt: int
    owner: str | None
    organization_id: str | None
    created_at: datetime

    @property
    def available(self) -> int:
        return self.balance - self.held


class Entry(Struct, frozen=True):
    """One line of a wallet's statement."""

    transfer_id: int
    kind: str
    amount: int
    balance_after: int
    counterpart: str
    model: str | None
    note: str | None
    reference: str | None
    created_at: datetime


class Span(Struct, frozen=True):
    """A stretch of a wallet's movements: with numbers above `after`, up to `up_to`."""

    after: int
    up_to: int


class Period(Struct, frozen=True):
    """What a wallet had before a period, what moved in it, and how many movements that were."""

    opening: int
    money_in: int
    money_out: int
    entries: int

    @property
    def closing(self) -> int:
        return self.opening + self.money_in - self.money_out


class TransferRecord(Struct, frozen=True):
    """One row of the journal, with what it was for."""

    id: int
    wallet_id: int
    asset: str
    kind: str
    refusal: str | None
    amount: int
    refunded: int
    available_after: int
    remaining_after: int | None
    grant_id: int | None
    parent_id: int | None
    provider: str | None
    provider_id: int | None
    provider_username: str | None
    key: str
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cached_input_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    calls: int | None
    units: dict[str, int] | None
    price_id: int | None
    markup_ppm: int | None
    conversion: str | None
    reference: str | None
    note: str | None
    created_at: datetime


class HoldRecord(Struct, frozen=True):
    """A hold as it stands: for a provider, or, as a payment between people, for another wallet."""

    id: int
    wallet_id: int
    asset: str
    grant_id: int | None
    provider: str | None
    provider_id: int | None
    to_wallet_id: int | None
    amount: int
    captured: int
    state: str
    void_reason: str | None
    model: str | None
    expires_at: datetime
    created_at: datetime
    closed_at: datetime | None
    now: datetime
