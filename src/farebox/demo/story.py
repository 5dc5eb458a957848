"""The demo from beginning to end."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import segno
from msgspec import Struct
from rich.markup import escape

from farebox.consent import qr
from farebox.db.embedded import EmbeddedPostgres
from farebox.demo import traffic
from farebox.demo.chat import ChatService, Tally
from farebox.demo.native import Native
from farebox.demo.screen import Screen, frame, qr_text
from farebox.demo.server import DemoFailure, Server
from farebox.ledger.audit import Report, audit
from farebox.money import Asset, show

SCALE = 1000
TOKEN = Asset("TOKEN", "Token", SCALE, None)
DEPOSIT = 5_000_000
ASKED = 2_000_000
CAP = 1_000_000
"""Whole tokens; 100,000 are a dollar's worth."""
SLUG, NAME, USERNAME = "acme-chat", "Acme Chat", "ada"
FRAMES_S = 0.1


class Plan(Struct, frozen=True):
    """How the demo is to run."""

    trace: Path | None = None
    users: int = 24
    most: int | None = None
    most_s: float = 40.0


class Opened(Struct, frozen=True):
    """What the parts after the first need."""

    wallet: str
    provider_key: str


def tell(screen: Screen, server: Server, plan: Plan) -> Opened:
    """Plays all parts but the last against a running server. Raises DemoFailure."""
    requests = traffic.made_up() if plan.trace is None else traffic.traced(plan.trace)
    native = Native(server.url, server.admin_key)
    _server(screen, server)
    opened = _wallet(screen, native)
    _connect(screen, native, opened, server.data_dir)
    token = _session_token(server.url, opened.provider_key)
    tally = _charge(screen, ChatService(server.url, opened.provider_key, token), requests, plan)
    _refusal(screen, native, tally)
    books(screen, server, 6)
    return opened


def _server(screen: Screen, server: Server) -> None:
    screen.act(1, "A server")
    screen.line(f"listens on [cyan]{server.url}[/cyan] with its own PostgreSQL, ready in {server.started_in_s:.1f} s")


def _wallet(screen: Screen, native: Native) -> Opened:
    screen.act(2, "A wallet, and a service that wants to be paid")
    wallet = native.post("/v1/wallets", {"asset": TOKEN.code, "owner": USERNAME})["id"]
    native.post(f"/v1/wallets/{wallet}/deposits", {"amount": DEPOSIT * SCALE, "source": "demo"})
    shown = " ".join(wallet[place : place + 4] for place in range(0, 16, 4))
    screen.line(f"wallet [bold]{shown}[/bold] is Ada's; {_shown(DEPOSIT)} were deposited (50 USD)")
    native.post("/v1/providers", {"slug": SLUG, "name": NAME, "verified": True})
    key = native.post(f"/v1/providers/{SLUG}/keys", {"name": "demo"})["key"]
    screen.line(f"provider [bold]{NAME}[/bold] is registered, and has an API key")
    return Opened(wallet, key)


def _connect(screen: Screen, native: Native, opened: Opened, directory: Path) -> None:
    screen.act(3, f"{NAME} shows a QR code: may I charge you?")
    payload = {"provider_id": SLUG, "provider_type": "api", "provider_username": USERNAME, "limit": float(ASKED)}
    text = msgspec.json.encode(payload).decode()
    screen.show(qr_text(text))
    image = directory / "connect.png"
    segno.make(text, error="m").save(str(image), scale=6, border=4)
    request = native.post(
        "/v1/connection-requests", {"wallet": opened.wallet, "qr": qr.read(str(image)), "expires_in_s": 86_400}
    )
    mark = "[green]✓ verified[/green]" if request["provider_verified"] else "not verified"
    screen.line(
        f"Ada's wallet scans it: {escape(request['provider_name'])} {mark} asks for up to {_units(request['limit'])}"
    )
    native.post(f"/v1/connection-requests/{request['id']}/approve", {"terms": request["terms"], "limit": CAP * SCALE})
    screen.line(f"Ada approves, for a day, with a lower cap of her own: [bold]{_shown(CAP)}[/bold]")


def _session_token(url: str, provider_key: str) -> str:
    status = Native(url, None, {"X-Provider-API-Key": provider_key}).get(
        f"/conxa/providers/session/status?provider_username={USERNAME}"
    )
    if status["status"] != "active":
        raise DemoFailure("The session did not become active")
    return str(status["session_token"])


def _charge(screen: Screen, service: ChatService, requests: Iterator[traffic.Request], plan: Plan) -> Tally:
    source = "requests of its own making" if plan.trace is None else f"requests of {plan.trace.name}"
    screen.act(4, f"{plan.users} chats at once charge the one wallet ({source})")
    tally = Tally(balance=DEPOSIT)
    asyncio.run(_follow(screen, service, requests, plan, tally))
    if not tally.charges:
        raise DemoFailure("No charge was approved")
    return tally


async def _follow(
    screen: Screen, service: ChatService, requests: Iterator[traffic.Request], plan: Plan, tally: Tally
) -> None:
    running = asyncio.create_task(service.run(requests, tally, plan.users, plan.most, plan.most_s))

    def picture() -> Any:
        return frame(tally, _shown(tally.balance), CAP - (DEPOSIT - tally.balance), CAP)

    def plain() -> str:
        return f"   {tally.charges:,} charges, {tally.per_second:,.0f}/s, {_shown(tally.balance)} left"

    with screen.following(picture, plain) as tick:
        while not running.done():
            tick()
            await asyncio.wait([running], timeout=FRAMES_S)
    try:
        await running
    except* DemoFailure as failures:
        raise failures.exceptions[0] from None


def _refusal(screen: Screen, native: Native, tally: Tally) -> None:
    screen.act(5, "The cap")
    refused = tally.refused
    if refused is None:
        screen.line(f"was not reached: {tally.charges:,} charges in {tally.seconds:.0f} s came to less")
        return
    answer = msgspec.json.decode(refused.body)
    screen.line(f"the next charge was answered [bold red]{refused.status} {answer['code']}[/bold red]")
    screen.line(escape(answer["message"]))
    recent = native.get(f"/v1/charges?provider={SLUG}&limit=200")["data"]
    asked = (refused.request.input_tokens, refused.request.output_tokens)
    declined = next(
        charge
        for charge in recent
        if charge["refusal"] and (charge["usage"]["input_tokens"], charge["usage"]["output_tokens"]) == asked
    )
    why = native.get(f"/v1/charges/{declined['id']}/explanation")
    for line in why["lines"]:
        screen.line(f"  {line['quantity']:>7,} {line['what']:<14} × {line['rate']} = {line['cost']} USD")
    screen.line(f"  that is {_units(declined['amount'])}")
    screen.line(f"{_units(declined['remaining_after'])} were left of the cap: nothing was taken")


def books(screen: Screen, server: Server, act: int) -> None:
    """The part in which the books are proved; raises DemoFailure where they differ."""
    screen.act(act, "The books")
    report = asyncio.run(_audit(server.data_dir))
    figures = report.figures
    screen.line(f"{figures['transfers']:,} transfers, {figures['entries']:,} entries, {figures['refusals']:,} refusals")
    for balance in report.balances:
        screen.line(f"  {show(balance.balance, _asset(balance.asset)):>22}  {balance.kind}")
    for asset in {balance.asset for balance in report.balances}:
        whole = sum(balance.balance for balance in report.balances if balance.asset == asset)
        screen.line(f"  {show(whole, _asset(asset)):>22}  in all, as it has to be")
    if not report.clean:
        raise DemoFailure("The books differ: " + "; ".join(found.rule for found in report.differences))
    screen.line(f"[bold green]✓ {len(report.checks)} proofs hold: the books are clean[/bold green]")


def _asset(code: str) -> Asset:
    return TOKEN if code == TOKEN.code else Asset(code, code, 1_000_000, None)


async def _audit(data_dir: Path) -> Report:
    postgres = EmbeddedPostgres(data_dir)
    postgres.start()  # it runs: this joins it
    conn = await asyncpg.connect(postgres.url())
    try:
        return await audit(conn)
    finally:
        await conn.close()


def _shown(tokens: int) -> str:
    return show(tokens * SCALE, TOKEN)


def _units(units: int) -> str:
    return show(units, TOKEN)
