"""Live balances: whoever asks hears the balance at once and every change of it, on whichever node it happens."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable
from functools import partial

import structlog
from asyncpg import Connection, Pool, Record

from farebox.db import queries
from farebox.errors import NotFound
from farebox.events.hub import Hub, Subscriber, Topic
from farebox.events.listener import Listener
from farebox.events.pages import Pages, PageTopic
from farebox.events.relay import Relay
from farebox.events.types import Balance
from farebox.teams.service import Teams
from farebox.teams.types import Agent, Standing

log = structlog.get_logger()
_SQL = queries.load("farebox.events")
_AT_ONCE = 1000
_LOOK_EVERY_S = 5.0
"""How often balances are read for what was told to nobody, and keys for those that have ended."""
_MOST_MISSED = 100
"""A reader that comes back hears of as many changes that it missed, or of the newest alone."""

WriteBalance = Callable[[Balance], bytes]
WriteStanding = Callable[[int, Standing], bytes]


class Live:
    """The streams of one process. Nothing runs before somebody listens."""

    def __init__(
        self,
        pool: "Pool[Record]",
        connect: Callable[[], Awaitable["Connection[Record]"]],
        relay: Relay,
        teams: Teams,
        most: int,
    ) -> None:
        self._pool = pool
        self._teams = teams
        self._relay = relay
        self._listener = Listener(connect, self._heard, self._look)
        self._hub = Hub(most)
        self.pages = Pages(pool, self._hub, self._begin)
        self._stale: set[Topic] = set()
        self._work = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def streams(self) -> int:
        """How many there are."""
        return self._hub.subscribers

    async def wallet(
        self, wallet_id: int, kind: str, write: WriteBalance, credential_id: int | None, last_seen: str | None
    ) -> tuple[Subscriber, list[bytes]]:
        """A subscriber to a wallet's balance and what it hears at once: what it has missed, and the balance of now."""
        key: Hashable = (kind, wallet_id)
        subscriber = self._hub.subscribe(key, credential_id, lambda: Topic(key, wallet_id, write))
        try:
            await self._begin()
            after = version_in(last_seen, wallet_id)
            missed = [] if after is None else await self._missed(wallet_id, after)
            (now,) = await self._balances([wallet_id])
        except BaseException:
            self._hub.unsubscribe(subscriber)
            raise
        subscriber.topic.publish(now.version, (now.balance, now.held), partial(write, now))
        subscriber.seen = max(subscriber.seen, now.version)
        return subscriber, [write(one) for one in missed if one.version < now.version] + [write(now)]

    async def agent(
        self, agent: Agent, kind: str, write: WriteStanding, credential_id: int | None
    ) -> tuple[Subscriber, list[bytes]]:
        """A subscriber to what an agent may spend, and the first message."""
        key: Hashable = (kind, agent.organization_id, agent.name)
        subscriber = self._hub.subscribe(
            key, credential_id, lambda: Topic(key, agent.wallet_id, agent=agent, write_standing=write)
        )
        try:
            await self._begin()
            version, standing = await self._standing(subscriber.topic)
        except BaseException:
            self._hub.unsubscribe(subscriber)
            raise
        tell_standing(subscriber.topic, version, standing)
        subscriber.seen = subscriber.topic.version
        return subscriber, [write(version, standing)]

    def leave(self, subscriber: Subscriber) -> None:
        """Ends a subscription."""
        self._hub.unsubscribe(subscriber)

    def end_streams(self) -> None:
        """Ends every stream: their readers come back, to another node or to this one when it is back."""
        for subscriber in self._hub.everybody():
            subscriber.close()

    async def close(self) -> None:
        """Stops everything."""
        self.end_streams()
        self.pages.close()
        for task in self._tasks:
            task.cancel()
        await self._listener.close()

    async def _begin(self) -> None:
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._refresh_agents()), asyncio.create_task(self._look_again())]
        self._relay.start()
        await self._listener.start()

    def _heard(self, change: Balance) -> None:
        for topic in self._hub.of_wallet(change.wallet_id):
            if isinstance(topic, PageTopic):
                topic.moved(change.version)
            elif topic.write is None:
                self._stale.add(topic)
                self._work.set()
            else:
                topic.publish(change.version, (change.balance, change.held), partial(topic.write, change))

    async def _balances(self, wallet_ids: list[int]) -> list[Balance]:
        return [Balance(**row) for row in await _SQL.balances.all(self._pool, wallet_ids=wallet_ids)]

    async def _missed(self, wallet_id: int, after: int) -> list[Balance]:
        rows = await _SQL.missed.all(self._pool, wallet_id=wallet_id, after=after, limit=_MOST_MISSED + 1)
        return [] if len(rows) > _MOST_MISSED else [Balance(wallet_id=wallet_id, **row) for row in rows]

    async def _standing(self, topic: Topic) -> tuple[int, Standing]:
        assert topic.agent is not None
        (balance,) = await self._balances([topic.wallet_id])
        return balance.version, await self._teams.standing_of_agent(topic.agent.organization_id, topic.agent.name)

    async def _refresh_agents(self) -> None:
        """Reads anew what agents may spend whose organization's balance has changed, and tells it."""
        while True:
            await self._work.wait()
            self._work.clear()
            stale, self._stale = self._stale, set()
            for topic in stale:
                with contextlib.suppress(NotFound):
                    await self._refresh(topic)
            await asyncio.sleep(0.02)

    async def _refresh(self, topic: Topic) -> None:
        try:
            version, standing = await self._standing(topic)
        except Exception as error:
            log.warning("events.refresh_waits", error=type(error).__name__)
            self._stale.add(topic)
            await asyncio.sleep(0.5)
            self._work.set()
            return
        tell_standing(topic, version, standing)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self._look()
                await self._end_revoked()
            except Exception as error:
                log.warning("events.look_waits", error=type(error).__name__)

    async def _look(self) -> None:
        """Reads the balances that somebody listens to: for what was told while nobody heard it."""
        wallets = self._hub.wallets
        for start in range(0, len(wallets), _AT_ONCE):
            for balance in await self._balances(wallets[start : start + _AT_ONCE]):
                self._heard(balance)

    async def _end_revoked(self) -> None:
        """Ends the streams of keys that are valid no more."""
        keys = {one.credential_id for one in self._hub.everybody() if one.credential_id is not None}
        ended = {row["id"] for row in await _SQL.ended_keys.all(self._pool, key_ids=keys)} if keys else set()
        for subscriber in self._hub.everybody():
            if subscriber.credential_id in ended:
                subscriber.close()


def tell_standing(topic: Topic, version: int, standing: Standing) -> None:
    """Tells what an agent may spend. It can change while the wallet does not: the topic counts versions of its own."""
    assert topic.write_standing is not None
    figures = (standing.available, standing.spent, standing.allowance)
    topic.publish(topic.version + 1, figures, partial(topic.write_standing, version, standing))


def event_id(wallet_id: int, version: int) -> str:
    """The id of a message: it names the wallet, so that another's is known as such."""
    return f"{wallet_id:x}-{version:x}"


def version_in(last_seen: str | None, wallet_id: int) -> int | None:
    """The version that a Last-Event-ID of this wallet names; None for any other text."""
    wallet, _, version = (last_seen or "").partition("-")
    if len(version) > 16 or wallet != f"{wallet_id:x}":
        return None
    try:
        found = int(version, 16)
    except ValueError:
        return None
    return found if event_id(wallet_id, found) == last_seen and found < 2**63 else None
