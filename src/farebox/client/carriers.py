"""The shell that carries what programs ask, with threads; `async_carrier` has the one with asyncio."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx

from farebox.client.core import Lost, Program, Reply, Request, Send

T = TypeVar("T")

DRIPPED = Lost("no whole answer in time", sent=True, timed_out=True)
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Carrier:
    """Runs programs. Connections are kept and shared; threads may share it."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._http = httpx.Client(base_url=base_url, headers=headers)

    def run(self, program: Program[T]) -> T:
        """Does what the program asks until it has its result."""
        came: Reply | Lost | None = None
        try:
            while True:
                step = program.send(came)
                if isinstance(step, Send):
                    came = self._send(step)
                else:
                    time.sleep(step.seconds)
                    came = None
        except StopIteration as done:
            result: T = done.value
            return result

    def _send(self, step: Send) -> Reply | Lost:
        give_up = time.monotonic() + step.timeout_s
        try:
            with self._stream(step) as response:
                parts = []
                for part in response.iter_bytes():
                    parts.append(part)
                    # httpx bounds each read, not the whole: an answer that drips in would never end.
                    if time.monotonic() > give_up:
                        return DRIPPED
                return reply(response, b"".join(parts))
        except httpx.HTTPError as error:
            return lost(error)

    @contextmanager
    def _stream(self, step: Send) -> Iterator[httpx.Response]:
        response = self._http.send(prepared(self._http, step.request, step.timeout_s), stream=True)
        try:
            yield response
        finally:
            response.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()


def prepared(http: httpx.Client | httpx.AsyncClient, request: Request, timeout_s: float) -> httpx.Request:
    """The request as httpx sends it."""
    headers = dict(request.headers)
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    return http.build_request(
        request.method,
        request.path,
        params=dict(request.query) or None,
        content=request.body,
        headers=headers,
        timeout=timeout_s,
    )


def reply(response: httpx.Response, content: bytes) -> Reply:
    """What came, whole."""
    return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, content)


def lost(error: httpx.HTTPError) -> Lost:
    """What went wrong, and whether the request had left."""
    sent = not isinstance(error, _NEVER_LEFT)
    timed_out = isinstance(error, httpx.TimeoutException)
    why = "no answer in time" if timed_out else "the connection was lost" if sent else "no connection came about"
    return Lost(f"{why} ({type(error).__name__})", sent=sent, timed_out=timed_out)
