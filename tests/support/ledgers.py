"""Asking the ledger directly, without HTTP: makers of wallets, grants and asks, and a loop for tests that have none."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import asyncpg

from farebox import app
from farebox.envelopes.types import NewEnvelope, Scope
from farebox.ledger.audit import Report, audit
from farebox.ledger.envelopes import Counts
from farebox.ledger.types import Ask, Outcome
from farebox.services import Services
from farebox.windows import Period
from tests.support.live import settings_for

T = TypeVar("T")
_numbers = itertools.count(1)


def mark() -> bytes:
    """A fingerprint that no other request has."""
    return next(_numbers).to_bytes(16, "big")


class Books:
    """A provider, wallets and grants on one database, and the ledger's door."""

    def __init__(self, services: Services, provider_id: int, slug: str, revenue: int, outside: int) -> None:
        self.services = services
        self.provider_id = provider_id
        self.slug = slug
        self.revenue = revenue
        self.outside = outside
        self.door = services.ledger
        """Where it asks: this process's ledger, until another is put here."""

    @classmethod
    async def open(cls, services: Services) -> "Books":
        """Registers a provider that earns USD."""
        slug = f"p{next(_numbers)}"
        provider = await services.directory.add_provider("test", slug, slug)
        revenue = await services.accounts.revenue(provider.id, "USD")
        return cls(services, provider.id, slug, revenue, await services.accounts.external("test", "USD"))

    async def wallet(self, units: int = 0) -> int:
        """A new USD wallet with money in it."""
        wallet = await self.services.wallets.add("test", "USD", None, None)
        if units:
            await self.put(wallet.id, units)
        return wallet.id

    async def put(self, wallet_id: int, units: int) -> None:
        """Money into a wallet, straight through the ledger."""
        from farebox.ledger.types import Deposit

        await self.ask(Deposit, wallet_id=wallet_id, source_account=self.outside, amount=units)

    async def grant(self, wallet_id: int, limit: int | None = None, charge_limit: int | None = None) -> int:
        """A new grant; its number."""
        from farebox.consent.types import Terms

        provider = await self.services.directory.provider(self.slug)
        user = f"user{next(_numbers)}"
        made, _ = await self.services.consent.grant("test", wallet_id, provider, user, Terms(limit, charge_limit))
        return made.id

    async def envelope(self, scope: Scope | None, limit: int, **more: Any) -> int:
        """A new monthly envelope: of USD, of the operator's, unless something else is said; its number."""
        base: dict[str, Any] = {"name": "test", "period": Period.MONTHLY, "counts": Counts.MONEY}
        given = base | more
        asset = "USD" if given["counts"] is Counts.MONEY else None
        new = NewEnvelope(**given, scope=scope, limit_units=limit, asset=asset)
        return (await self.services.envelopes.add("test", new)).id

    async def ask(self, kind: type[Ask], **given: Any) -> Outcome:
        """Asks the ledger; client, key and fingerprint are made up where they are not given."""
        base: dict[str, Any] = {"client": "test", "key": f"k{next(_numbers)}", "fingerprint": mark()}
        return await self.door.submit(kind(**base | given))

    async def audit(self) -> Report:
        """The audit of the whole database."""
        async with self.services.pool.acquire() as conn:
            return await audit(conn)


class Runner:
    """An event loop for tests that are not coroutines themselves, with a server's parts on it."""

    def __init__(self, runner: asyncio.Runner, services: Services) -> None:
        self._runner = runner
        self.services = services

    def __call__(self, awaitable: Awaitable[T]) -> T:
        async def main() -> T:
            return await awaitable

        return self._runner.run(main())


@asynccontextmanager
async def services_on(url: str, **settings: Any) -> AsyncIterator[Services]:
    """A server's parts on a database, without HTTP."""
    found = settings_for(**settings)
    secret = app.secret_of(found)
    await app.prepare(url, found, secret)
    async with app.open_services(lambda: url, found, secret) as services:
        yield services


@contextmanager
def running_services(url: str, **settings: Any) -> Iterator[Runner]:
    """As `services_on`, on a loop of their own."""
    with asyncio.Runner() as runner:
        opened = services_on(url, **settings)
        services = runner.run(opened.__aenter__())
        try:
            yield Runner(runner, services)
        finally:
            runner.run(opened.__aexit__(None, None, None))


async def owner(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection that may do what the application may not."""
    return await asyncpg.connect(url.replace("://farebox@", "://postgres@"))
