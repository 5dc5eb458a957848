"""One Redis stream with its consumer group: reading, claiming, acknowledging, burying, trimming.

Redis carries, PostgreSQL decides (RULES 21). Nothing is acknowledged here before it is committed there.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from msgspec import Struct
from redis.exceptions import ResponseError

from farebox.ingest.read import MOST_FIELDS
from farebox.ingest.redis import Client
from farebox.ingest.types import Entry, Fields

_TAGGED = re.compile(r"[^{]*\{[^}]+\}")
_ID = re.compile(r"\d{1,20}-\d{1,20}")
REASON, CAME_AS, BURIED_AT = b"farebox_reason", b"farebox_entry", b"farebox_buried_at"
OUR_OWN = (REASON, CAME_AS, BURIED_AT)
"""Fields that a dead letter has more than the record."""

# Whoever takes the entry off the group's list writes the letter, both or none: two who try leave one letter. What a
# script has done stands when it fails later, so whatever could keep the letter from being written is looked at first.
_BURY = """
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'stream' and kind ~= 'none' then return redis.error_reply('no stream is where dead letters go') end
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
return 1
"""
# The other way round: back on the stream, and no letter any more.
_REPLAY = """
if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
return 1
"""


class State(Struct, frozen=True):
    """How far a group is. `lag` counts what nobody has read yet, `pending` what was read and not acknowledged."""

    length: int
    lag: int
    pending: int
    consumers: int
    oldest_s: float
    """Age of the oldest entry that is not acknowledged, by the id that Redis gave it; 0 where there is none."""
    dead_letters: int


class Letter(Struct, frozen=True):
    """A dead letter: a record that can't be booked, and why."""

    id: str
    reason: str
    came_as: str
    buried_at: str
    fields: Fields


class Stream:
    """A stream and the one group that books it."""

    def __init__(self, client: Client, name: str, group: str) -> None:
        self._redis: Any = client
        self.name = name
        self.group = group
        # The braces put it beside the stream in a cluster; a stream that has some of its own is put by them.
        self.dead = f"{name}:dead" if _TAGGED.match(name) else f"{{{name}}}:dead"

    async def ensure(self) -> None:
        """Makes the group where it is missing, from the beginning: what was acknowledged is known by its key."""
        try:
            await self._redis.xgroup_create(self.name, self.group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def read(self, consumer: str, count: int, block_ms: int) -> list[Entry]:
        """Entries that nobody has read; waits for the first of them."""
        return await self._read(consumer, ">", count, block_ms)

    async def own(self, consumer: str, count: int) -> list[Entry]:
        """Entries that this consumer has read before and not acknowledged. Those that are gone are acknowledged."""
        found = await self._read(consumer, "0", count, None)
        await self.acknowledge([id_ for id_, fields in found if not fields])
        return [entry for entry in found if entry[1]]

    async def _read(self, consumer: str, place: str, count: int, block_ms: int | None) -> list[Entry]:
        try:
            found = await self._redis.xreadgroup(self.group, consumer, {self.name: place}, count=count, block=block_ms)
        except ResponseError as error:
            if "NOGROUP" not in str(error):  # the group is lost, with the stream or without
                raise
            await self.ensure()
            return []
        return found[0][1] if found else []

    async def claim(self, consumer: str, idle_ms: int, count: int) -> list[Entry]:
        """Entries that somebody has read and not acknowledged for so long."""
        try:
            found = await self._redis.xautoclaim(self.name, self.group, consumer, idle_ms, count=count)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self.ensure()
            return []
        entries = [entry for entry in found[1] if entry[0] is not None and entry[1]]
        if len(entries) == len(found[1]):
            return entries
        # Before version 7 an entry that somebody has deleted comes without fields and without an id, and stays on the
        # list, as this consumer's now: nothing above it would ever be trimmed.
        return await self.own(consumer, count)

    async def acknowledge(self, ids: Sequence[bytes]) -> None:
        """Says that these are committed."""
        if ids:
            await self._redis.xack(self.name, self.group, *ids)

    async def bury(self, entry: Entry, reason: str) -> bool:
        """Moves an entry to the dead letters, its first MOST_FIELDS; False where somebody else has settled it."""
        id_, fields = entry
        at = datetime.now(UTC).isoformat(timespec="seconds").encode()
        told = dict(islice(fields.items(), MOST_FIELDS)) | {REASON: reason.encode(), CAME_AS: id_, BURIED_AT: at}
        flat = [part for pair in told.items() for part in pair]
        return bool(await self._redis.eval(_BURY, 2, self.name, self.dead, self.group, id_, *flat))

    async def letters(self, count: int, after: str = "-") -> list[Letter]:
        """Dead letters, oldest first."""
        start = after if after == "-" else f"({after}"
        return [_letter(entry) for entry in await self._redis.xrange(self.dead, start, "+", count=count)]

    async def letter(self, id_: str) -> Letter | None:
        """One dead letter; None where there is none of this id."""
        if not _ID.fullmatch(id_):
            return None
        found = await self._redis.xrange(self.dead, id_, id_, count=1)
        return _letter(found[0]) if found else None

    async def dismiss(self, letter: Letter) -> bool:
        """Removes a dead letter for good; False where somebody else has."""
        return bool(await self._redis.xdel(self.dead, letter.id))

    async def replay(self, letter: Letter) -> bool:
        """Puts a dead letter back on the stream, as it came; False where somebody else has."""
        flat = [part for pair in letter.fields.items() for part in pair]
        return bool(await self._redis.eval(_REPLAY, 2, self.name, self.dead, letter.id, *flat))

    async def trim(self) -> int:
        """Removes what every group has acknowledged, and nothing else; how many entries."""
        least: list[tuple[int, int]] = []
        for group in await self._groups():
            pending = (await self._redis.xpending(self.name, group["name"])) if group["pending"] else None
            least.append(_place((pending and pending["min"]) or group["last-delivered-id"]))
        if not least:
            return 0
        first = min(least)
        return int(await self._redis.xtrim(self.name, minid=f"{first[0]}-{first[1]}", approximate=False))

    async def forget(self, idle_s: int = 3600) -> None:
        """Removes consumers that are long gone and have nothing left."""
        try:
            consumers = await self._redis.xinfo_consumers(self.name, self.group)
        except ResponseError as error:
            if "no such key" not in str(error) and "NOGROUP" not in str(error):
                raise
            return
        for one in consumers:
            if not one["pending"] and one["idle"] > idle_s * 1000:
                await self._redis.xgroup_delconsumer(self.name, self.group, one["name"])

    async def state(self) -> State:
        """How far the group is, and what is left to do."""
        groups = {_text(group["name"]): group for group in await self._groups()}
        mine = groups.get(self.group)
        length = int(await self._redis.xlen(self.name))
        dead = int(await self._redis.xlen(self.dead))
        if mine is None:
            return State(length, length, 0, 0, 0, dead)
        last = _text(mine["last-delivered-id"])
        unread = await self._redis.xrange(self.name, f"({last}", "+", count=1)
        pending = await self._redis.xpending(self.name, self.group)
        oldest = [_place(id_) for id_ in (pending["min"], unread[0][0] if unread else None) if id_ is not None]
        age = datetime.now(UTC).timestamp() - min(oldest)[0] / 1000 if oldest else 0.0
        # Redis counts what was not read from version 7 on; before it, what is not trimmed is an upper bound.
        lag = mine.get("lag", length - int(pending["pending"]) if unread else 0)
        return State(length, max(0, lag or 0), int(pending["pending"]), int(mine["consumers"]), max(0.0, age), dead)

    async def _groups(self) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = await self._redis.xinfo_groups(self.name)
        except ResponseError as error:
            if "no such key" not in str(error):
                raise
            return []
        return found


def _place(id_: Any) -> tuple[int, int]:
    milliseconds, _, number = _text(id_).partition("-")
    return int(milliseconds), int(number or 0)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _letter(entry: Entry) -> Letter:
    id_, fields = entry
    reason, came_as, buried_at = (fields.get(name, b"").decode("utf-8", "replace") for name in OUR_OWN)
    own = {name: value for name, value in fields.items() if name not in OUR_OWN}
    return Letter(_text(id_), reason, came_as, buried_at, own)
