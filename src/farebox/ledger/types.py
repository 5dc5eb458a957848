"""What the ledger speaks of: asks, facts, plans, refusals, outcomes.

Amounts are integer units of the wallet's asset. Times are aware datetimes of the database's clock.
"""

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct

from farebox.ledger.envelopes import Count, EnvelopeFacts, Stopped

MAX_UNITS = 2**63 - 1
"""The largest amount or balance: what a bigint holds."""


class Refusal(StrEnum):
    """Why an ask was not done, named by the first broken rule in the order of `decide`."""

    # Not stored: the caller is not who it was, or the thing asked about is not there.
    CREDENTIAL_REVOKED = "credential_revoked"
    KEY_REUSED = "idempotency_key_reused"
    REFERENCE_REUSED = "reference_reused"
    PRICE_CHANGED = "price_changed"
    WALLET_UNKNOWN = "wallet_unknown"
    GRANT_UNKNOWN = "grant_unknown"
    HOLD_UNKNOWN = "hold_unknown"
    CHARGE_UNKNOWN = "charge_unknown"
    ENVELOPE_UNKNOWN = "envelope_unknown"
    # Stored: decisions that a retry must find again (RULES 9).
    GRANT_REVOKED = "grant_revoked"
    GRANT_REPLACED = "grant_replaced"
    GRANT_EXPIRED = "grant_expired"
    HOLD_CLOSED = "hold_closed"
    HOLD_EXPIRED = "hold_expired"
    CAPTURE_EXCEEDS_HOLD = "capture_exceeds_hold"
    REFUND_EXCEEDS_CHARGE = "refund_exceeds_charge"
    ASSET_MISMATCH = "asset_mismatch"
    CHARGE_LIMIT_EXCEEDED = "charge_limit_exceeded"
    GRANT_LIMIT_EXCEEDED = "grant_limit_exceeded"
    ENVELOPE_LIMIT_EXCEEDED = "envelope_limit_exceeded"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    AMOUNT_OVERFLOW = "amount_overflow"


UNSTORED = frozenset(
    {
        Refusal.CREDENTIAL_REVOKED,
        Refusal.KEY_REUSED,
        Refusal.REFERENCE_REUSED,
        Refusal.PRICE_CHANGED,
        Refusal.WALLET_UNKNOWN,
        Refusal.GRANT_UNKNOWN,
        Refusal.HOLD_UNKNOWN,
        Refusal.CHARGE_UNKNOWN,
        Refusal.ENVELOPE_UNKNOWN,
    }
)
"""Refusals that leave no row: nothing was decided, and a retry may well succeed."""


class Usage(Struct, frozen=True, gc=False):
    """What was used. The token kinds are disjoint: each token is counted in exactly one of them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    calls: int = 0
    units: tuple[tuple[str, int], ...] = ()


def usage_units(usage: Usage | None) -> int:
    """What envelopes that count usage count: tokens of every kind, calls and other units, added up."""
    if usage is None:
        return 0
    return (
        usage.input_tokens
        + usage.output_tokens
        + usage.cached_input_tokens
        + usage.cache_write_tokens
        + usage.reasoning_tokens
        + usage.calls
        + sum(count for _, count in usage.units)
    )


Draw = tuple[int, int | None, int | None, str | None]
"""What a draw is on, as far as envelopes can be attached to it: wallet, grant, provider, model."""


class Pricing(Struct, frozen=True, gc=False):
    """How an amount came about, kept with the charge so that it can be explained."""

    price_id: int | None
    """None where an amount was given and only converted."""
    markup_ppm: int
    revision: int
    """Of the price book that the amount was computed with."""
    until: datetime | None
    """When the next version of this price starts, if one is known."""
    conversion: str | None = None
    """Wallet units for one unit of the price's asset, as a fraction; None for the same asset."""
    since: datetime | None = None
    """When this price started, where only the clock of the one who asks says that it has."""


class Ask(Struct, kw_only=True, gc=False, tag=True):
    """Something to be decided. `client` and `key` say who asks and which of its asks this is.

    The tag, which is the class's name, tells them apart where one worker hands them to another.
    """

    client: str
    key: str
    fingerprint: bytes
    wallet_id: int
    credential_id: int | None = None
    """The API key that the caller came with; checked again inside the batch."""
    person: tuple[int, int] | None = None
    """The person who asks and the version of the password that was verified; checked again inside the batch."""


class Deposit(Ask, kw_only=True, gc=False):
    """Money from outside into a wallet, once per source and reference."""

    source_account: int
    amount: int
    asset: str | None = None
    reference: str | None = None
    note: str | None = None


class Charge(Ask, kw_only=True, gc=False):
    """A draw on a grant for what is about to be delivered; can be refused.

    Without a grant the wallet's owner spends at the operator's own service.
    """

    grant_id: int | None
    provider_id: int
    revenue_account: int
    amount: int
    model: str | None = None
    usage: Usage | None = None
    pricing: Pricing | None = None
    member_id: int | None = None
    """The member of the organization for whom it was spent."""
    note: str | None = None


class Hold(Ask, kw_only=True, gc=False):
    """A reservation, counted as spent until it is captured, released or expires.

    It is on a grant, or for another wallet (a pending transfer), or both; without a grant the owner asks.
    """

    grant_id: int | None = None
    lineage: tuple[int, ...] = ()
    """The grants that the grant was made from; what is held counts on all of them."""
    to_wallet_id: int | None = None
    asked_by: str | None = None
    app_name: str | None = None
    app_path: str | None = None
    amount: int
    ttl_s: int
    model: str | None = None
    usage: Usage | None = None
    """What it is for, as far as that is known; envelopes that count usage reserve it."""
    pricing: Pricing | None = None


class Capture(Ask, kw_only=True, gc=False):
    """Takes `amount` of a hold, at most all of it, and frees the rest.

    What a provider held is its revenue; what was held for another wallet goes there.
    """

    grant_id: int | None = None
    lineage: tuple[int, ...] = ()
    hold_id: int
    provider_id: int | None = None
    revenue_account: int | None = None
    to_wallet_id: int | None = None
    by: str | None = None
    """Which side of a pending transfer asks."""
    amount: int | None = None
    """None takes the whole hold."""
    model: str | None = None
    usage: Usage | None = None
    pricing: Pricing | None = None


class Release(Ask, kw_only=True, gc=False):
    """Frees a hold."""

    grant_id: int | None = None
    lineage: tuple[int, ...] = ()
    hold_id: int
    by: str | None = None


class Refund(Ask, kw_only=True, gc=False):
    """Gives back `amount` of a charge, at most what is left of it."""

    grant_id: int | None
    charge_id: int
    revenue_account: int
    amount: int | None
    """None gives back all that is left."""
    note: str | None = None


class Transfer(Ask, kw_only=True, gc=False):
    """From one wallet to another of the same asset."""

    to_wallet_id: int
    amount: int
    asset: str | None = None
    note: str | None = None


class RecordUsage(Ask, kw_only=True, gc=False):
    """Usage that has already happened: a fact, booked even below zero, shown as debt (RULES 6)."""

    grant_id: int | None = None
    provider_id: int
    revenue_account: int
    amount: int
    model: str | None = None
    usage: Usage | None = None
    pricing: Pricing | None = None
    member_id: int | None = None
    note: str | None = None


class Record(Ask, kw_only=True, gc=False):
    """Usage that an organization counts on an envelope of its own, with no wallet and no money; can be refused.

    Its `wallet_id` is the organization's number.
    """

    organization_id: str
    envelope_id: int
    amount: int
    metadata: bytes | None = None
    """A JSON object of the caller's, as text, kept with the record."""


class Tidy(Ask, kw_only=True, gc=False):
    """Asks for nothing: any batch that touches a wallet frees its expired holds first. Leaves no row of its own."""


class WalletFacts(Struct, gc=False):
    """A locked wallet, as it stands at this point of the batch."""

    id: int
    asset: str
    balance: int
    held: int
    debt: int
    version: int = 0
    """The transaction that wrote the row (its xmin): while it is the same, so is the row."""

    @property
    def available(self) -> int:
        """What can still be spent: held units count as spent (RULES 7)."""
        return self.balance - self.held


class GrantFacts(Struct, gc=False):
    """A locked grant, as it stands at this point of the batch."""

    id: int
    wallet_id: int
    limit: int | None
    charge_limit: int | None
    spent: int
    held: int
    overrun: int
    expires_at: datetime | None
    end_reason: str | None
    lineage: tuple[int, ...] = ()
    """The grants that it was made from, the nearest first."""
    version: int = 0
    """The transaction that wrote the row (its xmin): while it is the same, so is the row."""

    @property
    def remaining(self) -> int | None:
        """What the grant still allows in all; None without a limit."""
        return None if self.limit is None else self.limit - self.spent - self.held


class HoldFacts(Struct, gc=False):
    """A locked hold."""

    id: int
    wallet_id: int
    grant_id: int | None
    amount: int
    state: str
    expires_at: datetime
    model: str | None
    to_wallet_id: int | None = None
    usage_units: int = 0
    envelopes: tuple[int, ...] = ()
    """Those that it is reserved in."""
    version: int = 0
    """The transaction that wrote the row (its xmin): while it is the same, so is the row."""


class ChargeFacts(Struct, gc=False):
    """A locked charge that was posted."""

    id: int
    wallet_id: int
    grant_id: int | None
    amount: int
    refunded: int
    created_at: datetime
    envelopes: tuple[int, ...] = ()
    """Those that it was counted on."""


class Outcome(Struct, gc=False):
    """What became of an ask. With a refusal, nothing moved."""

    transfer_id: int
    refusal: Refusal | None
    amount: int
    available: int
    """Of the wallet, after this ask, in units of its asset."""
    remaining: int | None
    """Of the grant, after this ask; None without a grant or a limit."""
    created_at: datetime
    replayed: bool = False
    stopped: Stopped | None = None
    """The envelope that refused it; of several, the one with the least left."""


class StoredOutcome(Struct, gc=False):
    """An outcome found under its key, with the fingerprint of the request that it answered."""

    fingerprint: bytes
    outcome: Outcome


class Facts(Struct, gc=False):
    """All that one batch may decide on, loaded under its locks."""

    now: datetime
    first_id: int
    """The batch's own block of transfer ids starts here."""
    price_revision: int
    wallets: dict[int, WalletFacts]
    grants: dict[int, GrantFacts]
    holds: dict[int, HoldFacts]
    charges: dict[int, ChargeFacts]
    keys: dict[tuple[str, str], StoredOutcome]
    references: dict[tuple[int, str], StoredOutcome]
    revoked_credentials: set[int]
    stale_people: set[tuple[int, int]] = msgspec.field(default_factory=set)
    """Those whose password is another one by now."""
    envelopes: dict[int, EnvelopeFacts] = msgspec.field(default_factory=dict)
    applying: dict[Draw, list[int]] = msgspec.field(default_factory=dict)
    """The envelopes that are attached to what is drawn on."""
    envelope_revision: int = 0
    """Rises with every change of which envelopes are attached to what."""

    def chain(self, grant_id: int) -> "list[GrantFacts]":
        """A grant and those that it was made from."""
        grant = self.grants[grant_id]
        return [grant, *(self.grants[id_] for id_ in grant.lineage)]


class Plan(Struct, gc=False, kw_only=True):
    """What is to be written for one ask: a movement, or a change of what is reserved, or both.

    `amount` moves from `debit` to `credit` where both are given. The other figures are changes.
    """

    amount: int
    debit: int | None = None
    credit: int | None = None
    held: int = 0
    grant_id: int | None = None
    grant_spent: int = 0
    grant_held: int = 0
    parent_id: int | None = None
    envelopes: tuple[Count, ...] = ()
    fact: bool = False
    """Booked whatever the balance: the wallet may go into debt."""
