"""HTTP/1.1 by hand over asyncio streams: for what a polite client would not send, and for a lot of requests at once."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self

from msgspec import Struct


class Answer(Struct, frozen=True):
    """What came back. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Wire:
    """One connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(data)
        await self._writer.drain()

    async def post(self, path: str, body: object, **headers: str) -> Answer:
        """Posts JSON; raises OSError or EOFError where no whole answer comes back. `_` in names stands for `-`."""
        content = json.dumps(body).encode()
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n"
        )
        try:
            await self.send(f"{head}{lines}\r\n".encode() + content)
            return await self.answer()
        except BaseException:
            self.close()
            raise

    async def answer(self, *, body: bool = True) -> Answer:
        """The next answer, to HEAD without a body; raises EOFError where the server closes instead."""
        assert self._reader is not None
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        found = await self._reader.readexactly(int(headers.get("content-length", "0")) if body else 0)
        return Answer(int(first.split(" ")[1]), headers, found)

    async def closed(self) -> bool:
        """Whether the server closes the connection, within ten seconds."""
        assert self._reader is not None
        async with asyncio.timeout(10):
            return await self._reader.read(1) == b""


async def talk(port: int, data: bytes) -> Answer:
    """Sends bytes on a connection of their own; the first answer."""
    async with Wire(port) as wire:
        await wire.send(data)
        async with asyncio.timeout(20):
            return await wire.answer()


def chunk(data: bytes) -> bytes:
    """Data as one chunk of a body."""
    return b"%x\r\n%s\r\n" % (len(data), data)
