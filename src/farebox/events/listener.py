"""Hearing what any node tells: a connection of its own that listens, and comes back when it breaks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog
from asyncpg import Connection, Record

from farebox.events.relay import CHANNEL
from farebox.events.types import Balance

log = structlog.get_logger()
_decode = msgspec.json.Decoder(list[tuple[int, int, int, int, int]]).decode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROBE_S = 10.0
_PATIENCE_S = 5.0


class Listener:
    """Calls `heard` with every change that is told, and `began` each time that it listens anew."""

    def __init__(
        self,
        connect: Callable[[], Awaitable["Connection[Record]"]],
        heard: Callable[[Balance], None],
        began: Callable[[], Awaitable[None]],
    ) -> None:
        self._connect = connect
        self._heard = heard
        self._began = began
        self._task: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def start(self) -> None:
        """Begins, if it has not, and waits until it listens; raises TimeoutError where the database does not answer."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        async with asyncio.timeout(_PATIENCE_S):
            await self._listening.wait()

    async def close(self) -> None:
        """Stops."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:
                if self._listening.is_set():  # once, and not at every try
                    log.warning("events.listener_waits", error=type(error).__name__)
            self._listening.clear()
            await asyncio.sleep(0.2)

    async def _listen(self) -> None:
        """Listens until the connection breaks."""
        conn = await self._connect()
        broken = asyncio.Event()
        try:
            conn.add_termination_listener(lambda _: broken.set())
            await conn.add_listener(CHANNEL, self._notified)
            await self._began()
            self._listening.set()
            while not broken.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(broken.wait(), _PROBE_S)
                    return
                await conn.execute("SELECT 1", timeout=5)
        finally:
            conn.terminate()

    def _notified(self, conn: Any, pid: int, channel: str, payload: object) -> None:
        for wallet_id, version, balance, held, micros in _decode(str(payload)):
            self._heard(Balance(wallet_id, version, balance, held, _EPOCH + timedelta(microseconds=micros)))
