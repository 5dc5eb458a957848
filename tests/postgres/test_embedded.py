"""The embedded PostgreSQL: shared by processes, killed, started by several at once."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import psutil
import pytest

from farebox.db.embedded import EmbeddedPostgres, buffers_mib, creating
from tests.support.databases import Databases


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="farebox-test-") as name:
        Path(name).chmod(0o755)  # as root, PostgreSQL runs as another user
        yield Path(name)


def postmaster(directory: Path) -> psutil.Process:
    """Its first process."""
    return psutil.Process(int((directory / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]))


def test_many_that_start_it_at_once_share_one(directory: Path) -> None:
    """As keepers of several servers do when it dies: none takes another's fresh start for something stale."""
    users = [EmbeddedPostgres(directory) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(2):
            list(threads.map(lambda user: user.start(), users))
            first = postmaster(directory)
            assert all(user.is_running() for user in users)
            for process in [first, *first.children(recursive=True)]:
                process.send_signal(signal.SIGKILL)
            psutil.wait_procs([first], timeout=10)
        list(threads.map(lambda user: user.start(), users))
        last = postmaster(directory)
        list(threads.map(lambda user: user.stop(), users[:3]))
        assert users[3].is_running()
        assert postmaster(directory) == last
        users[3].stop()
    assert not users[3].is_running()


def test_the_environment_is_that_of_other_databases(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"LANG": "xx_XX.UTF-8", "LC_CTYPE": "UTF-8", "LC_ALL": "nowhere", "PGPORT": "1", "PGSSLMODE": "verify-full"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    postgres = EmbeddedPostgres(directory)

    async def asked() -> list[str]:
        conn = await asyncpg.connect(postgres.url("postgres", "postgres"))
        await conn.execute(creating())
        await conn.close()
        conn = await asyncpg.connect(postgres.url("postgres"))
        words = "SELECT lower(word) FROM unnest(ARRAY['b', 'Ä', 'B', 'a', 'É']) word ORDER BY word"
        found = [row[0] for row in await conn.fetch(words)]
        await conn.close()
        return found

    try:
        postgres.start(wait_s=5)
        assert asyncio.run(asked()) == ["b", "a", "b", "ä", "é"]
    finally:
        postgres.stop()
    assert {name: os.environ[name] for name in given} == given


@pytest.mark.parametrize("name", ["with space", "ada's", 'a"b', "a;b", "$HOME", "a\\b", "(1)"])
def test_a_path_that_its_start_would_break_at_is_refused_at_once(directory: Path, name: str) -> None:
    with pytest.raises(RuntimeError, match="its path has a"):
        EmbeddedPostgres(directory / name)
    assert not (directory / name).exists()


def test_while_one_starts_or_stops_it_others_wait(directory: Path) -> None:
    postgres = EmbeddedPostgres(directory)
    postgres.start()
    postgres.stop()
    with ThreadPoolExecutor(1) as threads:
        with (directory / "postgres.lock").open("ab") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            started = threads.submit(postgres.start)
            with pytest.raises(TimeoutError):
                started.result(timeout=1)
            assert not postgres.is_running()
        started.result(timeout=60)
    assert postgres.is_running()
    postgres.stop()


def test_only_its_own_user_gets_in(directory: Path) -> None:
    """Its socket asks for no password, so it lies where nobody else comes."""
    postgres = EmbeddedPostgres(directory)
    postgres.start()
    try:
        socket_dir = Path(postgres.url().split("host=")[1].split("&")[0])
        assert socket_dir.stat().st_mode & 0o077 == 0
        assert not any(
            connection.status == psutil.CONN_LISTEN for connection in postmaster(directory).net_connections()
        )
    finally:
        postgres.stop()


STARTS_IT = """
import pathlib, sys
from farebox.db.embedded import EmbeddedPostgres, buffers_mib
from tests.support.databases import Databases
EmbeddedPostgres(pathlib.Path(sys.argv[1])).start()
"""


def test_a_first_start_that_is_killed_leaves_nothing_half_made(directory: Path) -> None:
    orphans: list[psutil.Process] = []
    for so_far in ("PG_VERSION", "global/pg_control", "postgresql.conf"):
        starting = subprocess.Popen([sys.executable, "-c", STARTS_IT, str(directory)])
        give_up = time.monotonic() + 60
        while not [*directory.glob(f"postgres.new-*/{so_far}")]:
            assert time.monotonic() < give_up
            assert starting.poll() is None
            time.sleep(0.001)
        family = [*psutil.Process(starting.pid).children(recursive=True), psutil.Process(starting.pid)]
        killed = family[-1:] if so_far == "PG_VERSION" else family
        orphans += [process for process in family if process not in killed]
        for process in killed:
            process.kill()
        starting.wait()
        assert not (directory / "postgres" / "PG_VERSION").exists()
    postgres = EmbeddedPostgres(directory)
    postgres.start()
    try:
        assert asyncio.run(answer(postgres.url("postgres", "postgres"))) == 1
        psutil.wait_procs(orphans, timeout=60)
        EmbeddedPostgres(directory).start()
        assert not [*directory.glob("postgres.new-*")]
    finally:
        postgres.stop()


async def answer(url: str) -> int:
    """What it says to a question."""
    conn = await asyncpg.connect(url)
    try:
        return int(await conn.fetchval("SELECT 1"))
    finally:
        await conn.close()


@pytest.mark.parametrize(
    ("limit", "expected"), [(8 * 2**30, 1024), (2**20, 256)], ids=["an eighth of a container", "never too few"]
)
def test_what_it_keeps_in_memory_fits_where_it_runs(directory: Path, limit: int, expected: int) -> None:
    (directory / "memory.max").write_text(f"{limit}\n")
    usable = psutil.virtual_memory().total // 8 // 2**20
    assert buffers_mib(directory / "memory.max") == max(256, min(expected, usable))
    (directory / "memory.max").write_text("max\n")
    assert buffers_mib(directory / "memory.max") == max(256, min(usable, 2048)) == buffers_mib(directory / "none")


async def test_it_is_started_with_what_it_was_given(postgres: Databases) -> None:
    conn = await asyncpg.connect(postgres.postgres.url("postgres", "postgres"))
    assert (
        await conn.fetchval("SELECT setting::int / 128 FROM pg_settings WHERE name = 'shared_buffers'") == buffers_mib()
    )
    await conn.close()
