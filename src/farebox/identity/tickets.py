"""Stream tickets: what a browser shows in an address, where it can set no header. Short-lived, and for one stream.

A ticket is derived with the server's key and kept nowhere. It names the API key that it was made with, and ends with
that.
"""

import base64
import binascii
import hmac
import time

import msgspec
from msgspec import Struct

from farebox.errors import Unauthorized
from farebox.identity.keys import Keys

PREFIX = "st_"
_MAC_BYTES = 16


class Ticket(Struct, frozen=True, array_like=True):
    """What a ticket says. `subject` names the one stream that it opens."""

    subject: str
    credential_id: int | None
    ends_at: int
    """Unix seconds, by the clock of the node that made it."""
    organization_id: str | None = None
    """Whose the key is."""


class Tickets:
    """Makes and checks tickets."""

    def __init__(self, secret: bytes, ttl_s: int, keys: Keys) -> None:
        self._secret = secret
        self._keys = keys
        self.ttl_s = ttl_s

    def make(self, subject: str, credential_id: int | None, organization_id: str | None = None) -> str:
        """A ticket for a stream, from now on."""
        ends_at = int(time.time()) + self.ttl_s
        said = msgspec.msgpack.encode(Ticket(subject, credential_id, ends_at, organization_id))
        return PREFIX + base64.urlsafe_b64encode(self._mac(said) + said).decode().rstrip("=")

    async def check(self, text: str, subject: str) -> Ticket:
        """What a ticket says; raises Unauthorized unless it is one of ours, for this stream, and still good."""
        found = self._read(text)
        if found is None or found.subject != subject:
            raise Unauthorized("this ticket opens no such stream")
        if found.ends_at <= time.time():
            raise Unauthorized("this ticket has ended: get a new one")
        if found.credential_id is not None and not await self._keys.valid(found.credential_id):
            raise Unauthorized("the key that this ticket was made with was revoked")
        return found

    def _read(self, text: str) -> Ticket | None:
        body = text.removeprefix(PREFIX)
        if body == text or len(text) > 1000:
            return None
        try:
            raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            mac, said = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if not hmac.compare_digest(mac, self._mac(said)):
                return None
            return msgspec.msgpack.decode(said, type=Ticket)
        except (binascii.Error, ValueError, msgspec.DecodeError):
            return None

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._secret, b"stream-ticket" + said, "sha256")[:_MAC_BYTES]
