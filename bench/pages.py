"""`python -m bench.pages [--rounds N]`: how soon the wallet's pages are seen on a slow phone.

Debian's Chromium, its processor slowed down to a quarter, in a fresh profile each time, so that nothing is remembered.
Taken is the first contentful paint since the navigation began, and all that crossed the wire until the page was still.
The pages are asked for in turns, a plain text of the same server among them: what the browser itself takes.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
from msgspec import Struct
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page
from rich.console import Console
from rich.table import Table
from tests.support.browsing import Browser, approved, token_of
from tests.support.chromium import chromium
from tests.support.live import Live, live_server, settings_for

from bench import machine
from bench.world import CREATE, OWNER
from farebox.db import migrate
from farebox.db.embedded import APP_ROLE, EmbeddedPostgres

SLOWER = 4
WANTED_MS = 1000
WANTED_BYTES = 200_000
BASELINE = "/health"
_PAINT = """() => new Promise(done => {
    const look = () => {
        const [found] = performance.getEntriesByName("first-contentful-paint");
        found ? done(found.startTime) : setTimeout(look, 20);
    };
    look();
})"""


class Seen(Struct, frozen=True):
    """One visit: milliseconds until something is seen, bytes until the page is still."""

    paint_ms: float
    bytes: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    console = Console()
    console.print(f"[bold]The wallet's pages at {SLOWER}× CPU slow-down[/] · {machine.described()}")
    with database() as url, live_server(url, settings_for()) as live:
        person, paths = furnished(live)
        with chromium() as browser:
            seen: dict[str, list[Seen]] = {path: [] for path in (BASELINE, *paths)}
            for _ in range(given.rounds):
                for path, visits in seen.items():
                    visits.append(visit(browser, live, person, path))
    return 0 if show(console, seen) else 1


@contextlib.contextmanager
def database() -> Iterator[str]:
    """An empty database, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="farebox-bench-") as directory:
        Path(directory).chmod(0o755)
        postgres = EmbeddedPostgres(Path(directory))
        postgres.start()
        try:
            asyncio.run(_schema(postgres))
            yield postgres.url()
        finally:
            postgres.stop()


async def _schema(postgres: EmbeddedPostgres) -> None:
    conn = await asyncpg.connect(postgres.url(OWNER, OWNER))
    await conn.execute(CREATE)
    await conn.close()
    await migrate.migrate(postgres.url(OWNER))
    conn = await asyncpg.connect(postgres.url(OWNER))
    await migrate.grant_app_role(conn, APP_ROLE)
    await conn.close()


def furnished(live: Live) -> tuple[Browser, list[str]]:
    """Somebody with thirty connections and two hundred charges, and the pages there are."""
    person = Browser(live).sign_up("500")
    shops = [live.provider(name=f"Shop {n}", verified=True) for n in range(30)]
    for shop in shops:
        connection = approved(person, shop, limit="0.5")
    live.price("bench-1", shops[-1].slug, asset="USD", input_token="0.000003", output_token="0.000015")
    token = token_of(shops[-1])
    for n in range(200):
        shops[-1].charge(token, model="bench-1", usage={"input_tokens": 100 + n, "output_tokens": 10})
    request = person.scanned(json.dumps({"provider_id": shops[-1].slug, "provider_username": "new", "limit": 50_000}))
    plain = [
        *("", "/connections", "/limits", "/history", "/send", "/ask", "/tokens", "/statement", "/account", "/scan"),
        *("/sign-in", "/sign-up"),
    ]
    return person, [f"/wallet{path}" for path in plain] + [connection, request]


def visit(browser: Chromium, live: Live, person: Browser, path: str) -> Seen:
    """One visit in a fresh profile."""
    context = browser.new_context(viewport={"width": 360, "height": 800})
    context.add_cookies([{"name": name, "value": value, "url": live.url} for name, value in person.cookies.items()])
    page = context.new_page()
    crossed = counted(page)
    page.goto(live.url + path, wait_until="load")
    paint = float(page.evaluate(_PAINT))
    page.wait_for_timeout(200)  # what is asked for after that first picture
    context.close()
    return Seen(paint, sum(crossed))


def counted(page: Page) -> list[int]:
    """Slows the page's processor down, and counts the bytes that cross the wire from now on."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    session.send("Network.enable")
    crossed: list[int] = []
    session.on("Network.loadingFinished", lambda told: crossed.append(int(told["encodedDataLength"])))
    return crossed


def show(console: Console, seen: dict[str, list[Seen]]) -> bool:
    """The figures as a table; whether they are what is wanted."""
    table = Table()
    table.add_column("page")
    for column in ("first seen ms, median", "worst", "KB"):
        table.add_column(column, justify="right")
    for path, visits in seen.items():
        paints = [one.paint_ms for one in visits]
        size = max(one.bytes for one in visits) / 1000
        table.add_row(path, f"{statistics.median(paints):.0f}", f"{max(paints):.0f}", f"{size:.0f}")
    console.print(table)
    del seen[BASELINE]
    slowest = max(statistics.median(one.paint_ms for one in visits) for visits in seen.values())
    largest = max(one.bytes for visits in seen.values() for one in visits)
    console.print(f"  slowest page: [bold]{slowest:.0f} ms[/] (wanted {WANTED_MS})")
    console.print(
        f"  largest page: [bold]{largest / 1000:.0f} KB[/] with all that it loads (wanted {WANTED_BYTES / 1000:.0f})"
    )
    return slowest <= WANTED_MS and largest <= WANTED_BYTES


if __name__ == "__main__":
    sys.exit(main())
