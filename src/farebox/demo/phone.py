"""For a demo that other machines reach: a code that opens the wallet on a phone, with money in it."""

import secrets
import socket
from urllib.parse import quote

import msgspec

from farebox.demo.native import Native
from farebox.demo.screen import Screen, qr_text
from farebox.demo.server import Server
from farebox.demo.story import SLUG

DOLLARS = 10
EMAIL = "you@demo.example"


def your_phone(screen: Screen, server: Server) -> None:
    """Opens a wallet for who looks on, and shows the way to it, up to what Acme Chat asks for."""
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    admin = Native(server.url, server.admin_key)
    admin.post("/syftbox/user/create", {"email": EMAIL, "password": password, "organization": None})
    admin.post("/syftbox/user/add-balance", {"recipientEmail": EMAIL, "amount": DOLLARS})
    address = f"{_reachable(server.url)}/wallet/sign-in?next={quote(_scan_path(), safe='')}"
    screen.act(8, "Your phone")
    screen.line("On the same network, this opens a wallet with 10 USD in it, and what Acme Chat asks for:")
    screen.show(qr_text(address))
    screen.text(f"   address    {address}")
    screen.text(f"   e-mail     {EMAIL}")
    screen.text(f"   password   {password}")
    screen.line("[dim]Over plain HTTP no page gets the camera: here the code comes along in the address.[/dim]")


def _scan_path() -> str:
    asked = {"provider_id": SLUG, "provider_type": "api", "provider_username": "you", "limit": 200_000}
    return f"/wallet/scan?code={quote(msgspec.json.encode(asked).decode(), safe='')}"


def _reachable(url: str) -> str:
    """The server's address as others see it, where it listens on all of them."""
    host, port = url.removeprefix("http://").rsplit(":", 1)
    if host not in ("0.0.0.0", "[::]"):  # noqa: S104  # compared with, not listened on
        return url
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses the way out
            host = probe.getsockname()[0]
        except OSError:
            host = "127.0.0.1"
    return f"http://{host}:{port}"
