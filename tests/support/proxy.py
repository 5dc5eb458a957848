"""A proxy between a client and PostgreSQL that loses what it is told to lose."""

import asyncio
import contextlib
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

_SOCKET = ".s.PGSQL.5432"
LONG = b"COMMIT\x00", b"COMMIT\x00"
"""What commits the long way of a batch, and what says that it is done."""
SHORT = b'"fingerprint":', b"SELECT 1\x00"
"""The same of the short way: the rows are sent in the one statement that commits them."""


class Proxy:
    """Passes bytes both ways. `url` is the database by this way."""

    def __init__(self, url: str, directory: Path) -> None:
        found = re.search(r"host=([^&]+)", url)
        assert found is not None
        self._target = Path(unquote(found[1])) / _SOCKET
        self.url = url.replace(found[0], f"host={quote(str(directory))}")
        self.path = directory / _SOCKET
        self.way = LONG
        self.lose_commits = 0
        """How many COMMITs lose their connection from now on."""
        self.lose: Literal["request", "answer"] = "answer"
        self.down_after_loss = False
        self.up = asyncio.Event()
        self.up.set()
        self.connections = 0
        self._thawed: list[asyncio.Event] = []

    def freeze(self) -> None:
        """The connections of now bring no answers any more; new ones do."""
        for event in self._thawed:
            event.clear()

    def thaw(self) -> None:
        """They do again."""
        for event in self._thawed:
            event.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        await self.up.wait()
        up_reader, up_writer = await asyncio.open_unix_connection(str(self._target))
        thawed = asyncio.Event()
        thawed.set()
        self._thawed.append(thawed)
        lost = asyncio.Event()

        async def ask(data: bytes) -> None:
            if self.way[0] in data and self.lose_commits:
                self.lose_commits -= 1
                if self.down_after_loss:
                    self.up.clear()
                if self.lose == "request":
                    raise ConnectionResetError
                lost.set()
            up_writer.write(data)

        async def answer(data: bytes) -> None:
            await thawed.wait()
            if lost.is_set():
                if self.way[1] in data:
                    raise ConnectionResetError
                return
            writer.write(data)

        try:
            await _first(_pump(reader, ask), _pump(up_reader, answer))
        finally:
            for each in (writer, up_writer):
                each.transport.abort()


async def _pump(reader: asyncio.StreamReader, take: Callable[[bytes], Awaitable[None]]) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            await take(data)


async def _first(*coroutines: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def proxy_to(url: str) -> AsyncIterator[Proxy]:
    """A proxy to the database of `url`."""
    with tempfile.TemporaryDirectory(prefix="proxy-") as directory:
        proxy = Proxy(url, Path(directory))
        tasks: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.create_task(proxy.serve(reader, writer)))

        server = await asyncio.start_unix_server(connected, str(proxy.path))
        try:
            yield proxy
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
