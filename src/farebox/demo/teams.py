"""`farebox demo --tokenvault`: agents with the published client, a Redis stream, and a balance that ticks."""

import asyncio
import os
import subprocess
import time
from collections import deque
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec import Struct
from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from farebox.demo.native import Native
from farebox.demo.screen import Screen, indented
from farebox.demo.server import DemoFailure, Server
from farebox.demo.story import books

ORGANIZATION, MODEL = "acme", "gpt-4o"
FRAMES_S = 0.1
SHOWN = 6


class Update(Struct, frozen=True):
    """What is read of a message; numbers stay exact."""

    credits: Decimal
    money_equivalent: Decimal | None


_decode = msgspec.json.Decoder(Update).decode


class Told(Struct):
    """What the stream of the balance has said so far."""

    began: float
    messages: int = 0
    credits: Decimal = Decimal(0)
    money: Decimal = Decimal(0)
    last: deque[Decimal] = msgspec.field(default_factory=lambda: deque(maxlen=SHOWN))
    stopped: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def hear(self, data: str) -> None:
        """Takes in a message."""
        found = _decode(data)
        before, self.credits = self.credits, found.credits
        self.money = found.money_equivalent or Decimal(0)
        if self.messages:
            self.last.append(self.credits - before)
        self.messages += 1


def tell(screen: Screen, server: Server, redis_url: str, python: Path, agents: int, trial: int) -> None:
    """Plays all parts. Raises DemoFailure."""
    native = Native(server.url, server.admin_key)
    screen.act(1, "A server that reads a Redis stream")
    screen.line(f"listens on [cyan]{server.url}[/cyan], ready in {server.started_in_s:.1f} s")
    screen.line(f"and reads what [cyan]{redis_url}[/cyan] brings")
    key = _team(screen, native, trial)
    told = _agents(screen, server, _Client(python, redis_url, key), agents)
    _debt(screen, native, told)
    books(screen, server, 5)


def _team(screen: Screen, native: Native, trial: int) -> str:
    screen.act(2, "An organization, and its free trial")
    native.post("/tokenvault/v1/wallet/organizations", {"id": ORGANIZATION, "name": "Acme"})
    key: str = native.post(f"/v1/organizations/{ORGANIZATION}/keys", {"name": "agents"})["key"]
    body = {"organization_id": ORGANIZATION, "money_amount": trial, "metadata": {"reason": "free_trial"}}
    done = native.post("/tokenvault/v1/recharge", body)
    screen.line(f"[bold]{ORGANIZATION}[/bold] is registered, with a key for its agents")
    screen.line(f"{trial} USD are {done['credits']:,} credits; asked for again, they are not granted again")
    return key


class _Client(Struct, frozen=True):
    """How the published client is started."""

    python: Path
    redis_url: str
    key: str

    def start(self, url: str, agents: int) -> "subprocess.Popen[str]":
        scheme, _, rest = url.partition("://")
        told = {"TOKENVAULT_REDIS_URL": self.redis_url, "NO_PROXY": "*", "no_proxy": "*"}
        told["TOKENVAULT_API_URL"] = f"{scheme}://{ORGANIZATION}:{self.key}@{rest}/tokenvault"
        script = Path(__file__).with_name("agents.py")
        return subprocess.Popen(  # noqa: S603  # our own script
            [str(self.python), str(script), ORGANIZATION, str(agents), MODEL],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | told,
        )


def _agents(screen: Screen, server: Server, client: _Client, agents: int) -> Told:
    screen.act(3, f"{agents} agents report what they use: tokenvault-sdk → Redis → ledger → this terminal")
    told = Told(time.monotonic())
    asyncio.run(_follow(screen, server, client, agents, told))
    if len(told.stopped) < agents:
        raise DemoFailure("The agents ended before their credits did")
    first = told.stopped[0]
    calls = sum(one["calls"] for one in told.stopped)
    screen.line(f"after {calls:,} calls the client stops {first['agent']}, and all others:")
    screen.line(f"[bold red]{escape(first['told'])}[/bold red]")
    return told


async def _follow(screen: Screen, server: Server, client: _Client, agents: int, told: Told) -> None:
    listening = asyncio.create_task(_listen(server, told))
    process = client.start(server.url, agents)
    working = asyncio.create_task(asyncio.to_thread(_collect, process, told))

    def plain() -> str:
        return f"   {told.credits:,.2f} credits left, {told.messages:,} messages"

    try:
        with screen.following(lambda: _frame(told), plain) as tick:
            while not working.done() and not listening.done():
                tick()
                await asyncio.wait([working, listening], timeout=FRAMES_S)
            await asyncio.sleep(1)  # what they reported last is booked
        if listening.done():
            listening.result()
        await working
    finally:
        listening.cancel()
        process.kill()


def _collect(process: "subprocess.Popen[str]", told: Told) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        told.stopped.append(msgspec.json.decode(line))


async def _listen(server: Server, told: Told) -> None:
    headers = {"Authorization": f"Bearer {server.admin_key}"}
    url = f"{server.url}/tokenvault/v1/balance/organizations/{ORGANIZATION}/stream"
    quiet = httpx.AsyncClient(headers=headers, timeout=None, trust_env=False)  # noqa: S113  # nothing may come for long
    async with quiet as http, http.stream("GET", url) as response:
        if not response.is_success:
            raise DemoFailure(f"The stream was answered with {response.status_code}")
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                told.hear(line.removeprefix("data: "))


def _frame(told: Told) -> RenderableType:
    figures = Table.grid(padding=(0, 3))
    figures.add_row("credits", "worth", "messages", "a second", style="dim")
    figures.add_row(
        f"[bold green]{told.credits:,.2f}[/bold green]",
        f"{told.money:,.2f} USD",
        f"{told.messages:,}",
        f"{told.messages / max(time.monotonic() - told.began, 1e-9):,.0f}",
    )
    latest = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    latest.add_column("the latest changes", justify="right", min_width=20)
    for change in told.last:
        latest.add_row(f"{change:+,.4f}")
    return Group(indented(figures), indented(latest))


def _debt(screen: Screen, native: Native, told: Told) -> None:
    screen.act(4, "What had happened is booked, below zero too; the next recharge pays it first")
    screen.line(f"the balance is {told.credits:,.4f} credits: {-told.credits:,.4f} are owed")
    done = native.post("/tokenvault/v1/recharge", {"organization_id": ORGANIZATION, "money_amount": 10})
    left = told.credits + Decimal(done["credits"])
    screen.line(f"10 USD are {done['credits']:,} credits; {left:,.4f} are there now")
