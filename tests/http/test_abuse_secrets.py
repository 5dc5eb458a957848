"""Secrets (line 94) and what is logged (line 93): kept as hashes only, shown once, never written to a log."""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import structlog

from farebox import ids, logs
from tests.support.doors import Doors
from tests.support.ledgers import owner
from tests.support.live import Live, fresh_key, live_server, made, settings_for
from tests.support.processes import ServerProcess


async def everything(url: str) -> str:
    """Every row of every table, as text."""
    conn: asyncpg.Connection[asyncpg.Record] = await owner(url)
    try:
        tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [await conn.fetch(f'SELECT t::text FROM "{table[0]}" t') for table in tables]  # its own
        return "\n".join(row[0] for found in rows for row in found)
    finally:
        await conn.close()


def flow(live: Live) -> list[str]:
    """Uses every kind of secret, rightly and wrongly; the secrets."""
    doors = Doors(live)
    made(live.admin.post("/v1/organizations", json={"id": "secretive", "name": "o"}))
    organization = made(live.admin.post("/v1/organizations/secretive/keys", json={"name": "k"}))["key"]
    admin = made(live.admin.post("/v1/keys", json={"name": "k"}))["key"]
    for door in ("charge", "conxa", "knai"):
        assert doors[door].good().status_code in (200, 201)
        doors[door].send("{")
        doors[door].good(**{"Authorization": f"Bearer {doors.provider.key}x", "X-Provider-API-Key": f"{doors.token}x"})
    for secret in (organization, admin):
        with live.client(secret) as api:
            assert api.get("/v1/wallets").status_code == 200
            api.get(f"/v1/wallets?key={secret}")
            api.get(f"/v1/wallets/{secret}")
    return [doors.provider.key, doors.token, organization, admin]


def test_line_94_the_database_keeps_hashes_only(database: str) -> None:
    """No row of any table has a secret; the digest is there, in the table where it is looked up."""
    with live_server(database, settings_for()) as live:
        secrets = [*flow(live), live.admin.headers["authorization"].removeprefix("Bearer ")]
        kept = asyncio.run(everything(database))
    for secret in secrets:
        random = secret.rpartition("_")[2]
        assert random not in kept
        assert bytes.fromhex(random).hex() == random
        assert ids.digest(secret) == hashlib.sha256(secret.encode()).digest()
        assert ids.digest(secret).hex() in kept


def test_line_94_a_secret_is_shown_once(live: Live) -> None:
    doors = Doors(live)
    key_path = f"/v1/providers/{doors.provider.slug}/keys"
    seen = [live.admin.get(path).text for path in (key_path, "/v1/keys", f"/v1/wallets/{doors.wallet}/grants")]
    seen += [live.admin.get(f"/v1/grants/{doors.grant['id']}").text, doors.provider.api.get("/v1/charges").text]
    for secret in (doors.provider.key, doors.token):
        assert all(secret not in text and secret.rpartition("_")[2] not in text for text in seen)


def test_line_94_no_two_secrets_are_alike(live: Live) -> None:
    doors = Doors(live)
    keys = [made(live.admin.post("/v1/keys", json={"name": "n"}))["key"] for _ in range(20)]
    tokens = [doors.provider.grant(doors.payee)["session_token"] for _ in range(20)]
    assert len({*keys, *tokens}) == 40
    assert all(re.fullmatch(r"fbx_admin_[0-9a-f]{48}", key) for key in keys)
    assert all(re.fullmatch(r"ps_[0-9a-f]{48}", token) for token in tokens)


def test_lines_93_and_94_the_log_of_a_server(tmp_path: Path) -> None:
    """A server with its whole log on, asked for everything: no secret and no raw control character is in it."""
    process = ServerProcess(tmp_path / "logged", log_format="json", log_level="debug")
    try:
        process.start()
        live = AtAPort(process)
        secrets = flow(live)
        for path in ("/v1/wallets/%0d%0aINJECTED", "/v1/%1b[31mred", "/%e2%80%ae", "/v1/wallets?a=%0aINJECTED"):
            live.admin.get(path)
        assert process.postgres()
        process.signal_postgres(9)  # so that something is logged at all
        httpx.get(f"{process.url}/ready")
        live.admin.get(f"/v1/wallets/{'1' * 15}0")
        assert process.stop() == 0
    finally:
        process.clean_up()
    written = process.log.read_bytes()
    for secret in (*secrets, "0123456789abcdef0123456789abcdef", "ab" * 32):
        assert secret.encode() not in written
    assert b"\x1b" not in written
    assert b"\nINJECTED" not in written
    lines = [line for line in written.splitlines() if line.startswith(b"{")]
    assert lines
    for line in lines:
        assert {"event", "level", "timestamp"} <= json.loads(line).keys()


class AtAPort(Live):
    """A server of another process, asked as one of this."""

    def __init__(self, process: ServerProcess) -> None:
        self.url = process.url
        self.port = process.port
        self.admin = process.admin()


SECRETS = [
    f"pk_live_acme_{'0a' * 24}",
    f"pk_live_with-hyphen-1_{'0a' * 24}",
    f"pk_test_acme_{'0a' * 24}",
    f"ok_live_{'0a' * 24}",
    f"fbx_admin_{'0a' * 24}",
    f"ps_{'0a' * 24}",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "around", ["{}", "key={}", "Bearer {}", "/v1/x?key={}&a=b", '{{"k":"{}"}}', "'{}'", "x{}", "{}{}", "%20{}", "_{}"]
)
def test_line_94_secrets_are_cut_out_of_a_log(secret: str, around: str) -> None:
    random = secret.rpartition("_")[2]
    text = around.format(secret, secret)
    events: list[dict[str, Any]] = [
        {"event": text},
        {"event": "e", "path": text},
        {"event": "e", "nested": {"a": [text, (text,)]}},
        {"event": "e", "error": ValueError(text)},
        {"event": "e", "raw": text.encode()},
        {"event": "e", text: "as a name"},
    ]
    for event in events:
        assert random not in repr(logs.clean(None, "info", dict(event)))


@pytest.mark.parametrize("url", ["postgresql://me:hunter2@db/x", "postgresql://me:p%40ss@db/x", "http://u:p@ss:w@h/"])
def test_line_94_passwords_are_cut_out_of_addresses(url: str) -> None:
    written = repr(logs.clean(None, "info", {"event": f"can't reach {url}"}))
    for password in ("hunter2", "p%40ss", "p@ss:w"):
        assert password not in written


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nb",
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x00",
        "\x08\x7f",
        "\u202e",
        "\u2028",
        "\u200b",
        "\x9b31m",
        "\ud800",
        "\ue000",
    ],
)
def test_line_93_control_characters_are_escaped(text: str) -> None:
    cleaned = logs.clean(None, "info", {"event": text, text: text, "nested": [{"a": text}]})
    for written in (cleaned["event"], cleaned["nested"][0]["a"], *cleaned):
        assert written.isprintable(), written
    assert cleaned["event"].encode()


def test_line_93_a_traceback_keeps_its_lines() -> None:
    cleaned = logs.clean(None, "error", {"event": "e", "exception": "Traceback\n  \x1b[31mpk_live_a_0123456789"})
    assert cleaned["exception"] == "Traceback\n  \\x1b[31mpk_live_…"


def test_line_94_a_traceback_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    password = " ".join(("correct", "horse"))
    with logged("json") as log:
        try:
            raise ValueError(len(password))
        except ValueError:
            log.exception("broken")
    written = capsys.readouterr().err
    assert "ValueError" in written
    assert password not in written


def test_line_93_a_line_for_people_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What a caller sent can't start a line of its own, whichever way it is logged."""
    with logged("console") as log:
        log.warning("asked", path="/a\n2026-01-01 [info] paid", other=["x\ny"])
        logging.getLogger("uvicorn.error").warning("asked %s", "b\nINJECTED")
    written = capsys.readouterr().err
    assert len(written.strip().splitlines()) == 2, written


@contextmanager
def logged(log_format: str) -> Iterator[Any]:
    """Logging set up as a server does; afterwards as it was."""
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    try:
        logs.configure(settings_for(log_format=log_format))
        yield structlog.get_logger()
    finally:
        logging.getLogger().handlers = handlers
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()


def test_no_error_repeats_a_secret(live: Live) -> None:
    doors = Doors(live)
    secret = doors.provider.key
    for answer in (
        live.admin.post("/v1/wallets", json={"asset": secret}),
        live.admin.post("/v1/wallets", json={secret: 1, "asset": "TOKEN"}),
        live.admin.get(f"/v1/wallets/{secret}"),
        live.admin.get(f"/v1/{secret}"),
        doors.provider.api.post("/v1/charges", json={"session_token": secret, "amount": 1}, headers=fresh_key()),
        doors.provider.api.post("/v1/charges", json={"grant": secret, "amount": 1}, headers=fresh_key()),
        doors["charge"].good(Authorization=f"Bearer {secret}x"),
        doors["charge"].send(secret),
        doors["charge"].send(json.dumps({"model": secret, "session_token": doors.token, "usage": {"calls": 1}})),
    ):
        assert answer.status_code >= 400
        assert secret not in answer.text
