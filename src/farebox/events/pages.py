"""Streams for pages: told is that something of a wallet has moved, and the page asks for what it shows."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

import structlog
from asyncpg import Pool, Record

from farebox import ids
from farebox.db import queries
from farebox.errors import TooMany, Unauthorized
from farebox.events.hub import Hub, Subscriber, Topic

log = structlog.get_logger()
_SQL = queries.load("farebox.events", "pages.sql")

PER_WALLET = 12
"""Pages of one wallet that a process tells; a browser has one a window, as hidden pages hold none."""
_LOOK_EVERY_S = 1.0
"""How often sessions are checked, and looked for what changes no balance: refusals, revocations, expiries."""


class PageTopic(Topic):
    """What the pages of a wallet hear: always the same message."""

    def __init__(self, wallet_id: int, message: bytes) -> None:
        super().__init__(_key(wallet_id), wallet_id)
        self._message = message
        self._newest = 0
        self._connected = ""

    def moved(self, newest: int, connected: str | None = None) -> None:
        """Tells it, unless it was told: the newest transfer, and how the connections stand."""
        self._newest = max(self._newest, newest)
        self._connected = self._connected if connected is None else connected
        self.publish(self.version + 1, (self._newest, self._connected), lambda: self._message)


class Pages:
    """The pages that are looked at. One question a second for all of them, and none while there are none."""

    def __init__(self, pool: "Pool[Record]", hub: Hub, begin: Callable[[], Awaitable[None]]) -> None:
        self._pool = pool
        self._hub = hub
        self._begin = begin
        self._sessions: dict[Subscriber, bytes] = {}
        self._task: asyncio.Task[None] | None = None

    async def open(self, token: str, message: bytes) -> tuple[Subscriber, list[bytes]]:
        """A subscriber that hears of the wallet of a browser's session, as long as the session holds.

        Raises Unauthorized, TooMany, Busy.
        """
        session = ids.digest(token)
        await self._begin()
        found = (await self._read([session])).get(session)
        if found is None:
            raise Unauthorized("sign in", "signed_out")
        wallet_id: int = found["wallet_id"]
        if self._hub.listening(_key(wallet_id)) >= PER_WALLET:
            raise TooMany("too many pages of this wallet are open", retry_after_s=30)
        subscriber = self._hub.subscribe(_key(wallet_id), None, lambda: PageTopic(wallet_id, message))
        self._tell(subscriber, found)
        subscriber.seen = subscriber.topic.version
        self._sessions[subscriber] = session
        if self._task is None:
            self._task = asyncio.create_task(self._look_again())
        return subscriber, [message]

    def leave(self, subscriber: Subscriber) -> None:
        """Ends a subscription."""
        self._sessions.pop(subscriber, None)
        self._hub.unsubscribe(subscriber)

    def close(self) -> None:
        """Stops looking."""
        if self._task is not None:
            self._task.cancel()

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if not self._sessions:
                continue
            try:
                await self._look()
            except Exception as error:
                log.warning("events.pages_wait", error=type(error).__name__)

    async def _look(self) -> None:
        """Ends the streams whose session has ended, and tells the others what is new."""
        found = await self._read(list(set(self._sessions.values())))
        for subscriber, session in list(self._sessions.items()):
            if session in found:
                self._tell(subscriber, found[session])
            else:
                subscriber.close()

    def _tell(self, subscriber: Subscriber, found: dict[str, Any]) -> None:
        assert isinstance(subscriber.topic, PageTopic)
        subscriber.topic.moved(found["newest"], found["connected"])

    async def _read(self, sessions: list[bytes]) -> dict[bytes, dict[str, Any]]:
        rows = await _SQL.pages.all(self._pool, sessions=sessions)
        return {row["token_hash"]: dict(row) for row in rows}


def _key(wallet_id: int) -> Hashable:
    return ("page", wallet_id)
