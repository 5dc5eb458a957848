"""Cursors: where a page ended, signed for the list and the caller they were made for."""

import base64
import hmac
from typing import Any

import msgspec

from farebox.errors import BadRequest

_SIGNATURE = 12


class Cursors:
    """Makes and reads cursors. A cursor of another list, or of another caller, is no cursor."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self, scope: str, place: Any) -> str:
        """The cursor for what follows `place` in the list `scope`."""
        body = msgspec.msgpack.encode(place)
        return base64.urlsafe_b64encode(self._sign(scope, body) + body).decode().rstrip("=")

    def read(self, scope: str, cursor: str | None, first: Any) -> Any:
        """The place that a cursor stands for; `first` without one. Raises BadRequest for what we never made."""
        if cursor is None:
            return first
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise bad_cursor() from None
        body = raw[_SIGNATURE:]
        if len(cursor) > 500 or not hmac.compare_digest(raw[:_SIGNATURE], self._sign(scope, body)):
            raise bad_cursor()
        return msgspec.msgpack.decode(body)

    def _sign(self, scope: str, body: bytes) -> bytes:
        return hmac.digest(self._secret, b"cursor" + scope.encode() + b"\0" + body, "sha256")[:_SIGNATURE]


def bad_cursor() -> BadRequest:
    """What says that a cursor is none of ours."""
    return BadRequest("this cursor is not one of this list: start without one", "bad_cursor")
