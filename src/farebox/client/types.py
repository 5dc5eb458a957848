"""What the client gives and takes. Amounts are integer units of the asset named beside them; times carry a time zone.

Members that a newer server adds are passed over, so that an older client goes on working.
"""

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")


class Usage(Struct, frozen=True, omit_defaults=True, repr_omit_defaults=True):
    """What was used. The token kinds are disjoint: count each token in one of them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    calls: int = 0
    units: dict[str, int] = msgspec.field(default_factory=dict)
    """Whatever else a price counts by name: images, seconds."""


class Charged(Struct, frozen=True):
    """A charge, hold or capture that was done."""

    id: str
    wallet: str
    grant: str
    amount: int
    asset: str
    available: int
    """Of the wallet, after it."""
    remaining: int | None
    """Of the grant's limit, after it; None without a limit."""
    created_at: datetime


class Charge(Struct, frozen=True):
    """A charge as it is kept, refused ones too."""

    id: str
    wallet: str
    grant: str | None
    provider: str | None
    provider_username: str | None
    kind: str
    """`charge`, `capture` or `usage`."""
    status: str
    """`approved` or `declined`."""
    refusal: str | None
    amount: int
    refunded: int
    asset: str
    model: str | None
    usage: Usage | None
    available_after: int
    remaining_after: int | None
    idempotency_key: str | None
    created_at: datetime


class Hold(Struct, frozen=True):
    """A reservation."""

    id: str
    wallet: str
    grant: str | None
    provider: str | None
    """Whom it is for; None where it is for another wallet."""
    amount: int
    captured: int
    asset: str
    state: str
    """`pending`, `captured`, `released` or `expired`."""
    model: str | None
    expires_at: datetime
    created_at: datetime
    closed_at: datetime | None
    to_wallet: str | None = None
    """The other wallet, of a payment between people."""


class ExplainLine(Struct, frozen=True):
    """One summand: `quantity` × `rate` = `cost`, exact decimals in the price's asset."""

    what: str
    quantity: int
    rate: str
    cost: str


class Explanation(Struct, frozen=True):
    """How an amount came about, to the last digit."""

    id: str
    status: str
    summary: str
    amount: int
    asset: str
    price: str | None
    """The version of the price that was used."""
    lines: list[ExplainLine]
    subtotal: str | None
    markup: str | None
    converted: str | None
    rounded_up_by: str | None
    refusal: str | None


class Moved(Struct, frozen=True):
    """What a deposit, a transfer, a refund or a usage record did."""

    id: str
    wallet: str
    amount: int
    asset: str
    available: int
    """Of the wallet, after it."""
    created_at: datetime


class Wallet(Struct, frozen=True):
    """What somebody can spend from. `scale` is units per one of the asset: 1,000,000 for USD."""

    id: str
    asset: str
    scale: int
    balance: int
    held: int
    available: int
    debt: int
    """How far recorded usage has overdrawn it; the next deposit pays it first."""
    owner: str | None
    organization: str | None
    created_at: datetime


class Balance(Struct, frozen=True):
    """What a wallet holds from `at` on, in units."""

    wallet: str
    asset: str
    scale: int
    balance: int
    held: int
    available: int
    debt: int
    at: datetime


class HistoryItem(Struct, frozen=True):
    """Something that was asked of a wallet, and what became of it."""

    id: str
    kind: str
    status: str
    refusal: str | None
    amount: int
    available_after: int
    grant: str | None
    provider: str | None
    provider_username: str | None
    model: str | None
    reference: str | None
    note: str | None
    created_at: datetime


class Entry(Struct, frozen=True):
    """A movement of a statement; `amount` is below zero where money went out."""

    id: str
    kind: str
    amount: int
    balance_after: int
    counterpart: str
    model: str | None
    note: str | None
    reference: str | None
    created_at: datetime


class Statement(Struct, frozen=True):
    """What the movements of a period add up to, and the newest of them in `data`."""

    wallet: str
    asset: str
    scale: int
    since: datetime
    until: datetime
    opening_balance: int
    money_in: int
    money_out: int
    closing_balance: int
    entries: int
    """How many the whole period has."""
    data: list[Entry]
    next_cursor: str | None


class Grant(Struct, frozen=True):
    """A payer's permission for a provider to draw on a wallet."""

    id: str
    wallet: str
    asset: str
    provider: str
    provider_name: str
    provider_username: str
    state: str
    """`active`, `expired`, `revoked` or `replaced`."""
    limit: int | None
    charge_limit: int | None
    spent: int
    held: int
    remaining: int | None
    """Of the limit; None without a limit."""
    expires_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    session_token: str | None = None
    """What the provider charges with; told where the grant is made."""


class ConnectionRequest(Struct, frozen=True):
    """What a scanned code asks for. `warnings` are to be shown before it is approved."""

    id: str
    wallet: str
    asset: str
    scale: int
    provider: str
    provider_name: str
    provider_verified: bool
    provider_username: str
    warnings: list[str]
    limit: int | None
    expires_in_s: int | None
    state: str
    """`pending`, `approved`, `declined` or `expired`."""
    terms: str
    """Fingerprint of what is shown here; an approval has to name it."""
    created_at: datetime
    expires_at: datetime


class Session(Struct, frozen=True):
    """How far the connection of one of the provider's users has come."""

    status: str
    """`not_found`, `pending`, `active` or `expired`."""
    session_token: str | None = None
    expires_at: datetime | None = None


class Provider(Struct, frozen=True):
    """An AI service that charges. `markup` is an exact decimal."""

    slug: str
    name: str
    verified: bool
    markup: str
    created_at: datetime


class Revenue(Struct, frozen=True):
    """What a provider has earned in one asset."""

    asset: str
    scale: int
    balance: int


class Key(Struct, frozen=True):
    """An API key without its secret."""

    id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class MadeKey(Struct, frozen=True):
    """A new API key; `key` is the secret, shown this once."""

    id: str
    key: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None

    def __repr__(self) -> str:
        """Without the secret: it has no place in a log."""
        return f"MadeKey(id={self.id!r}, name={self.name!r}, scopes={self.scopes!r})"


class Organization(Struct, frozen=True):
    """A tenant."""

    id: str
    name: str
    time_zone: str
    created_at: datetime


class Asset(Struct, frozen=True):
    """What is counted: `scale` units are one; `usd_price` is an exact decimal."""

    code: str
    name: str
    scale: int
    usd_price: str | None


class Tier(Struct, frozen=True, omit_defaults=True):
    """Other prices above a number of input tokens."""

    above_input_tokens: int
    input_token: str | None = None
    output_token: str | None = None
    cached_input_token: str | None = None
    cache_write_token: str | None = None
    reasoning_token: str | None = None


class Price(Struct, frozen=True):
    """A version of a model's price: exact decimals, in ones of the asset, for one token, call or unit."""

    id: str
    provider: str
    """`*` for every provider."""
    model: str
    asset: str
    input_token: str | None
    output_token: str | None
    cached_input_token: str | None
    cache_write_token: str | None
    reasoning_token: str | None
    call: str | None
    units: dict[str, str]
    tiers: list[Tier]
    withdrawn: bool
    starts_at: datetime
    source: str
    created_by: str
    created_at: datetime


class PriceImported(Struct, frozen=True):
    """What became of a price list: names of models."""

    added: list[str]
    unchanged: list[str]
    kept: list[str]
    """Set one by one before, and so left alone."""


class Quote(Struct, frozen=True):
    """What usage would cost now."""

    amount: int
    asset: str
    price: str
    markup: str


class Person(Struct, frozen=True):
    """Somebody with an account, and a wallet in USD."""

    id: str
    email: str
    organization: str | None
    wallet: str
    available: int
    created_at: datetime


class MadePerson(Person, frozen=True, kw_only=True):
    """A new account; `password` where it was made by the server, told this once."""

    password: str | None

    def __repr__(self) -> str:
        """Without the password: it has no place in a log."""
        return f"MadePerson(id={self.id!r}, email={self.email!r})"


class Agent(Struct, frozen=True):
    """What spends an organization's credits; amounts are units of CREDIT. Its grant is its allowance."""

    name: str
    member: str | None
    grant: str
    spent: int
    limit: int | None
    charge_limit: int | None
    expires_at: datetime | None
    state: str
    created_at: datetime


class Ticket(Struct, frozen=True):
    """What opens a wallet's events in a browser, as `?ticket=…`, for `expires_in_s` seconds."""

    ticket: str
    expires_in_s: int

    def __repr__(self) -> str:
        """Without the ticket: it has no place in a log."""
        return f"Ticket(expires_in_s={self.expires_in_s})"


class Bill(Struct, frozen=True, omit_defaults=True):
    """One of several charges; told as a charge by itself."""

    session_token: str | None = None
    grant: str | None = None
    model: str | None = None
    usage: Usage | None = None
    amount: int | None = None
    asset: str | None = None
    idempotency_key: str | None = None

    def __repr__(self) -> str:
        """Without the session token."""
        return f"Bill(grant={self.grant!r}, model={self.model!r}, usage={self.usage!r}, amount={self.amount!r})"


class BatchResult(Struct, frozen=True):
    """What became of one of several charges: `charge` where its status is 201, else `problem`."""

    status: int
    replayed: bool
    charge: Charged | None = None
    problem: dict[str, Any] | None = None


class BatchResults(Struct, frozen=True):
    """In the order that was asked for."""

    results: list[BatchResult]


class Page(Struct, Generic[T], frozen=True):
    """Some of a list; `next_cursor` asks for what follows."""

    data: list[T]
    next_cursor: str | None
