"""The database dies and comes back while balances are followed: the streams stay open, and tell what happens next."""

import contextlib
import json
import signal
import threading
from pathlib import Path
from typing import Any

import httpx

from tests.support.live import fresh_key, made
from tests.support.processes import ServerProcess, until


def test_streams_outlive_the_database(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data")
    heard: list[Any] = []
    try:
        server.start()
        with server.admin() as admin:
            wallet = made(admin.post("/v1/wallets", json={"asset": "USD"}))["id"]
            threading.Thread(target=follow, args=(server, wallet, heard), daemon=True).start()
            until(lambda: heard == [0])
            deposit(admin, wallet)
            until(lambda: heard == [0, 5])
            server.signal_postgres(signal.SIGKILL)
            until(lambda: not server.is_ready())
            server.wait_ready()
            deposit(admin, wallet)
            until(lambda: heard == [0, 5, 10])
    finally:
        server.clean_up()


def deposit(admin: httpx.Client, wallet: str) -> None:
    """Five units, asked for until it is answered."""
    key = fresh_key()
    path = f"/v1/wallets/{wallet}/deposits"
    until(lambda: admin.post(path, json={"amount": 5}, headers=key).status_code == 201)


def follow(server: ServerProcess, wallet: str, heard: list[Any]) -> None:
    path = f"/v1/wallets/{wallet}/events"
    with (
        contextlib.suppress(httpx.HTTPError),  # in the end the server is killed
        server.admin() as admin,
        admin.stream("GET", path, timeout=None) as response,
    ):
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if name == "data":
                heard.append(json.loads(value)["available"])
