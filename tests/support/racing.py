"""Ledgers with connections of their own, as other processes have, and a payer to charge."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from asyncpg import Connection, Record
from msgspec import Struct

from farebox.db import pool
from farebox.ledger.batcher import Ledger, Limits
from farebox.ledger.owners import Owners, Seat
from farebox.ledger.types import Ask, Charge, Deposit, Refund
from farebox.services import Services
from tests.support.ledgers import Books, mark


class Payer(Struct, frozen=True):
    """A wallet with money and a grant of it."""

    books: Books
    wallet: int
    grant: int

    @classmethod
    async def of(cls, books: Books, units: int = 1000) -> "Payer":
        """A new one."""
        wallet = await books.wallet(units)
        return cls(books, wallet, await books.grant(wallet))

    def charge(self, key: str, **more: Any) -> Charge:
        """An ask for one unit."""
        base: dict[str, Any] = {"client": "tester", "key": key, "fingerprint": mark(), "amount": 1}
        return Charge(
            **base | more,
            wallet_id=self.wallet,
            grant_id=self.grant,
            provider_id=self.books.provider_id,
            revenue_account=self.books.revenue,
        )

    def deposit(self, key: str, units: int = 1) -> Deposit:
        """An ask for money from outside."""
        return Deposit(
            client="tester",
            key=key,
            fingerprint=mark(),
            wallet_id=self.wallet,
            source_account=self.books.outside,
            amount=units,
        )

    def refund(self, key: str, charge_id: int) -> Refund:
        """An ask to give a charge back."""
        return Refund(
            client="tester",
            key=key,
            fingerprint=mark(),
            wallet_id=self.wallet,
            grant_id=self.grant,
            charge_id=charge_id,
            revenue_account=self.books.revenue,
            amount=None,
        )

    async def balance(self) -> int:
        """What is in the wallet."""
        return (await self.books.services.wallets.get(self.wallet)).balance


@asynccontextmanager
async def ledger_on(url: str, services: Services, **limits: Any) -> AsyncIterator[Ledger]:
    """A ledger with bounds of its own."""
    found = Ledger(lambda: pool.connect(url, services.settings), Limits(**limits))
    try:
        yield found
    finally:
        await found.close()


@asynccontextmanager
async def intruder(url: str) -> AsyncIterator["Connection[Record]"]:
    """Another session of the database, in a transaction; what it has locked is free at the end."""
    conn = await asyncpg.connect(url)
    try:
        await conn.execute("BEGIN")
        yield conn
    finally:
        await conn.close()


async def waiting_for_locks(services: Services, count: int) -> None:
    """Until so many sessions of the database wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while await services.pool.fetchval(query) < count:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def worker_on(
    url: str, services: Services, directory: Path, place: int, writers: int = 1, **limits: Any
) -> AsyncIterator[Ledger]:
    """The ledger of one of two workers that meet in a directory."""
    found = Ledger(lambda: pool.connect(url, services.settings), Limits(**limits), writers)
    owners = Owners(Seat(place, 2, str(directory)), found, Limits(**limits))
    found.share(owners, 2)
    await owners.open()
    try:
        yield found
    finally:
        await found.close()


async def handing_over(ledger: Ledger, ask: Callable[[], Ask]) -> None:
    """Until a worker hands its asks over."""
    before = ledger.handed_over
    async with asyncio.timeout(10):
        while ledger.handed_over == before:
            await asyncio.sleep(0.01)
            await ledger.submit(ask())
