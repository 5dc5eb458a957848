"""Wallets, deposits, transfers, statements."""

from typing import Annotated

from msgspec import Meta, Struct

from farebox.http.native.wire.fields import AssetCode, Body, Moment, Name, Note, OrganizationId, Units, WalletId


class NewWallet(Body, frozen=True):
    asset: AssetCode
    owner: Annotated[Name | None, Meta(description="Whatever tells you whose it is.")] = None
    organization: Annotated[OrganizationId | None, Meta(description="Its keys may use the wallet.")] = None


class WalletView(Struct, frozen=True):
    id: str
    asset: str
    scale: Annotated[int, Meta(description="Units per one of the asset.")]
    balance: Annotated[int, Meta(description="What was paid in and not yet taken.")]
    held: Annotated[int, Meta(description="What open holds reserve of the balance.")]
    available: Annotated[int, Meta(description="What can still be spent: balance - held.")]
    debt: Annotated[int, Meta(description="How far recorded usage has overdrawn it; the next deposit pays it first.")]
    owner: str | None
    organization: str | None
    created_at: Moment


class NewDeposit(Body, frozen=True):
    amount: Units
    asset: Annotated[AssetCode | None, Meta(description="Checked against the wallet's, where given.")] = None
    source: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}\Z", description="Where the money comes from.")] = (
        "manual"
    )
    reference: Annotated[
        Annotated[str, Meta(min_length=1, max_length=255)] | None,
        Meta(description="The source's own number: money with one comes in once."),
    ] = None
    note: Note | None = None


class NewTransfer(Body, frozen=True):
    from_wallet: WalletId
    to_wallet: WalletId
    amount: Units
    asset: AssetCode | None = None
    note: Note | None = None


class Moved(Struct, frozen=True):
    """What a deposit, a transfer or a refund did."""

    id: str
    wallet: str
    amount: int
    asset: str
    available: Annotated[int, Meta(description="Of the wallet, after it.")]
    created_at: Moment


class EntryView(Struct, frozen=True):
    id: str
    kind: str
    amount: Annotated[int, Meta(description="Below zero: money out.")]
    balance_after: int
    counterpart: Annotated[str, Meta(description="A provider's slug, a source's name or a wallet's number.")]
    model: str | None
    note: str | None
    reference: str | None
    created_at: Moment


class Statement(Struct, frozen=True):
    """The movements of a period, newest first, with what they add up to."""

    wallet: str
    asset: str
    scale: int
    since: Moment
    until: Moment
    opening_balance: int
    money_in: int
    money_out: int
    closing_balance: int
    entries: Annotated[int, Meta(description="How many the whole period has.")]
    data: list[EntryView]
    next_cursor: str | None
