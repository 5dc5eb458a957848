"""What stands between a worker and the owner of its wallets, and loses what it is told to lose."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal


class Between:
    """Passes what is said both ways."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self.lose: Literal["", "answers", "words", "asks"] = ""
        """An answer breaks the connection, or all words of the owner are swallowed, or all asks."""
        self.lost = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(OSError):
            up_reader, up_writer = await asyncio.open_unix_connection(str(self._target))
            pumps = [
                asyncio.create_task(self._pump(reader, up_writer, ())),
                asyncio.create_task(self._pump(up_reader, writer, ("answers", "words"))),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            up_writer.transport.abort()
        writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: tuple[str, ...]) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if self.lose in (losing or ("asks",)):
                    self.lost += 1
                    if self.lose == "answers":
                        return
                    continue
                writer.write(data)


@asynccontextmanager
async def between(path: Path, target: Path) -> AsyncIterator[Between]:
    """At the path, what is passed on to the target."""
    found = Between(target)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(found.serve(reader, writer)))

    server = await asyncio.start_unix_server(connected, str(path))
    try:
        yield found
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
