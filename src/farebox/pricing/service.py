"""The price book's keeper: loads it when it has changed, and takes in new versions."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from asyncpg import Pool, Record

from farebox.db import queries
from farebox.errors import Invalid, NotFound
from farebox.identity.service import note
from farebox.money import Asset
from farebox.pricing import imports
from farebox.pricing.book import Book, Version
from farebox.pricing.compute import BadRate, compile_rates
from farebox.pricing.types import NewPrice, Price, Rates, TakenIn

_SQL = queries.load("farebox.pricing")


class Prices:
    """The price book of one database."""

    def __init__(self, pool: "Pool[Record]", aliases: Callable[[str], tuple[str, ...]] | None = None) -> None:
        self._pool = pool
        self._aliases = aliases
        self._book: Book | None = None
        self._loading = asyncio.Lock()

    @property
    def book(self) -> Book:
        """The book as it was last seen; the ledger refuses amounts of a book that is older than its own."""
        assert self._book is not None, "load() comes first"
        return self._book

    async def fresh(self) -> Book:
        """The book as it is now."""
        revision: int = await _SQL.revision.value(self._pool)
        if self._book is None or self._book.revision != revision:
            async with self._loading:
                if self._book is None and self._aliases is not None:
                    # The first name reads a large module: not while requests wait.
                    asyncio.get_running_loop().run_in_executor(None, self._aliases, "")
                if self._book is not None and self._book.revision > revision:
                    # Another has loaded it meanwhile; or the database is another, that has lost the last change.
                    revision = await _SQL.revision.value(self._pool)
                if self._book is None or self._book.revision != revision:
                    self._book = await self._load(revision)
        return self._book

    async def _load(self, revision: int) -> Book:
        """What is read here is at least as new as `revision`: where it is newer, the ledger asks for it again."""
        read_at: datetime = await _SQL.clock.value(self._pool)
        assets = {row["code"]: Asset(**row) for row in await _SQL.assets.all(self._pool)}
        markups = {row["id"]: row["markup_ppm"] for row in await _SQL.markups.all(self._pool)}
        versions: dict[tuple[int | None, str], list[Version]] = {}
        for row in await _SQL.book.all(self._pool, at=read_at):
            versions.setdefault((row["provider_id"], row["model"]), []).append(_version(row, assets))
        for found in versions.values():
            found.sort(key=lambda version: (version.starts_at, version.id), reverse=True)
        return Book(
            revision=revision,
            read_at=read_at,
            assets=assets,
            markups=markups,
            versions={key: tuple(found) for key, found in versions.items()},
            conversions={},
            aliases=self._aliases,
        )

    async def add(self, actor: str, source: str, prices: list[NewPrice], **why: str) -> list[int]:
        """Adds versions, all or none; their numbers, in order. Raises Invalid for rates that can't be kept."""
        await self.check(prices)
        async with self._pool.acquire() as conn, conn.transaction():
            await _SQL.lock_book.value(conn)
            ids = await self._insert(conn, actor, source, prices, **why)
        await self.fresh()
        return ids

    async def _insert(self, conn: Any, actor: str, source: str, prices: list[NewPrice], **why: str) -> list[int]:
        rows = await _SQL.add_prices.all(
            conn, prices=msgspec.json.encode(prices).decode(), source=source, created_by=actor
        )
        await note(conn, actor, "prices.add", source, models=len(prices), **why)
        return [row["id"] for row in rows]

    async def withdraw(self, actor: str, source: str, provider_id: int | None, model: str) -> None:
        """Ends a model's price from now on, and whatever is planned for it; NotFound where there is none."""
        newest = (await self.versions(provider_id, model, 1))[0]
        async with self._pool.acquire() as conn, conn.transaction():
            await _SQL.lock_book.value(conn)
            planned = await _SQL.planned.all(conn, provider_id=provider_id, model=model)
            starts = [None, *(row["starts_at"] for row in planned)]
            gone = [NewPrice(model, newest.asset, None, provider_id, start) for start in starts]
            await self._insert(conn, actor, source, gone)
        await self.fresh()

    async def check(self, prices: list[NewPrice]) -> None:
        """Raises Invalid for an asset, a rate or a start that can't be kept."""
        assets = (await self.fresh()).assets
        for price in prices:
            _check(price, assets)

    async def take_in(
        self,
        actor: str,
        source: str,
        prices: list[NewPrice],
        provider_id: int | None = None,
        *,
        replace: bool = False,
        only_compare: bool = False,
    ) -> TakenIn:
        """Adds what differs from what holds and from what is planned: the same list again changes nothing.

        A price that was set by hand stays, unless `replace`; so does a model that the list does not name. All of one
        owner; all or nothing. Raises Invalid.
        """
        await self.check(prices)
        async with self._pool.acquire() as conn, conn.transaction():
            await _SQL.lock_book.value(conn)
            at: datetime = await _SQL.clock.value(conn)
            rows = await _SQL.compared.all(conn, provider_id=provider_id, at=at)
            there = imports.by_model(dict(row) for row in rows)
            plan, done = imports.compare(prices, there, provider_id, at, replace=replace)
            if plan and not only_compare:
                await self._insert(conn, actor, source, plan)
        await self.fresh()
        return done

    async def price(self, price_id: int) -> Price:
        """One version by its number; it must exist."""
        return _price(await _SQL.price.one(self._pool, id=price_id))

    async def held(self, provider_id: int | None, model: str) -> Price | None:
        """The version of one model's price that holds now, be it one that withdraws; None where none has started."""
        row = await _SQL.held.first(self._pool, provider_id=provider_id, model=model)
        return None if row is None else _price(row)

    async def versions(self, provider_id: int | None, model: str, limit: int = 100) -> list[Price]:
        """The versions of one model's price, newest first; NotFound where there is none."""
        rows = await _SQL.versions.all(self._pool, provider_id=provider_id, model=model, limit=limit)
        if not rows:
            raise NotFound("there is no price for this model")
        return [_price(row) for row in rows]

    async def page(self, provider_id: int | None, after: str, limit: int) -> list[Price]:
        """The prices that hold now, by model."""
        rows = await _SQL.prices_page.all(self._pool, provider_id=provider_id, after=after, limit=limit)
        return [_price(row) for row in rows]

    async def any(self) -> bool:
        """Whether there is any price."""
        return bool(await _SQL.any_price.value(self._pool))

    async def put_asset(self, actor: str, code: str, name: str, scale: int, usd_price: Decimal | None) -> Asset:
        """Adds an asset, or changes its name and price; its scale can't change."""
        async with self._pool.acquire() as conn, conn.transaction():
            done = await _SQL.put_asset.value(conn, code=code, name=name, scale=scale, usd_price=usd_price)
            if done is None:
                raise Invalid.field("scale", "an asset's scale can't change: amounts are counted in it")
            await note(conn, actor, "asset.put", code, scale=scale, usd_price=str(usd_price))
        return (await self.fresh()).assets[code]


def _check(price: NewPrice, assets: dict[str, Asset]) -> None:
    """Raises Invalid. What is kept here is read by every process: what it could not read would end all charges."""
    asset = assets.get(price.asset)
    if asset is None:
        raise Invalid.field("asset", f"one of {', '.join(assets)}")
    try:
        if price.starts_at is not None:
            price.starts_at.astimezone(UTC)
        if price.rates is not None:
            compile_rates(price.rates, asset.scale)
    except OverflowError:
        raise Invalid.field("starts_at", "is before or after all time") from None
    except BadRate as error:
        raise Invalid(f"{price.model}: {error}") from None
    if price.rates is not None and len({tier.above_input_tokens for tier in price.rates.tiers}) < len(
        price.rates.tiers
    ):
        raise Invalid(f"{price.model}: two tiers are above the same number of tokens")


def _version(row: Record, assets: dict[str, Asset]) -> Version:
    rates = _rates(row["rates"])
    compiled = None if rates is None else compile_rates(rates, assets[row["asset"]].scale)
    return Version(row["id"], row["asset"], row["starts_at"], compiled)


def _price(row: Record) -> Price:
    fields: dict[str, Any] = dict(row)
    return Price(**fields | {"rates": _rates(fields["rates"])})


def _rates(text: str | None) -> Rates | None:
    return None if text is None else msgspec.json.decode(text, type=Rates)


def now() -> datetime:
    """This machine's clock: good enough to choose a version, since the ledger checks by the database's."""
    return datetime.now(UTC)
