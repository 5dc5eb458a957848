"""PostgreSQL down or its disk full (line 97), a newer schema (line 98): said so, and back by itself."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from farebox.db import migrate
from tests.support.databases import OWNER, Databases
from tests.support.doors import EVERY, Doors, check_error
from tests.support.ledgers import owner
from tests.support.live import Live, live_server, settings_for
from tests.support.processes import until


class Server:
    """A server, and its database as the owner sees it."""

    def __init__(self, postgres: Databases, name: str, live: Live) -> None:
        self.postgres = postgres
        self.name = name
        self.live = live
        self.doors = Doors(live)

    def run(self, *statements: str, database: str | None = None) -> None:
        """Runs statements as the owner."""

        async def main() -> None:
            conn = await asyncpg.connect(self.postgres.postgres.url(OWNER, database or self.name))
            try:
                for statement in statements:
                    await conn.execute(statement)
            finally:
                await conn.close()

        asyncio.run(main())

    def is_ready(self) -> bool:
        with self.live.client(None) as client:
            return client.get("/ready").status_code == 200


@pytest.fixture(scope="module")
def server(postgres: Databases) -> Iterator[Server]:
    name = postgres.fresh()
    with live_server(postgres.url(name), settings_for(deadline_s=0.5)) as live:
        yield Server(postgres, name, live)


def refused(doors: Doors, door: str) -> None:
    answer = doors[door].good()
    check_error(door, answer, 503)
    assert int(answer.headers["retry-after"]) >= 1


def test_line_97_the_database_is_away(server: Server) -> None:
    doors = server.doors
    before = doors.standing()
    server.run(
        f"ALTER DATABASE {server.name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{server.name}'",
        database=OWNER,
    )
    try:
        for door in EVERY:
            refused(doors, door)
        with server.live.client(None) as client:
            check_error("native", client.get("/ready"), 503, code="database_away")
            assert client.get("/health").status_code == 200
            assert client.get("/metrics").status_code == 200
            check_error("conxa", client.get(f"/conxa/wallet/{doors.wallet}"), 503)
        for path in ("/v1/wallets", f"/v1/wallets/{doors.wallet}", "/v1/charges?provider=x"):
            check_error("native", server.live.admin.get(path), 503)
    finally:
        server.run(f"ALTER DATABASE {server.name} ALLOW_CONNECTIONS true", database=OWNER)
    until(server.is_ready)
    until(lambda: doors["charge"].good().status_code == 201)
    for door in EVERY:
        if door != "capture":
            assert doors[door].good().status_code in (200, 201), door
    assert doors.standing() != before


FULL = """
CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$
"""
TABLES = ("transfers", "entries", "audit_log")


def test_line_97_the_disk_is_full(server: Server) -> None:
    """With the error that PostgreSQL gives then, out of a trigger: 503 for whoever writes, reading goes on."""
    doors = server.doors
    before = doors.standing()
    triggers = (f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION disk_full()" for table in TABLES)
    server.run(FULL, *triggers)
    try:
        for door in EVERY:
            refused(doors, door)
        answer = server.live.admin.post("/v1/wallets", json={"asset": "TOKEN"})
        check_error("native", answer, 503)
        assert "No space" not in answer.text
        assert doors.standing() == before
    finally:
        server.run("DROP FUNCTION disk_full CASCADE")
    until(lambda: doors["charge"].good().status_code == 201)


async def set_version(url: str, version: str) -> None:
    conn = await owner(url)
    try:
        await conn.execute("UPDATE alembic_version SET version_num = $1", version)
    finally:
        await conn.close()


def test_line_98_an_old_program_on_a_newer_schema(database: str, tmp_path: Path) -> None:
    """It refuses to start, says what to do, and changes nothing."""
    asyncio.run(set_version(database, "9999"))
    with pytest.raises(migrate.NewerSchema):
        asyncio.run(migrate.migrate(database))
    environment = {"FAREBOX_DATABASE_URL": database, "FAREBOX_PORT": "0", "FAREBOX_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "farebox", "serve"]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode != 0
    assert "9999" in found.stderr + found.stdout
    assert "upgrade" in found.stderr + found.stdout
    assert "Traceback" not in found.stderr


def test_line_98_a_schema_that_becomes_newer_while_it_runs(database: str) -> None:
    """It goes on with what it has begun, and asks to be replaced."""
    with live_server(database, settings_for()) as live:
        asyncio.run(set_version(database, "9999"))
        with live.client(None) as client:
            answer = client.get("/ready")
        check_error("native", answer, 503, code="wrong_schema")
        assert int(answer.headers["retry-after"]) >= 1


DOORS = ("charge", "conxa", "knai")


async def flood(doors: Doors, count: int) -> list[httpx.Response]:
    """Charges through every door in turn, all at once."""
    async with httpx.AsyncClient(timeout=30) as client:
        asks = []
        for number in range(count):
            door = doors[DOORS[number % 3]]
            url = str(door.client.base_url).rstrip("/") + door.path
            headers = dict(door.client.headers) | {door.key_header: f"flood-{number}"}
            asks.append(client.post(url, json=door.body, headers=headers))
        return await asyncio.gather(*asks)


def test_line_96_a_full_queue_says_when_to_come_back(database: str) -> None:
    """Overload is answered at once, with Retry-After, in the caller's own shape, and nothing of it is done."""
    with live_server(database, settings_for(queue_items=1, batch_items=1, writers=1)) as live:
        doors = Doors(live)

        before = doors.standing()[-1]
        answers = asyncio.run(flood(doors, 300))
        done = 0
        for number, answer in enumerate(answers):
            if answer.status_code in (200, 201):
                done += 1
            else:
                check_error(DOORS[number % 3], answer, 503)
                assert int(answer.headers["retry-after"]) >= 1
        assert 0 < done < 300
        assert doors.standing()[-1] == before + done
