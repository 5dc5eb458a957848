"""The shell that carries what programs ask, with asyncio."""

import asyncio
from typing import TypeVar

import httpx

from farebox.client import guards
from farebox.client.carriers import lost, prepared, reply
from farebox.client.core import Lost, Program, Reply, Send

T = TypeVar("T")


class AsyncCarrier:
    """Runs programs. Connections are kept and shared; tasks of one loop may share it."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, headers=headers)
        guards.discard_left_overs(self._http)

    async def run(self, program: Program[T]) -> T:
        """Does what the program asks until it has its result."""
        came: Reply | Lost | None = None
        try:
            while True:
                step = program.send(came)
                if isinstance(step, Send):
                    came = await self._send(step)
                else:
                    await asyncio.sleep(step.seconds)
                    came = None
        except StopIteration as done:
            result: T = done.value
            return result

    async def _send(self, step: Send) -> Reply | Lost:
        try:
            async with asyncio.timeout(step.timeout_s):  # the whole: httpx bounds each read
                response = await self._http.send(prepared(self._http, step.request, step.timeout_s))
                return reply(response, response.content)
        except TimeoutError:
            return Lost("no whole answer in time", sent=True, timed_out=True)
        except httpx.HTTPError as error:
            return lost(error)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()
