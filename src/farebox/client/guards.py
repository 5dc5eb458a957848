"""Two guards around httpx's connections, against servers and proxies that misbehave.

- **Deadlines.** httpx bounds each read, not the whole: an answer that drips in, head or body, would never end. asyncio
  can bound the whole; for threads each read is given what is left.
- **Left-over bytes.** What follows an answer on its connection unasked (a duplicated answer) would be taken for the
  answer to the next request, and so on for ever. Such a connection is not used again.

Both reach into httpx where it offers no way; `tests/clients/test_hostile.py` fails where a release has moved things.
"""

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
    for pool in _pools(http):
        pool.create_connection = _watching(pool.create_connection)


def _watching(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def watched(origin: Any) -> Any:
        connection = create(origin)
        expired = connection.has_expired
        connection.has_expired = lambda: expired() or _has_left_overs(connection)
        return connection

    return watched


def _has_left_overs(connection: Any) -> bool:
    while connection is not None:
        state = getattr(connection, "_h11_state", None)
        if state is not None:
            return bool(state.trailing_data[0])
        connection = getattr(connection, "_connection", None)
    return False


def _pools(http: httpx.Client | httpx.AsyncClient) -> Iterable[Any]:
    """The pools of a client: its own, and those to the proxies that the environment names."""
    transports = (http._transport, *http._mounts.values())
    return [transport._pool for transport in transports if hasattr(transport, "_pool")]
