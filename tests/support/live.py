"""A real server on a real port, in a thread of this process; and what a test needs to set it up."""

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

from farebox import serve
from farebox.http import server
from farebox.services import Services
from farebox.settings import Settings

ADMIN_KEY = "fbx_admin_" + "0123456789abcdef" * 3
SECRET_KEY = "ab" * 32


def settings_for(**given: Any) -> Settings:
    """Settings of a test server: a free port, known keys, an empty price book."""
    base: dict[str, Any] = {
        "port": 0,
        "admin_key": ADMIN_KEY,
        "secret_key": SECRET_KEY,
        "default_prices": "none",
        "failures_per_address_s": 10_000,
        "sign_ups_per_address_s": 0,
    }
    return Settings(**base | given)


class Live:
    """A running server: `url`, an administrator's `admin` client, and makers of the usual things."""

    def __init__(self, services: Services, loop: asyncio.AbstractEventLoop, port: int, ended: asyncio.Event) -> None:
        self.services = services
        self._ended = ended
        self.loop = loop
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.admin = self.client(ADMIN_KEY)

    def client(self, key: str | None, path: str = "", **headers: str) -> httpx.Client:
        """A client that sends `key` as its bearer key."""
        bearer = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url + path, headers=bearer | headers, timeout=30)

    def end(self) -> None:
        """Tells the server to end, and does not wait for it."""
        self.loop.call_soon_threadsafe(self._ended.set)

    def call(self, coroutine: Any) -> Any:
        """Runs a coroutine on the server's own loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=60)

    def provider(self, slug: str | None = None, **more: Any) -> "Provider":
        """A new provider with a key."""
        slug = slug or f"p{uuid.uuid4().hex[:10]}"
        made(self.admin.post("/v1/providers", json={"slug": slug, "name": slug.title()} | more))
        key = made(self.admin.post(f"/v1/providers/{slug}/keys", json={"name": "test"}))["key"]
        return Provider(self, slug, key)

    def wallet(self, units: int = 0, asset: str = "TOKEN", **more: Any) -> str:
        """A new wallet with money in it; its number."""
        number: str = made(self.admin.post("/v1/wallets", json={"asset": asset, **more}))["id"]
        if units:
            self.deposit(number, units)
        return number

    def deposit(self, wallet: str, units: int) -> None:
        """Money into a wallet."""
        made(self.admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": units}, headers=fresh_key()))

    def price(self, model: str, provider: str = "*", asset: str = "TOKEN", **rates: Any) -> None:
        """A price for a model."""
        made(self.admin.put(f"/v1/prices/{provider}/{model}", json={"asset": asset, **rates}))

    def read_wallet(self, wallet: str) -> dict[str, Any]:
        """A wallet as it stands."""
        found: dict[str, Any] = ok(self.admin.get(f"/v1/wallets/{wallet}"))
        return found


class Provider:
    """A provider with its key and clients."""

    def __init__(self, live: Live, slug: str, key: str) -> None:
        self.live = live
        self.slug = slug
        self.key = key
        self.api = live.client(key)

    def grant(self, wallet: str, username: str | None = None, **terms: Any) -> dict[str, Any]:
        """A grant of a wallet to this provider, with its `session_token`."""
        body = {"provider": self.slug, "provider_username": username or uuid.uuid4().hex, **terms}
        found: dict[str, Any] = made(self.live.admin.post(f"/v1/wallets/{wallet}/grants", json=body))
        return found

    def charge(self, session_token: str, *, key: str | None = None, **bill: Any) -> httpx.Response:
        """A native charge."""
        headers = fresh_key() if key is None else {"Idempotency-Key": key}
        return self.api.post("/v1/charges", json={"session_token": session_token, **bill}, headers=headers)

    def conxa(self) -> httpx.Client:
        """A client of the CONXA dialect."""
        return self.live.client(None, "/conxa", **{"X-Provider-API-Key": self.key})

    def knai(self) -> httpx.Client:
        """A client of the KNAI dialect."""
        return self.live.client(None, "/knai", **{"X-Provider-API-Key": self.key, "X-Provider-Slug": self.slug})


def fresh_key() -> dict[str, str]:
    """An idempotency key that was never used."""
    return {"Idempotency-Key": uuid.uuid4().hex}


def made(response: httpx.Response) -> Any:
    """The body of a 201."""
    assert response.status_code == 201, response.text
    return response.json()


def ok(response: httpx.Response) -> Any:
    """The body of a 200."""
    assert response.status_code == 200, response.text
    return response.json()


@contextlib.contextmanager
def live_server(url: str, settings: Settings) -> Iterator[Live]:
    """Serves a database until the block ends."""
    ready = threading.Event()
    ended: dict[str, asyncio.Event] = {}
    found: dict[str, Any] = {}

    async def main() -> None:
        ended["event"] = asyncio.Event()
        sock = server.listen(settings)
        try:
            async with serve.running(serve.Database(lambda: url), settings, sock) as (up, _):
                found["live"] = Live(up.services, asyncio.get_running_loop(), up.port, ended["event"])
                ready.set()
                await ended["event"].wait()
        except BaseException as error:
            found["error"] = error
            raise
        finally:
            sock.close()
            ready.set()

    thread = threading.Thread(target=lambda: serve.run(main()), name="live-server")
    thread.start()
    ready.wait(60)
    try:
        if "error" in found:
            raise found["error"]
        yield found["live"]
    finally:
        if "live" in found:
            with contextlib.suppress(RuntimeError):  # it has ended
                found["live"].end()
        thread.join(60)
