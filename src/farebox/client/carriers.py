"""The shell that carries what programs ask, with threads; `async_carrier` has the one with asyncio."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from typing import TypeVar

import httpx

from farebox.client import guards
from farebox.client.core import Lost, Pause, Program, Reply, Request, Send

T = TypeVar("T")

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Carrier:
    """Runs programs. Connections are kept and shared; threads may share it. After `close` it opens new ones."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._base_url = base_url
        self._headers = headers
        self._deadline = guards.Deadline()
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None

    def run(self, program: Program[T]) -> T:
        """Does what the program asks until it has its result."""
        came: Reply | Lost | None = None
        try:
            while True:
                step = program.send(came)
                if isinstance(step, Send):
                    came = self._send(step)
                elif isinstance(step, Pause):
                    time.sleep(step.seconds)
                    came = None
                else:
                    step.call()
                    came = None
        except StopIteration as done:
            result: T = done.value
            return result

    def _send(self, step: Send) -> Reply | Lost:
        http = self._opened()
        try:
            with self._deadline.within(step.timeout_s):
                response = http.send(prepared(http, step.request, step.timeout_s))
                return reply(response, response.content)
        except httpx.HTTPError as error:
            return lost(error)

    def lines(self, request: Request, quiet_s: float) -> Iterator[str | Reply | Lost]:
        """The lines of a stream as they come; at its end the answer, where it is an error, or what was lost.

        A stream that says nothing for `quiet_s` seconds is lost.
        """
        http = self._opened()
        try:
            with closing(http.send(prepared(http, request, quiet_s), stream=True)) as response:
                if response.status_code >= 300:
                    yield reply(response, response.read())
                    return
                yield from response.iter_lines()
        except httpx.HTTPError as error:
            yield lost(error)

    def close(self) -> None:
        """Closes the connections."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def _opened(self) -> httpx.Client:
        with self._lock:
            if self._http is None:
                self._http = httpx.Client(base_url=self._base_url, headers=self._headers, verify=trusted())
                guards.bound(self._http, self._deadline)
                guards.discard_left_overs(self._http)
            return self._http


@cache
def trusted() -> ssl.SSLContext:
    """Whom clients trust: read once for all of them, which takes longer than a call."""
    return httpx.create_ssl_context()


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
