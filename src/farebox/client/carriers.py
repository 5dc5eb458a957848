"""The shell that carries what programs ask, with threads; `async_carrier` has the one with asyncio."""

import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from typing import Any, TypeVar

import httpx

from farebox.client import guards
from farebox.client.address import through_proxies
from farebox.client.core import Lost, Pause, Program, Reply, Request, Send

T = TypeVar("T")

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
FAILURES = (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError)
"""What httpx raises of a request that has no answer."""


class Carrier:
    """Runs programs. Connections are kept and shared; threads may share it.

    After `close` it opens new ones; so it does in a forked process, where an answer on a shared one may be another's.
    """

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._base_url = base_url
        self._headers = headers
        self._deadline = guards.Deadline()
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._process = 0

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
        try:
            http = self._opened()
            with self._deadline.within(step.timeout_s):
                response = http.send(prepared(http, step.request, step.timeout_s))
                return reply(response, response.content)
        except FAILURES as error:
            return lost(error)

    def lines(self, request: Request, quiet_s: float) -> Iterator[str | Reply | Lost]:
        """The lines of a stream as they come; at its end the answer, where it is an error, or what was lost.

        A stream that says nothing for `quiet_s` seconds is lost.
        """
        try:
            http = self._opened()
            with closing(http.send(prepared(http, request, quiet_s), stream=True)) as response:
                if response.status_code >= 300:
                    yield reply(response, response.read())
                    return
                yield from response.iter_lines()
        except FAILURES as error:
            yield lost(error)

    def close(self) -> None:
        """Closes the connections."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def _opened(self) -> httpx.Client:
        with self._lock:
            if self._http is None or self._process != os.getpid():
                self._process = os.getpid()
                self._http = httpx.Client(**reaching(self._base_url, self._headers))
                guards.bound(self._http, self._deadline)
                guards.discard_left_overs(self._http)
            return self._http


def reaching(base_url: str, headers: dict[str, str]) -> dict[str, Any]:
    """What httpx's clients are made with to reach a server."""
    trust_env = through_proxies(base_url)
    return {"base_url": base_url, "headers": headers, "verify": _trusted(), "trust_env": trust_env}


@cache
def _trusted() -> ssl.SSLContext:
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


def lost(error: Exception) -> Lost:
    """What went wrong, and whether the request had left. Where no connection came about it says with whom, and why."""
    timed_out = isinstance(error, httpx.TimeoutException)
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
        return Lost("the server's address is none: it begins with http:// or https://", sent=False, final=True)
    if isinstance(error, UnicodeEncodeError) or _unfit(error):
        return Lost("the key, or something else, has characters that can't be sent", sent=False, final=True)
    if isinstance(error, _NEVER_LEFT):
        server = error.request.url.netloc.decode("ascii")  # host and port; a user's part is not in it
        why = str(error) or type(error).__name__
        return Lost(f"no connection to {server} came about ({why})", sent=False, timed_out=timed_out)
    why = "no answer in time" if timed_out else "the connection was lost"
    return Lost(f"{why} ({type(error).__name__})", sent=True, timed_out=timed_out)


def _unfit(error: Exception) -> bool:
    """A header holds what no header can, such as the end of a line that was read with a key."""
    return isinstance(error, httpx.LocalProtocolError) and any(
        not value.isprintable() or value != value.strip() for value in error.request.headers.values()
    )
