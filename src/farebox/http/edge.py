"""The edge of the hot routes: what they need of HTTP, and no more.

The few routes that are called once per charge are answered here, before the framework: for them a
framework costs as much as the charge. They share readers and writers with everything else.
"""

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from typing import Any

from msgspec import Struct

from farebox.consent.types import GrantRef
from farebox.errors import BadRequest, TooLarge
from farebox.http.callers import Caller
from farebox.http.strict import check_content_type
from farebox.identity.types import Principal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON = (b"content-type", b"application/json")
PROBLEM_JSON = (b"content-type", b"application/problem+json")
MAX_KEY = 255


class Seen(Struct):
    """What a head stood for when a request came with it last. Only for asks that the ledger checks again.

    A connection keeps it with a head that it knows (see known_head.py); whoever is refused forgets it.
    """

    principal: Principal | None = None
    grant: GrantRef | None = None
    caller: Caller | None = None

    def forget(self) -> None:
        """Has everything looked up anew."""
        self.principal = self.grant = self.caller = None


class Request(Struct, gc=False):
    """What a hot route is asked."""

    headers: dict[bytes, bytes]
    """By their names in small letters; of those that stand more than once, the last."""
    path: str
    address: str
    """Where it comes from; see `address_of`."""
    body: bytes | None
    """The whole body, as long as its announced length, where it is there already; see `body_of`."""
    seen: Seen
    receive: Receive | None = None
    query: bytes = b""


class Answer(Struct, gc=False):
    """One whole answer of a hot route."""

    status: int
    body: bytes
    headers: Sequence[Header] = ()
    """Beside its type and length."""
    content_type: Header = JSON


Route = Callable[[Request], Coroutine[Any, Any, Answer]]
"""A hot route: answers every problem itself."""


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The headers by name; of those that stand more than once, the last."""
    return dict(scope["headers"])


def address_of(scope: Any) -> str:
    """Where the request comes from; a proxy's word counts only where it is trusted (see `trusted_proxies`)."""
    client = scope.get("client")
    return client[0] if client else "local"


def whole_body(request: Request, limit: int) -> bytes | None:
    """The body, where it is there already, else None: then see `body_of`. Raises TooLarge, UnsupportedMediaType."""
    headers = request.headers
    if headers.get(b"content-type") != b"application/json" or b"content-encoding" in headers:
        check_content_type(text(headers.get(b"content-type")), text(headers.get(b"content-encoding")))
    announced = headers.get(b"content-length")
    if announced is not None and (len(announced) > 18 or int(announced) > limit):
        raise TooLarge(f"a body may have {limit} bytes")
    return request.body


async def body_of(request: Request, limit: int) -> bytes:
    """The whole body; raises TooLarge before more than `limit` bytes are kept, UnsupportedMediaType if not JSON."""
    body = whole_body(request, limit)
    return await _received(request, limit) if body is None else body


async def _received(request: Request, limit: int) -> bytes:
    assert request.receive is not None
    receive = request.receive
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts = [body]
        size = len(body)
        while message.get("more_body"):
            message = await receive()
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise TooLarge(f"a body may have {limit} bytes")
            parts.append(part)
        body = b"".join(parts)
    if len(body) > limit:
        raise TooLarge(f"a body may have {limit} bytes")
    if message["type"] == "http.disconnect":
        raise BadRequest("the client went away before the body was complete")
    return body


def text(value: bytes | None) -> str | None:
    """A header's value as text."""
    return None if value is None else value.decode("latin-1")


def idempotency_key(value: bytes | None, *, required: bool) -> str | None:
    """The caller's key; raises BadRequest where it is missing or can't be one (1 to 255 visible ASCII characters)."""
    if value is None or not value:
        if required:
            raise BadRequest(
                "send an Idempotency-Key header, so that a retry is not done twice", "idempotency_key_missing"
            )
        return None
    if len(value) > MAX_KEY or not value.isascii() or not (key := value.decode("ascii")).isprintable():
        raise BadRequest(f"an Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters", "idempotency_key_invalid")
    return callers_own(key)


def callers_own(key: str) -> str:
    """A key that a caller may choose; raises BadRequest for one of the server's."""
    if key.startswith("auto:"):
        raise BadRequest("keys that start with auto: are the server's own", "idempotency_key_invalid")
    return key


def asgi(route: Route) -> App:
    """A hot route as a plain ASGI function: for what comes in pieces, in a line, or to be answered to a page."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        asked = Request(
            headers_of(scope), scope["path"], address_of(scope), None, Seen(), receive, scope["query_string"]
        )
        answer = await route(asked)
        await reply(send, answer.status, answer.body, *answer.headers, content_type=answer.content_type)

    return call


async def reply(send: Send, status: int, body: bytes, *headers: Header, content_type: Header = JSON) -> None:
    """Sends one whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [content_type, (b"content-length", b"%d" % len(body)), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})
