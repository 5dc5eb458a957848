"""The shell that carries what programs ask, with asyncio."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TypeVar

import httpx

from farebox.client import guards
from farebox.client.carriers import FAILURES, lost, prepared, reaching, reply
from farebox.client.core import Lost, Pause, Program, Reply, Request, Send

T = TypeVar("T")


class AsyncCarrier:
    """Runs programs. Connections are kept and shared; tasks share it, and a new loop opens new ones."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._base_url = base_url
        self._headers = headers
        self._http: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, program: Program[T]) -> T:
        """Does what the program asks until it has its result."""
        came: Reply | Lost | None = None
        try:
            while True:
                step = program.send(came)
                if isinstance(step, Send):
                    came = await self._send(step)
                elif isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    came = None
                else:
                    told = step.call()
                    if inspect.isawaitable(told):
                        await told
                    came = None
        except StopIteration as done:
            result: T = done.value
            return result

    async def _send(self, step: Send) -> Reply | Lost:
        try:
            async with asyncio.timeout(step.timeout_s):  # the whole: httpx bounds each read
                http = self._opened()
                response = await http.send(prepared(http, step.request, step.timeout_s))
                return reply(response, response.content)
        except TimeoutError:
            return Lost("no whole answer in time", sent=True, timed_out=True)
        except FAILURES as error:
            return lost(error)

    async def lines(self, request: Request, quiet_s: float) -> AsyncIterator[str | Reply | Lost]:
        """As Carrier's."""
        try:
            http = self._opened()
            async with aclosing(await http.send(prepared(http, request, quiet_s), stream=True)) as response:
                if response.status_code >= 300:
                    yield reply(response, await response.aread())
                    return
                async for line in response.aiter_lines():
                    yield line
        except FAILURES as error:
            yield lost(error)

    async def close(self) -> None:
        """Closes the connections."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def _opened(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._http is None or self._loop is not loop:  # connections belong to the loop that opened them
            self._loop = loop
            self._http = httpx.AsyncClient(**reaching(self._base_url, self._headers))
            guards.discard_left_overs(self._http)
        return self._http
