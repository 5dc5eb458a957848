"""Ledgers of several sizes, open side by side, as loads want them."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import asyncpg
from msgspec import Struct

from bench.growth.crowd import Size, grant_id, session_token, wallet_id
from bench.growth.ledger import build, running
from bench.growth.loader import Say
from bench.world import OWNER, Payer, World
from farebox.db import migrate
from farebox.db.embedded import APP_ROLE


class Crowd(Sequence[Payer]):
    """The payers of a ledger from one place in the crowd on, made when they are asked for: there may be millions."""

    def __init__(self, start: int, end: int) -> None:
        self._places = range(start, end)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Payer: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Payer]: ...
    def __getitem__(self, place: int | slice) -> Payer | Sequence[Payer]:
        if isinstance(place, slice):
            return [payer(index) for index in self._places[place]]
        return payer(self._places[place])


class Drawn(Sequence[Payer]):
    """Payers who come in an order of their own, whichever place is asked for."""

    def __init__(self, count: int, order: Iterator[Payer]) -> None:
        self._count = count
        self._order = order

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        return next(self._order)


def payer(index: int) -> Payer:
    """Who stands at that place."""
    return Payer(wallet_id(index), grant_id(index), session_token(index))


class Grown(Struct, frozen=True):
    """One ledger, running."""

    size: Size
    world: World

    def called(self, what: str) -> str:
        """The name of a load on it."""
        return f"{what}, {self.size.name}"


@contextlib.contextmanager
def grown(directory: Path, sizes: Sequence[Size], say: Say) -> Iterator[list[Grown]]:
    """All of them at once, each with a PostgreSQL of its own; those that are not in the directory are made there."""
    with contextlib.ExitStack() as stack:
        found = []
        for size in sizes:
            place = place_of(size, directory)
            built = build(place, size, say)
            say(f"reading {size.name} through")
            read_through(place)
            postgres = stack.enter_context(running(place))
            found.append(Grown(size, asyncio.run(_world(postgres.url(), postgres.url(OWNER), built.api_key))))
        yield found


def read_through(place: Path) -> None:
    """Leaves as much of it in memory as there is room for: as where it has run for long, loaded just now or not."""
    buffer = bytearray(1 << 20)
    for path in sorted(place.rglob("base/**/*")):
        if path.is_file():
            with path.open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


def place_of(size: Size, directory: Path) -> Path:
    """Where a ledger of that size is kept."""
    return directory / f"{size.wallets}-{size.entries}"


async def _world(url: str, owner_url: str, api_key: str) -> World:
    await migrate.migrate(owner_url)  # it may have been kept since another revision
    await migrate.grant(owner_url, APP_ROLE)
    conn = await asyncpg.connect(owner_url)
    postmaster = await conn.fetchval("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")
    provider = await conn.fetchval("SELECT id FROM providers")
    revenue = await conn.fetchval("SELECT id FROM accounts WHERE kind = 'revenue'")
    await conn.close()
    return World(url, owner_url, postmaster, provider, revenue, api_key, [], payer(0))
