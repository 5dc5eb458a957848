"""A page on another origin in a real Chromium: the balance at first, every change, and on when the server is back."""

import contextlib
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.databases import Databases
from tests.support.live import ADMIN_KEY, Live, live_server, made, ok, settings_for
from tests.support.processes import free_port, until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PAGE = Path(__file__).parent / "pages" / "balance.html"
MODEL = "page-1"


class Site:
    """Serves the page, and hears what it sees."""

    def __init__(self) -> None:
        heard: list[tuple[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200 if self.path == "/" else 404, PAGE.read_bytes() if self.path == "/" else b"")

            def do_POST(self) -> None:
                what, value = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                heard.append((what, value))
                self._answer(204, b"")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name above
                """Says nothing."""

        self._heard = heard
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def heard(self, what: str) -> list[Any]:
        """What the page has told of something, in order."""
        return [value for name, value in list(self._heard) if name == what]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def opened(url: str) -> Iterator[None]:
    """A page, open in a browser without a window."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="farebox-chromium-", ignore_cleanup_errors=True) as profile:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        command = [CHROMIUM, *options, f"--user-data-dir={profile}", "--remote-debugging-port=0", url]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site()
    yield found
    found.close()


def organization(live: Live) -> tuple[str, str]:
    """An organization with 5 dollars of credits, and a key of its that may recharge."""
    admin = live.client(ADMIN_KEY, "/tokenvault")
    ok(admin.post("/v1/wallet/organizations", json={"id": "acme", "name": "Acme"}))
    ok(admin.post("/v1/recharge", json={"organization_id": "acme", "money_amount": 5.0}))
    live.price(MODEL, asset="CREDIT", input_token="1", output_token="1")
    scopes = {"name": "page", "scopes": ["read", "write", "recharge"]}
    key: str = made(live.admin.post("/v1/organizations/acme/keys", json=scopes))["key"]
    return "acme", key


def spend(live: Live, tokens: int) -> None:
    body = {"organization_id": "acme", "profile_id": "agent-1", "model": MODEL, "prompt_tokens": tokens}
    body["completion_tokens"] = 0
    ok(live.client(ADMIN_KEY, "/tokenvault").post("/v1/consumption/process", json=body))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt install chromium)")
def test_a_page_on_another_origin_sees_the_balance_live(postgres: Databases, site: Site) -> None:
    url = postgres.url(postgres.fresh())
    settings = settings_for(port=free_port(), cors_origins=site.origin)
    with contextlib.ExitStack() as page:
        with live_server(url, settings) as live:
            name, key = organization(live)
            place = urlencode({"api": f"{live.url}/tokenvault", "organization": name, "key": key})
            page.enter_context(opened(f"{site.origin}/#{place}"))
            until(lambda: site.heard("balance") == [500] and site.heard("recharged") == [100], 60)
            until(lambda: site.heard("credits")[-1:] == [600])
            for spent in (1, 2, 3):
                before = site.heard("credits")[-1]
                spend(live, spent)
                until(lambda: site.heard("credits")[-1] == before - spent)  # noqa: B023
        first = site.heard("credits")
        assert first in ([500, 600, 599, 597, 594], [600, 599, 597, 594]), "every change once, none twice"
        until(lambda: site.heard("error"))
        with live_server(url, settings) as live:
            until(lambda: len(site.heard("credits")) > len(first), 60)
            assert site.heard("credits")[-1] == 594
            spend(live, 4)
            until(lambda: site.heard("credits")[-1] == 590)
    assert not site.heard("failed")
