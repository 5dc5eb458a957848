"""What docs/operations.md says is done as it says: backup, restore, roles, audit."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from farebox import serve
from tests.support.databases import OWNER, Databases
from tests.support.live import made, ok, settings_for
from tests.support.processes import ServerProcess

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The blocks in one language."""
    return [text for name, text in BLOCKS if name == language]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    found = ServerProcess(tmp_path / "data", secret_key="")
    found.start()
    yield found
    found.clean_up()


def test_every_command_runs_and_a_backup_is_a_server(server: ServerProcess, tmp_path: Path) -> None:
    with server.admin() as admin:
        wallet = made(admin.post("/v1/wallets", json={"asset": "USD"}))["id"]
        made(admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": 7, "reference": "a"}))
    backup = tmp_path / "backup"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FAREBOX_", "PG"))}
    env |= {"FAREBOX_DATA_DIR": str(server.data_dir), "BACKUP": str(backup)}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    script = "set -euo pipefail\n" + "\n".join(blocks("bash"))
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == blocks("text")[0] * 2, "of the server and of its backup"
    assert server.stop() == 0
    restored = ServerProcess(backup, secret_key="")
    try:
        restored.start()
        with restored.admin() as admin:
            assert ok(admin.get(f"/v1/wallets/{wallet}"))["available"] == 7
    finally:
        restored.clean_up()


def test_the_roles_are_all_that_a_database_needs(postgres: Databases) -> None:
    statements = [statement for block in blocks("sql") for statement in block.split(";") if statement.strip()]
    _run(postgres.postgres.url(OWNER, OWNER), *statements)
    try:
        urls = {"database_url": "farebox_app", "migration_url": "farebox_owner"}
        settings = settings_for(**{name: postgres.url("farebox", role) for name, role in urls.items()})
        with serve.database(settings) as found, pytest.raises(asyncpg.InsufficientPrivilegeError):
            _run(found.url(), "UPDATE entries SET amount = 1")
    finally:
        postgres.drop("farebox")
        _run(postgres.postgres.url(OWNER, OWNER), "DROP ROLE farebox_app", "DROP ROLE farebox_owner")


def test_it_names_what_there_is() -> None:
    """Log lines and metrics that the page tells to look for are in the source."""
    source = "".join(path.read_text("utf-8") for path in (ROOT / "src" / "farebox").rglob("*.py"))
    names = re.findall(r"`((?:ledger|postgres|worker|database|farebox_ledger)[._][a-z_]+)`", TEXT)
    assert len(names) > 5
    assert [name for name in names if name not in source] == []
    settings = re.findall(r"FAREBOX_([A-Z_]+)", TEXT)
    assert {name.lower() for name in settings} <= set(settings_for().__struct_fields__)


def _run(url: str, *statements: str) -> None:
    async def main() -> None:
        conn = await asyncpg.connect(url)
        for statement in statements:
            await conn.execute(statement)
        await conn.close()

    asyncio.run(main())
