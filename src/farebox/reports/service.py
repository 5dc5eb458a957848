"""What an operator looks at. Nothing here is on the way of a charge."""

from datetime import date, datetime, timedelta

from asyncpg import Pool, Record
from msgspec import Struct

from farebox.db import queries

_SQL = queries.load("farebox.reports")
_SPEND = {
    "provider": _SQL.spend_by_provider,
    "model": _SQL.spend_by_model,
    "agent": _SQL.spend_by_agent,
}
_NAMES = 500
"""The most names that are told of."""


class Spend(Struct, frozen=True):
    """What was spent under a name (a day, provider, model or agent), in units of an asset.

    A refund counts on the day on which it was made, so that a day can have given back more than was charged.
    """

    name: str
    asset: str
    scale: int
    charges: int
    refused: int
    refunds: int
    amount: int
    refunded: int
    input_tokens: int
    output_tokens: int

    @property
    def net(self) -> int:
        """What was charged, less what was given back."""
        return self.amount - self.refunded

    @property
    def used(self) -> bool:
        """Whether anything was asked for, be it refused or given back."""
        return bool(self.charges or self.refused or self.refunds)


class NewestCharge(Struct, frozen=True):
    """A line of the live stream of charges."""

    wallet_id: int
    id: int
    kind: str
    asset: str
    scale: int
    provider: str
    model: str | None
    amount: int
    refusal: str | None
    created_at: datetime


class OpenHold(Struct, frozen=True):
    """A hold that nobody has ended yet."""

    wallet_id: int
    id: int
    asset: str
    scale: int
    provider: str | None
    provider_username: str | None
    amount: int
    model: str | None
    to_wallet_id: int | None
    created_at: datetime
    expires_at: datetime
    now: datetime


class FoundGrant(Struct, frozen=True):
    """A grant that was searched for, in units of its wallet's asset."""

    id: int
    wallet_id: int
    asset: str
    scale: int
    owner: str | None
    provider: str
    provider_username: str
    limit_units: int | None
    spent: int
    held: int
    end_reason: str | None
    expired: bool
    created_at: datetime

    @property
    def state(self) -> str:
        """`active`, `expired`, `revoked` or `replaced`."""
        return self.end_reason or ("expired" if self.expired else "active")


class Health(Struct, frozen=True):
    """How the database is, and how far what is done beside charges has come."""

    postgresql: str
    bytes: int
    schema: str
    durable: bool
    events: int
    """That are kept for whoever listens."""
    holds_due: int
    """That have expired and are not swept yet."""
    unfolded: int
    """Credits that are not in their account's balance yet; counted up to 100,000."""
    totals_settled: bool
    now: datetime


class LogLine(Struct, frozen=True):
    """Who did what. `detail` is JSON text; `key_name` names the key that was used, where it was one."""

    id: int
    actor: str
    key_name: str | None
    action: str
    subject: str
    detail: str
    created_at: datetime


class Reports:
    """What an operator looks at in one database."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def spend_over_time(self, grain: str, since: date, provider_id: int | None = None) -> list[Spend]:
        """What was spent on each `day` or in each `month` since the first of them, in their order."""
        given = {"grain": grain, "since": since, "provider_id": provider_id}
        return [_spend(row) for row in await _SQL.spend_by_time.all(self._pool, **given)]

    async def spend(self, by: str, since: date, provider_id: int | None = None) -> list[Spend]:
        """What was spent since a day by `provider`, `model` or `agent`, the most first. Agents are of all providers."""
        given: dict[str, object] = {"since": since, "months": _first_month(since), "limit": _NAMES}
        if by != "agent":
            given["provider_id"] = provider_id
        return [_spend(row) for row in await _SPEND[by].all(self._pool, **given)]

    async def newest_charges(self, limit: int, provider_id: int | None = None) -> list[NewestCharge]:
        """The newest charges, refused ones too; at most 50 of one provider."""
        rows = await _SQL.newest_charges.all(self._pool, limit=limit, provider_id=provider_id)
        return [NewestCharge(**row) for row in rows]

    async def charges_like(
        self, limit: int, provider_id: int | None, model: str, refused: bool | None
    ) -> list[NewestCharge]:
        """The newest whose model has this text in it, and that were refused or not; of each provider's newest 2,000."""
        given = {"provider_id": provider_id, "model": model, "refused": refused, "limit": limit}
        return [NewestCharge(**row) for row in await _SQL.charges_like.all(self._pool, **given)]

    async def open_holds(
        self,
        limit: int,
        *,
        number: int | None = None,
        wallet_id: int | None = None,
        words: str | None = None,
        after: tuple[int, int] | None = None,
    ) -> list[OpenHold]:
        """Open holds, those that end soonest first, behind the one that `after` names by its wallet and number.

        Of one wallet (that pays or is paid), of one number in it, or of a provider, its user or a payer named `words`.
        """
        after_wallet_id, after_id = after or (None, None)
        given = {"id": number, "wallet_id": wallet_id, "words": words, "limit": limit}
        rows = await _SQL.open_holds.all(self._pool, **given, after_wallet_id=after_wallet_id, after_id=after_id)
        return [OpenHold(**row) for row in rows]

    async def grants(
        self, limit: int, *, number: int | None, wallet_id: int | None, words: str | None, valid: bool
    ) -> list[FoundGrant]:
        """Grants, newest first: of a number, of a wallet, or of a provider, its user or a payer named like that."""
        given = {"number": number, "wallet_id": wallet_id, "words": words, "open": valid, "limit": limit}
        return [FoundGrant(**row) for row in await _SQL.grants.all(self._pool, **given)]

    async def log(self, before: int, limit: int, words: str = "") -> list[LogLine]:
        """The audit log, newest first; only lines with these words in them."""
        return [LogLine(**row) for row in await _SQL.log.all(self._pool, before=before, limit=limit, words=words)]

    async def first_steps(self) -> dict[str, bool]:
        """What there is already of `providers`, `provider_keys`, `prices`, `wallets`, `money` and `charges`."""
        return dict(await _SQL.first_steps.one(self._pool))

    async def health(self) -> Health:
        """How the database is."""
        return Health(**await _SQL.health.one(self._pool))


def _first_month(since: date) -> date:
    """The first day of the first month that is whole since a day."""
    return since if since.day == 1 else (since.replace(day=1) + timedelta(days=32)).replace(day=1)


def _spend(row: Record) -> Spend:
    wide = ("amount", "refunded", "input_tokens", "output_tokens")
    return Spend(**(dict(row) | {name: int(row[name]) for name in wide}))
