"""Booking usage records: priced, attributed, and through the ledger's one door as facts (RULES 6, 21)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec
import structlog
from asyncpg import Pool, Record

from farebox.charging.service import Bill, Charging
from farebox.db import queries
from farebox.errors import Invalid, NotFound
from farebox.ingest.types import Fate, Kind, Parked, Settled, UsageRecord
from farebox.ledger.batcher import Ledger, OutcomeUnknown, Overloaded, Unavailable
from farebox.ledger.types import Outcome, RecordUsage, Refusal
from farebox.pricing.book import Book
from farebox.pricing.service import Prices, now
from farebox.teams.service import Teams
from farebox.teams.types import CREDIT, Spender
from farebox.wallets.accounts import Accounts

log = structlog.get_logger()
_SQL = queries.load("farebox.ingest")
_encode = msgspec.json.Encoder().encode
_AGAIN = (Overloaded, Unavailable, OutcomeUnknown)
_UNPARK_AT_ONCE = 500

UNKNOWN_ORGANIZATION = "unknown_organization"
ID_REUSED = "id_reused"
NOT_BOOKABLE = "not_bookable"


class Books:
    """What one stream's records are booked by. The key of each is the stream and the record's id."""

    def __init__(
        self,
        stream: str,
        pool: "Pool[Record]",
        ledger: Ledger,
        prices: Prices,
        charging: Charging,
        teams: Teams,
        accounts: Accounts,
    ) -> None:
        self._stream = stream
        self._client = f"stream:{stream}"
        self._pool = pool
        self._ledger = ledger
        self._prices = prices
        self._charging = charging
        self._teams = teams
        self._accounts = accounts
        self._tried_revision = 0

    async def parked(self, limit: int, *, dismissed: bool = False) -> list[Parked]:
        """What waits for a price or an organization, or was dismissed as it did, and how much of it; the most first."""
        rows = await _SQL.parked.all(self._pool, stream=self._stream, dismissed=dismissed, limit=limit)
        return [Parked(**row) for row in rows]

    async def count(self, kind: Kind, *, dismissed: bool) -> int:
        """How many records of a kind wait, or were dismissed."""
        given = msgspec.structs.asdict(kind)
        found: int = await _SQL.count_parked.value(self._pool, stream=self._stream, dismissed=dismissed, **given)
        return found

    async def dismiss(self, kind: Kind) -> int:
        """All records of a kind wait no longer, until they are taken up again; how many."""
        return await self._dismiss(kind, dismissed=True)

    async def resume(self, kind: Kind) -> int:
        """All records of a kind that were dismissed wait again; how many."""
        return await self._dismiss(kind, dismissed=False)

    async def _dismiss(self, kind: Kind, *, dismissed: bool) -> int:
        given = msgspec.structs.asdict(kind)
        done: int = await _SQL.dismiss_parked.value(self._pool, stream=self._stream, dismissed=dismissed, **given)
        return done

    async def settle(self, records: Sequence[UsageRecord]) -> list[Settled]:
        """The fate of each, in order. What is answered is committed; raises what the database's absence raises."""
        spenders = await self._spenders(records)
        house = (await self._teams.house()).id
        revenue = await self._accounts.revenue(house, CREDIT)
        settled: dict[int, Settled] = {}
        left: Sequence[int] = range(len(records))
        book, at = self._prices.book, now()
        while left:
            asks = {place: self._ask(book, records[place], spenders[place], house, revenue, at) for place in left}
            waiting = {place: Settled(Fate.PARKED, ask) for place, ask in asks.items() if isinstance(ask, str)}
            asked = [(place, await self._submitted(ask)) for place, ask in asks.items() if not isinstance(ask, str)]
            left = []
            for place, future in asked:
                try:
                    outcome = await future
                except _AGAIN:
                    left.append(place)
                    continue
                except Exception as error:  # it failed alone, among its neighbours (RULES 14)
                    log.error("ingest.not_bookable", error=repr(error))
                    settled[place] = Settled(Fate.REFUSED, NOT_BOOKABLE)
                    continue
                if outcome.refusal is Refusal.PRICE_CHANGED:
                    at = outcome.created_at
                    left.append(place)
                else:
                    settled[place] = _settled(outcome)
            if waiting or left:
                before, book = book, await self._prices.fresh()
                if book is not before:  # perhaps there is a price by now
                    left += waiting
                else:
                    settled |= waiting
        await self._park(records, settled)
        return [settled[place] for place in range(len(records))]

    async def _submitted(self, ask: RecordUsage) -> "asyncio.Future[Outcome]":
        """Queues an ask, as soon as there is room: the stream waits, callers that wait for an answer don't."""
        while True:
            try:
                return self._ledger.submit(ask)
            except Overloaded:
                await asyncio.sleep(0.01)

    async def _spenders(self, records: Sequence[UsageRecord]) -> list[Spender | None]:
        """Who has used each; None where the organization is not known."""
        found: dict[tuple[str, str, str], Spender | None] = {}
        spenders: list[Spender | None] = []
        for record in records:
            who = (record.organization_id, record.agent, record.member)
            spender = self._teams.remembered(*who) or found.get(who)
            if spender is None and who not in found:
                try:
                    spender = await self._teams.spender(*who)
                except NotFound:
                    spender = None
                found[who] = spender
            spenders.append(spender)
        return spenders

    def _ask(
        self, book: Book, record: UsageRecord, spender: Spender | None, house: int, revenue: int, at: datetime
    ) -> RecordUsage | str:
        """What to ask the ledger, or why the record has to wait."""
        if spender is None:
            return UNKNOWN_ORGANIZATION
        try:
            quote = self._charging.quote(book, house, CREDIT, Bill(record.model, record.usage), at)
        except Invalid as error:
            return error.code
        return RecordUsage(
            client=self._client,
            key=record.record_id,
            fingerprint=record.fingerprint,
            wallet_id=spender.grant.wallet_id,
            grant_id=spender.grant.grant_id,
            provider_id=house,
            revenue_account=revenue,
            amount=quote.amount,
            model=record.model,
            usage=record.usage,
            pricing=quote.pricing,
            member_id=spender.member_id,
            note=record.note,
        )

    async def _park(self, records: Sequence[UsageRecord], settled: dict[int, Settled]) -> None:
        """Keeps what has to wait. An id that waits with other values is a conflict, kept for a person."""
        waiting: dict[str, int] = {}
        for place, fate in settled.items():
            if fate.fate is not Fate.PARKED:
                continue
            other = waiting.setdefault(records[place].record_id, place)
            if records[other].fingerprint != records[place].fingerprint:
                settled[place] = Settled(Fate.REFUSED, ID_REUSED)
        if not waiting:
            return
        rows = [_row(records[place], settled[place].reason) for place in waiting.values()]
        kept = await _SQL.park.all(self._pool, stream=self._stream, records=_encode(rows).decode())
        parked = {row["record_id"] for row in kept}
        for place, fate in list(settled.items()):
            if fate.fate is Fate.PARKED and records[place].record_id not in parked:
                settled[place] = Settled(Fate.REFUSED, ID_REUSED)

    async def unpark(self, *, whole: bool) -> int:
        """Books what has waited for a price or an organization that is there by now; how many records.

        Prices are looked at when there are others than the last time, or when the `whole` is asked for.
        """
        done = 0
        book = await self._prices.fresh()
        if whole or book.revision != self._tried_revision:
            rows = await _SQL.waiting_models.all(self._pool, stream=self._stream)
            house, at = (await self._teams.house()).id, now()
            models = [row["model"] for row in rows if book.has(house, row["model"], at)]
            if models:
                done += await self._unpark(_SQL.parked_of_models, models=models)
            self._tried_revision = book.revision
        return done + await self._unpark(_SQL.parked_of_organizations)

    async def _unpark(self, query: queries.Query, **given: object) -> int:
        done, after = 0, ""
        while True:
            rows = await query.all(self._pool, stream=self._stream, after=after, limit=_UNPARK_AT_ONCE, **given)
            records = [msgspec.json.decode(row["record"], type=UsageRecord) for row in rows]
            settled = await self.settle(records)
            booked = [
                record.record_id
                for record, fate in zip(records, settled, strict=True)
                if fate.fate in (Fate.BOOKED, Fate.REPLAYED)
            ]
            await _SQL.unpark.run(self._pool, stream=self._stream, record_ids=booked)
            for record, fate in zip(records, settled, strict=True):
                if fate.fate is Fate.REFUSED:  # what it waits for is a person
                    told = {"record_id": record.record_id, "reason": fate.reason}
                    await _SQL.wait_for.run(self._pool, stream=self._stream, **told)
            done += len(booked)
            if len(rows) < _UNPARK_AT_ONCE:
                return done
            after = rows[-1]["record_id"]


def _settled(outcome: Outcome) -> Settled:
    if outcome.refusal is None:
        return Settled(Fate.REPLAYED if outcome.replayed else Fate.BOOKED)
    if outcome.refusal is Refusal.KEY_REUSED:
        return Settled(Fate.REFUSED, ID_REUSED)
    return Settled(Fate.REFUSED, outcome.refusal.value)


def _row(record: UsageRecord, reason: str) -> dict[str, str]:
    return {
        "record_id": record.record_id,
        "organization_id": record.organization_id,
        "model": record.model,
        "reason": reason,
        "fingerprint": record.fingerprint.hex(),
        "record": _encode(record).decode(),
    }
