"""The chat service: charges each request through the CONXA dialect, many users at once, until it is refused."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Iterator

import httpx
import msgspec
from msgspec import Struct

from farebox.demo.server import DemoFailure
from farebox.demo.traffic import Request

SHOWN = 6


class Charged(Struct, frozen=True):
    """A charge that was answered as approved."""

    request: Request
    new_balance: int


class Refused(Struct, frozen=True):
    """The first refusal: what was asked, and the answer as it came over the wire."""

    request: Request
    status: int
    body: bytes


class Tally(Struct):
    """What has happened so far."""

    began: float = msgspec.field(default_factory=time.monotonic)
    ended: float | None = None
    charges: int = 0
    tokens: int = 0
    balance: int = 0
    refused: Refused | None = None
    last: deque[Charged] = msgspec.field(default_factory=lambda: deque(maxlen=SHOWN))

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return (self.ended or time.monotonic()) - self.began

    @property
    def per_second(self) -> float:
        """Approved charges per second, on average."""
        return self.charges / max(self.seconds, 1e-9)


class ChatService:
    """A provider with one connected user's session."""

    def __init__(self, url: str, api_key: str, session_token: str) -> None:
        self._headers = {"X-Provider-API-Key": api_key, "X-Provider-Session": session_token}
        self._url = f"{url}/conxa/charge/authorize"

    async def run(self, traffic: Iterator[Request], tally: Tally, users: int, most: int | None, most_s: float) -> None:
        """Charges request after request, `users` at once, until one is refused, `most` are made or time is over."""
        give_up = time.monotonic() + most_s
        limits = httpx.Limits(max_connections=users, max_keepalive_connections=users)
        async with httpx.AsyncClient(headers=self._headers, limits=limits, timeout=30, trust_env=False) as http:

            async def user() -> None:
                for request in traffic:
                    if tally.refused or time.monotonic() > give_up or (most is not None and tally.charges >= most):
                        return
                    await self._charge(http, request, tally)

            async with asyncio.TaskGroup() as group:
                for _ in range(users):
                    group.create_task(user())
        tally.ended = time.monotonic()

    async def _charge(self, http: httpx.AsyncClient, request: Request, tally: Tally) -> None:
        body = {
            "model_name": request.model,
            "input_tokens": request.input_tokens,
            "output_tokens": request.output_tokens,
        }
        # The key makes it safe to send again: an answer that got lost is no second charge.
        response = await http.post(self._url, json=body, headers={"X-Idempotency-Key": secrets.token_hex(12)})
        if response.status_code in (402, 403):
            tally.refused = tally.refused or Refused(request, response.status_code, response.content)
        elif response.is_success:
            balance = int(msgspec.json.decode(response.content)["new_balance"])
            tally.charges += 1
            tally.tokens += request.input_tokens + request.output_tokens
            tally.balance = balance
            tally.last.append(Charged(request, balance))
        else:
            raise DemoFailure(f"The charge was answered {response.status_code}: {response.text}")
