"""Who listens to what, in this process: topics, and subscribers that nobody has to wait for."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterator

from farebox.errors import Busy
from farebox.events.types import Balance
from farebox.teams.types import Agent, Standing

QUEUE = 32
"""The most messages that wait for one subscriber; beyond that it gets the newest alone."""


class Subscriber:
    """One reader of one topic. Messages are put without waiting; a slow reader misses all but the newest."""

    def __init__(self, topic: "Topic", credential_id: int | None) -> None:
        self.topic = topic
        self.credential_id = credential_id
        self.seen = 0
        """The newest version that was sent."""
        self.closed = False
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    def put(self, version: int, message: bytes) -> None:
        """Hands over a message."""
        if len(self._waiting) >= QUEUE:
            self._waiting.clear()
        self._waiting.append((version, message))
        self._wake()

    def close(self) -> None:
        """Ends it: the reader is told as soon as it asks."""
        self.closed = True
        self._wake()

    async def next(self, wait_s: float) -> list[bytes]:
        """The messages that it has not seen; empty after so long without any, or when it is closed."""
        if not self._waiting and not self.closed:
            self._waiter = self._loop.create_future()
            timer = self._loop.call_later(wait_s, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        found = [message for version, message in self._waiting if version > self.seen]
        if self._waiting:
            self.seen = max(self.seen, self._waiting[-1][0])
            self._waiting.clear()
        return found

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Topic:
    """What a set of subscribers hears: every change of a wallet, in one way of writing.

    With an agent it is the agent's: what it may spend changes with the wallet, and is read anew.
    """

    def __init__(
        self,
        key: Hashable,
        wallet_id: int,
        write: Callable[[Balance], bytes] | None = None,
        agent: Agent | None = None,
        write_standing: Callable[[int, Standing], bytes] | None = None,
    ) -> None:
        self.key = key
        self.wallet_id = wallet_id
        self.write = write
        self.agent = agent
        self.write_standing = write_standing
        self.version = 0
        self.figures: object = None
        self.subscribers: set[Subscriber] = set()

    def publish(self, version: int, figures: object, write: Callable[[], bytes]) -> None:
        """Tells everybody, unless it is old; what is written is written once. The same figures again are no news."""
        if version <= self.version:
            return
        self.version = version
        if figures == self.figures:
            return
        self.figures = figures
        message = write()
        for subscriber in self.subscribers:
            subscriber.put(version, message)


class Hub:
    """The topics that somebody listens to."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._topics: dict[Hashable, Topic] = {}
        self._of_wallet: dict[int, set[Topic]] = {}
        self.subscribers = 0

    def subscribe(self, key: Hashable, credential_id: int | None, make: Callable[[], Topic]) -> Subscriber:
        """A new subscriber; raises Busy where there are as many as this process takes."""
        if self.subscribers >= self._most:
            raise Busy("too many streams", "overloaded", retry_after_s=5)
        topic = self._topics.get(key)
        if topic is None:
            topic = self._topics[key] = make()
            self._of_wallet.setdefault(topic.wallet_id, set()).add(topic)
        subscriber = Subscriber(topic, credential_id)
        topic.subscribers.add(subscriber)
        self.subscribers += 1
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Takes it off its topic; a topic without any is forgotten."""
        topic = subscriber.topic
        if subscriber not in topic.subscribers:
            return
        topic.subscribers.discard(subscriber)
        self.subscribers -= 1
        if not topic.subscribers:
            del self._topics[topic.key]
            others = self._of_wallet[topic.wallet_id]
            others.discard(topic)
            if not others:
                del self._of_wallet[topic.wallet_id]

    def listening(self, key: Hashable) -> int:
        """How many subscribers a topic has."""
        topic = self._topics.get(key)
        return 0 if topic is None else len(topic.subscribers)

    def of_wallet(self, wallet_id: int) -> tuple[Topic, ...]:
        """The topics that a change of this wallet is told on."""
        return tuple(self._of_wallet.get(wallet_id, ()))

    @property
    def wallets(self) -> list[int]:
        """The wallets that somebody listens to."""
        return list(self._of_wallet)

    def everybody(self) -> Iterator[Subscriber]:
        """Every subscriber."""
        for topic in list(self._topics.values()):
            yield from list(topic.subscribers)
