"""SQL in named files beside the code that calls it, in the format of aiosql."""

import asyncio
from collections.abc import Iterator
from importlib import resources
from typing import Any, Protocol

import aiosql
from asyncpg import Record
from msgspec import Struct


class Connection(Protocol):
    """What a query runs on: an asyncpg connection or pool."""

    async def fetch(self, query: str, *args: Any, timeout: float | None = None) -> list[Record]: ...
    async def fetchrow(self, query: str, *args: Any, timeout: float | None = None) -> Record | None: ...
    async def fetchval(self, query: str, *args: Any, timeout: float | None = None) -> Any: ...
    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str: ...


class Query(Struct, frozen=True):
    """One named statement; parameters are given by name, each exactly once."""

    name: str
    sql: str
    params: tuple[str, ...]

    def ordered(self, given: dict[str, Any]) -> Iterator[Any]:
        if len(given) != len(self.params):
            raise TypeError(f"{self.name} takes {', '.join(self.params)}")
        return (given[param] for param in self.params)

    async def all(self, conn: Connection, **given: Any) -> list[Record]:
        """Every row."""
        await _in_a_task()
        return await conn.fetch(self.sql, *self.ordered(given))

    async def first(self, conn: Connection, **given: Any) -> Record | None:
        """The first row, or None."""
        await _in_a_task()
        return await conn.fetchrow(self.sql, *self.ordered(given))

    async def one(self, conn: Connection, **given: Any) -> Record:
        """The first row; there must be one."""
        await _in_a_task()
        row = await conn.fetchrow(self.sql, *self.ordered(given))
        if row is None:
            raise LookupError(f"{self.name} found no row")
        return row

    async def value(self, conn: Connection, **given: Any) -> Any:
        """The first column of the first row, or None."""
        await _in_a_task()
        return await conn.fetchval(self.sql, *self.ordered(given))

    async def run(self, conn: Connection, **given: Any) -> str:
        """The status line of a statement whose rows don't matter, such as `UPDATE 1`."""
        await _in_a_task()
        return await conn.execute(self.sql, *self.ordered(given))


async def _in_a_task() -> None:
    """A hot route begins without a task (see http/byhand.py): one that asks the database goes on in one.

    There it can be cancelled, and connecting, which has a time limit, works in a task only.
    """
    if asyncio.current_task() is None:
        await asyncio.sleep(0)


class Queries:
    """The statements of one file, by name."""

    def __init__(self, queries: dict[str, Query]) -> None:
        self._queries = queries

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"no query named {name}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())


def load(package: str, file: str = "queries.sql") -> Queries:
    """Reads the statements of `file` beside the package's modules."""
    parsed = aiosql.from_str(
        (resources.files(package) / file).read_text("utf-8"), "asyncpg", mandatory_parameters=False
    )
    order = parsed.driver_adapter.var_sorted
    names = [name for name in parsed.available_queries if not name.endswith("_cursor")]
    return Queries({name: Query(name, getattr(parsed, name).sql, tuple(order.get(name, ()))) for name in names})
