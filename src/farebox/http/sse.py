"""Server-sent events as plain ASGI: a head, messages as they come, a comment where none does."""

import asyncio

from farebox.events.hub import Subscriber
from farebox.http import edge

_HEAD = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy that gathers would keep the messages back
    (b"x-content-type-options", b"nosniff"),
]
_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": \n\n"


def message(id_: str, data: bytes) -> bytes:
    """One message under the default event name, so that `onmessage` sees it. `data` is JSON, on one line."""
    return b"id: %s\ndata: %s\n\n" % (id_.encode(), data)


async def stream(
    subscriber: Subscriber, first: list[bytes], receive: edge.Receive, send: edge.Send, heartbeat_s: float
) -> None:
    """Sends what a subscriber hears until it is closed, or the client goes away.

    A client that does not read stops this coroutine and nobody else; meanwhile its messages are coalesced.
    """
    gone = asyncio.ensure_future(_until_gone(receive))
    gone.add_done_callback(lambda _: subscriber.close())
    try:
        await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
        await _send(send, _RETRY + b"".join(first))
        while not subscriber.closed:
            found = await subscriber.next(heartbeat_s)
            if not subscriber.closed:
                await _send(send, b"".join(found) or _HEARTBEAT)
        if not gone.done():
            await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def _until_gone(receive: edge.Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: edge.Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
