"""Two guards around httpx's connections, against servers and proxies that misbehave.

- **Deadlines.** httpx bounds each read, not the whole: an answer that drips in, head or body, would never end. asyncio
  can bound the whole; for threads each read is given what is left.
- **Left-over bytes.** What follows an answer on its connection unasked (a duplicated answer) would be taken for the
  answer to the next request, and so on for ever. Such a connection is not used again.

Both reach into httpx where it offers no way; `tests/clients/test_hostile.py` fails where a release has moved things.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx


class Deadline(threading.local):
    """Until when this thread's exchange may take."""

    at: float | None = None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bounds what this thread reads in the block."""
        self.at = time.monotonic() + seconds
        try:
            yield
        finally:
            self.at = None

    def left(self, timeout_s: float | None, late: type[Exception]) -> float | None:
        """How long to wait for the next bytes; raises `late` where the time is over."""
        if self.at is None:
            return timeout_s
        left_s = self.at - time.monotonic()
        if left_s <= 0:
            raise late("no whole answer in time")
        return left_s if timeout_s is None else min(timeout_s, left_s)


class _Bounded(httpcore.NetworkStream):
    """A stream whose reads and writes end with the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> httpcore.NetworkStream:
        timeout = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens bounded streams."""

    def __init__(self, backend: httpcore.NetworkBackend, deadline: Deadline) -> None:
        self._backend = backend
        self._deadline = deadline

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *more: Any, **named: Any) -> Any:
        timeout = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _Bounded(self._backend.connect_tcp(host, port, timeout, *more, **named), self._deadline)

    def connect_unix_socket(self, path: str, timeout: float | None = None, *more: Any, **named: Any) -> Any:
        timeout = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _Bounded(self._backend.connect_unix_socket(path, timeout, *more, **named), self._deadline)


def bound(http: httpx.Client, deadline: Deadline) -> None:
    """Bounds the connections of a client by a deadline."""
    for pool in _pools(http):
        pool._network_backend = _Backend(pool._network_backend, deadline)


def discard_left_overs(http: httpx.Client | httpx.AsyncClient) -> None:
    """Lets a client use no connection again that has brought more than it was asked for."""
    watch = _watch_async if isinstance(http, httpx.AsyncClient) else _watch
    for pool in _pools(http):
        pool.create_connection = _watching(pool.create_connection, watch)


def _watching(create: Callable[[Any], Any], watch: Callable[[Any], None]) -> Callable[[Any], Any]:
    def watched(origin: Any) -> Any:
        connection = create(origin)
        expired = connection.has_expired
        # One that is in use has bytes left to read: to end it would let its thread read on from another's descriptor.
        connection.has_expired = lambda: expired() or (connection.is_idle() and _has_left_overs(connection))
        watch(connection)
        return connection

    return watched


def _watch(connection: Any) -> None:
    handle = connection.handle_request
    alone = threading.Lock()

    def handled(request: Any) -> Any:
        with _clean(connection, alone):
            return handle(request)

    connection.handle_request = handled


def _watch_async(connection: Any) -> None:
    handle = connection.handle_async_request
    alone = threading.Lock()

    async def handled(request: Any) -> Any:
        try:
            with _clean(connection, alone):
                return await handle(request)
        except httpcore.ConnectionNotAvailable:
            await asyncio.sleep(0)  # the pool asks again at once: let the one that has it go on
            raise

    connection.handle_async_request = handled


@contextmanager
def _clean(connection: Any, alone: threading.Lock) -> Iterator[None]:
    """Lets one request at a time begin, and none with left-overs: the pool takes another connection for it.

    The pool looks before it hands a connection out, but another request may have used it since.
    """
    if not alone.acquire(blocking=False):
        raise httpcore.ConnectionNotAvailable
    try:
        begun = connection.is_idle() or connection.is_closed() or not hasattr(_innermost(connection), "_h11_state")
        if not begun or _has_left_overs(connection):
            raise httpcore.ConnectionNotAvailable
        yield
    finally:
        alone.release()


def _innermost(connection: Any) -> Any:
    """What speaks HTTP/1.1; something else before it is connected."""
    inner = getattr(connection, "_connection", None)
    return connection if inner is None else _innermost(inner)


def _has_left_overs(connection: Any) -> bool:
    state = getattr(_innermost(connection), "_h11_state", None)
    return state is not None and bool(state.trailing_data[0])


def _pools(http: httpx.Client | httpx.AsyncClient) -> Iterable[Any]:
    """The pools of a client: its own, and those to the proxies that the environment names."""
    transports = (http._transport, *http._mounts.values())
    return [transport._pool for transport in transports if hasattr(transport, "_pool")]
