"""Passwords: Argon2id, off the event loop and never more at once than there are cores (RULES 17, 26)."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from farebox.errors import Busy, Invalid

T = TypeVar("T")

MIN_LENGTH, MAX_BYTES = 8, 1024
_WAITING = 128
"""The most that wait for a thread: their memory is not taken before they have one."""
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def new_password() -> str:
    """A password for somebody who sent none: 144 random bits."""
    return secrets.token_urlsafe(18)


def check_password(password: str, field: str) -> None:
    """Raises Invalid for one that is too short, or longer than anybody's: before it costs anything."""
    if len(password) < MIN_LENGTH:
        raise Invalid.field(field, f"at least {MIN_LENGTH} characters")
    if len(password) > MAX_BYTES or len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Invalid.field(field, f"at most {MAX_BYTES} bytes")


class Passwords:
    """Hashes and verifies. `threads` at once, 0 for one a core; a few wait; beyond that Busy."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="argon2")
        self._running = self._places = 0
        self._nobody = _HASHER.hash(new_password())

    async def hash(self, password: str) -> str:
        """What is kept of a password."""
        return await self._run(lambda: _HASHER.hash(password))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether the password is the one that was kept; None costs as much, and never matches (RULES 27)."""
        found = await self._run(lambda: _verified(kept or self._nobody, password))
        return found and kept is not None

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place among those who wait to be verified, taken before anything is looked up for them; or Busy."""
        if self._places >= self._threads + _WAITING:
            raise _full()
        self._places += 1
        try:
            yield
        finally:
            self._places -= 1

    async def _run(self, work: Callable[[], T]) -> T:
        if self._running >= self._threads + _WAITING:
            raise _full()
        self._running += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # Counted until it has really ended: a client that goes away does not stop its thread.
        future.add_done_callback(self._ended)
        return await asyncio.shield(future)

    def _ended(self, _: object) -> None:
        self._running -= 1


def _full() -> Busy:
    return Busy("too many passwords are being checked: try again", "overloaded", retry_after_s=1)


def _verified(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
