"""Limits that people set on their own wallets: at most one a day, a week, a month and a year."""

import asyncpg
import msgspec
from asyncpg import Pool, Record
from msgspec import Struct

from farebox.db import queries
from farebox.envelopes.service import Envelopes, envelope_of
from farebox.envelopes.types import Envelope, EnvelopeChange, NewEnvelope, Scope
from farebox.errors import NotFound
from farebox.identity.credentials import Member
from farebox.ledger.envelopes import Counts, Stopped
from farebox.windows import Period, zones

_SQL = queries.load("farebox.envelopes", "own.sql")
NAMES = {
    Period.DAILY: "Own limit of a day",
    Period.WEEKLY: "Own limit of a week",
    Period.MONTHLY: "Own limit of a month",
    Period.YEARLY: "Own limit of a year",
}


class WalletLimit(Struct, frozen=True):
    """A limit that holds for a wallet. One that is not `own` is the operator's: to be seen, not changed."""

    envelope: Envelope
    own: bool


class Stopping(Struct, frozen=True):
    """The limit that stopped a charge, as it stood. Not `named`: it is of more than this wallet."""

    stopped: Stopped
    own: bool
    named: bool


class OwnLimits:
    """The limits of one database's people."""

    def __init__(self, pool: "Pool[Record]", envelopes: Envelopes) -> None:
        self._pool = pool
        self._envelopes = envelopes

    async def of(self, wallet_id: int) -> list[WalletLimit]:
        """What holds for a wallet's money, the shortest windows first, as it stands now."""
        rows = await _SQL.of_wallet.all(self._pool, wallet_id=wallet_id)
        return [WalletLimit(envelope_of(row), row["own"]) for row in rows]

    async def set(self, person: Member, period: Period, asset: str, limit_units: int, zone: str) -> None:
        """Limits what leaves the wallet in each such period; one that is there is changed, and what was used stays.

        The windows of a new one begin at midnight in `zone`, or in UTC where that is no time zone.
        """
        found: int | None = None
        while found is None:
            found = await _SQL.own.value(self._pool, person_id=person.id, period=period)
            if found is None and await self._added(person, period, asset, limit_units, zone):
                return
        await self._envelopes.change(person.client, found, EnvelopeChange(limit_units=limit_units))

    async def remove(self, person: Member, period: Period) -> None:
        """Ends the person's own limit; NotFound where there is none."""
        found: int | None = await _SQL.own.value(self._pool, person_id=person.id, period=period)
        if found is None:
            raise NotFound("there is no such limit of yours")
        await self._envelopes.delete(person.client, found)

    async def stopped(self, wallet_id: int, transfer_id: int) -> Stopping | None:
        """What stopped an ask, if a limit did."""
        row = await _SQL.stopped.first(self._pool, wallet_id=wallet_id, id=transfer_id)
        if row is None:
            return None
        return Stopping(msgspec.json.decode(row["stopped_by"], type=Stopped), row["own"], row["named"])

    async def _added(self, person: Member, period: Period, asset: str, limit_units: int, zone: str) -> bool:
        """False where a rival was faster."""
        new = NewEnvelope(
            name=NAMES[period],
            limit_units=limit_units,
            period=period,
            zone=zone if zone in zones() else "UTC",
            counts=Counts.MONEY,
            asset=asset,
            scope=Scope("wallet", str(person.wallet_id)),
            person_id=person.id,
        )
        try:
            await self._envelopes.add(person.client, new)
        except asyncpg.UniqueViolationError:
            return False
        return True
