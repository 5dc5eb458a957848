"""Verified passwords, remembered for a short time, so that Argon2 is not paid on every call."""

import hmac
import secrets
import time
from collections import OrderedDict

from msgspec import Struct

from farebox.errors import Unauthorized

_KNOWN_S = 86_400


class Member(Struct, frozen=True):
    """A person as a caller: what never changes, and which password was verified."""

    id: int
    email: str
    wallet_id: int
    password_version: int

    @property
    def client(self) -> str:
        """Scopes idempotency keys."""
        return f"person:{self.id}"

    @property
    def seal(self) -> tuple[int, int]:
        """What the ledger compares inside the batch: another password by now, and nothing is done."""
        return self.id, self.password_version


def refused() -> Unauthorized:
    """The answer to a wrong password, to somebody unknown, and to no password at all."""
    return Unauthorized("send the e-mail address and the password of an account", "invalid_credentials")


class Credentials:
    """Bounded memory of (e-mail, password) pairs, under a keyed hash: no password, nor what could be tried against one.

    It proves nothing by itself: the version in it is compared with the person's row on every use.
    """

    def __init__(self, keep_s: float, most: int = 65_536) -> None:
        self._keep_s = keep_s
        self._most = most
        self._key = secrets.token_bytes(32)
        self._verified: OrderedDict[bytes, tuple[Member, float]] = OrderedDict()

    def get(self, mark: bytes) -> Member | None:
        """Whose password the one of this mark was when it was last verified, a short time ago."""
        found = self._verified.get(mark)
        return None if found is None or time.monotonic() >= found[1] + self._keep_s else found[0]

    def knew(self, email: str, password: str) -> bool:
        """Whether this was somebody's password within a day: who knows it is no guesser, but has to prove it again."""
        found = self._verified.get(self.mark(email, password))
        return found is not None and time.monotonic() < found[1] + _KNOWN_S

    def put(self, email: str, password: str, member: Member) -> None:
        """Remembers a pair that was verified just now."""
        mark = self.mark(email, password)
        self._verified[mark] = (member, time.monotonic())
        self._verified.move_to_end(mark)
        if len(self._verified) > self._most:
            self._verified.popitem(last=False)

    def forget(self, email: str, password: str) -> None:
        """Drops a pair."""
        self._verified.pop(self.mark(email, password), None)

    def mark(self, email: str, password: str) -> bytes:
        """What stands for a pair in this process."""
        pair = f"{len(email)}:{email}{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, pair, "sha256")
