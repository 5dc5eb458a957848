"""Starting, stopping, several workers on one port, and a database that goes away."""

import asyncio
import os
import pty
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from farebox import app
from farebox.settings import Settings
from tests.support.live import made, ok
from tests.support.processes import ServerProcess, until
from tests.support.rawhttp import Wire


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(directory: Path) -> Iterator[ServerProcess]:
    found = ServerProcess(directory)
    yield found
    found.clean_up()


@pytest.fixture
def several(directory: Path) -> Iterator[ServerProcess]:
    found = ServerProcess(directory, "--workers", "3")
    found.start()
    until(lambda: len(workers(found)) == 2)
    yield found
    found.clean_up()


def workers(server: ServerProcess) -> list[psutil.Process]:
    """The server's child processes that serve too."""
    assert server.process is not None
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if _lives(child) and "farebox.workers" in " ".join(child.cmdline())]


def test_sigterm_ends_it_and_the_data_is_there_again(server: ServerProcess) -> None:
    server.start()
    with server.admin() as admin:
        wallet = made(admin.post("/v1/wallets", json={"asset": "USD"}))["id"]
        made(admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": 5, "reference": "a"}))
    assert server.stop() == 0
    assert server.postgres() == []
    server.start()
    with server.admin() as admin:
        assert ok(admin.get(f"/v1/wallets/{wallet}"))["available"] == 5


def test_sigterm_while_it_starts_leaves_nothing_behind(server: ServerProcess, directory: Path) -> None:
    server.start()
    assert server.stop() == 0
    server.spawn()
    until(lambda: bool(server.postgres()))
    assert server.stop() == 0
    assert server.postgres() == []
    server.start()


async def test_sigterm_under_load_loses_no_answer(server: ServerProcess) -> None:
    server.start()
    with server.admin() as admin:
        made(admin.post("/v1/providers", json={"slug": "acme", "name": "Acme"}))
        key = made(admin.post("/v1/providers/acme/keys", json={"name": "k"}))["key"]
        wallet = made(admin.post("/v1/wallets", json={"asset": "USD"}))["id"]
        made(admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": 10**9, "reference": "a"}))
        terms = {"provider": "acme", "provider_username": "u"}
        token = made(admin.post(f"/v1/wallets/{wallet}/grants", json=terms))["session_token"]
    answered = 0

    async def caller() -> None:
        nonlocal answered
        async with Wire(server.port) as wire:
            while True:
                body = {"session_token": token, "amount": 1}
                headers = {"authorization": f"Bearer {key}", "idempotency_key": uuid.uuid4().hex}
                try:
                    answer = await wire.post("/v1/charges", body, **headers)
                except (OSError, EOFError):
                    return
                assert answer.status in (201, 503), answer
                answered += answer.status == 201

    callers = [asyncio.create_task(caller()) for _ in range(16)]
    while answered < 500:
        await asyncio.sleep(0.01)
    assert await asyncio.to_thread(server.stop) == 0
    await asyncio.gather(*callers)
    await asyncio.to_thread(server.start)
    with server.admin() as admin:
        spent = 10**9 - ok(admin.get(f"/v1/wallets/{wallet}"))["available"]
    # A connection may be closed between the commit and the answer, never the other way round.
    assert answered <= spent <= answered + len(callers)


def test_a_second_server_on_the_same_data_joins_its_database(server: ServerProcess, directory: Path) -> None:
    server.start()
    second = ServerProcess(directory)
    try:
        second.start()
        with server.admin() as one, second.admin() as two:
            wallet = made(one.post("/v1/wallets", json={"asset": "USD"}))["id"]
            assert ok(two.get(f"/v1/wallets/{wallet}"))["id"] == wallet
        postmaster = server.postgres()[0]
        assert server.stop() == 0
        assert second.is_ready()
        assert _lives(postmaster), "whoever leaves first leaves the database running"
        assert second.stop() == 0
        assert not _lives(postmaster), "whoever leaves last stops it"
    finally:
        second.clean_up()


def test_two_servers_that_start_at_once_on_nothing(directory: Path) -> None:
    """One database, one schema, one secret key: whoever comes second finds it."""
    own = ServerProcess(directory, secret_key="")
    second = ServerProcess(directory, secret_key="")
    try:
        own.spawn()
        second.spawn()
        own.wait_ready()
        second.wait_ready()
        assert own.alive()
        assert second.alive()
        with own.admin() as one, second.admin() as two:
            wallet = made(one.post("/v1/wallets", json={"asset": "USD"}))["id"]
            assert ok(two.get(f"/v1/wallets/{wallet}"))["id"] == wallet
        assert sorted(path.name for path in directory.glob("secret.key*")) == ["secret.key"]
    finally:
        for each in (own, second):
            each.clean_up()


async def test_workers_share_the_port_and_the_books(several: ServerProcess) -> None:
    with several.admin() as admin:
        made(admin.post("/v1/providers", json={"slug": "acme", "name": "Acme"}))
        made_key = made(admin.post("/v1/providers/acme/keys", json={"name": "k"}))
        wallet = made(admin.post("/v1/wallets", json={"asset": "USD"}))["id"]
        made(admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": 300, "reference": "a"}))
        terms = {"provider": "acme", "provider_username": "u"}
        token = made(admin.post(f"/v1/wallets/{wallet}/grants", json=terms))["session_token"]
    headers = {"authorization": f"Bearer {made_key['key']}"}

    async def charges(count: int, expected: tuple[int, ...]) -> list[int]:
        async with Wire(several.port) as wire:
            body = {"session_token": token, "amount": 1}
            found = [
                (await wire.post("/v1/charges", body, **headers, idempotency_key=uuid.uuid4().hex)).status
                for _ in range(count)
            ]
            assert set(found) <= set(expected), found
            return found

    # Connections are spread over the processes by the kernel: many of them reach each.
    done = await asyncio.gather(*(charges(10, (201, 402)) for _ in range(40)))
    assert sum(status == 201 for found in done for status in found) == 300

    with several.admin() as admin:
        made(admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": 300, "reference": "b"}))
        assert admin.delete(f"/v1/providers/acme/keys/{made_key['id']}").status_code == 204
    await asyncio.gather(*(charges(2, (401,)) for _ in range(40)))  # at once, on every worker


async def test_a_new_price_counts_on_every_worker_at_once(several: ServerProcess) -> None:
    with several.admin() as admin:
        made(admin.post("/v1/providers", json={"slug": "acme", "name": "Acme"}))
        key = made(admin.post("/v1/providers/acme/keys", json={"name": "k"}))["key"]
        wallet = made(admin.post("/v1/wallets", json={"asset": "USD"}))["id"]
        made(admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": 10**9, "reference": "a"}))
        terms = {"provider": "acme", "provider_username": "u"}
        token = made(admin.post(f"/v1/wallets/{wallet}/grants", json=terms))["session_token"]

        async def amounts() -> set[int]:
            async def charge() -> int:
                async with Wire(several.port) as wire:
                    body = {"session_token": token, "model": "m", "usage": {"input_tokens": 1000}}
                    headers = {"authorization": f"Bearer {key}", "idempotency_key": uuid.uuid4().hex}
                    answer = await wire.post("/v1/charges", body, **headers)
                    assert answer.status == 201, answer
                    return int(answer.json()["amount"])

            # Connections are spread over the processes by the kernel: many of them reach each.
            return set(await asyncio.gather(*(charge() for _ in range(40))))

        for price, amount in (("0.001", 1_000_000), ("0.002", 2_000_000), ("0.0005", 500_000)):
            made(admin.put("/v1/prices/acme/m", json={"asset": "USD", "input_token": price}))
            assert await amounts() == {amount}


def test_workers_end_with_their_parent(several: ServerProcess) -> None:
    orphans = workers(several)
    several.kill()
    until(lambda: not any(_lives(orphan) for orphan in orphans))


def test_without_its_database_it_is_not_ready_and_comes_back(server: ServerProcess) -> None:
    server.start()
    with server.admin() as admin:
        wallet = made(admin.post("/v1/wallets", json={"asset": "USD"}))["id"]
        server.signal_postgres(signal.SIGSTOP)
        server.signal_postgres(signal.SIGKILL)
        answers: list[int] = []
        until(lambda: _tried(server, admin, wallet, answers) and answers[-1] == 200)
    assert set(answers) <= {200, 503}


def test_health_does_not_need_the_database(server: ServerProcess) -> None:
    server.start()
    server.signal_postgres(signal.SIGSTOP)
    try:
        assert httpx.get(f"{server.url}/health", timeout=5).json() == {"status": "ok"}
    finally:
        server.signal_postgres(signal.SIGCONT)


def test_what_others_leave_in_the_common_directory_stops_nobody(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library that PostgreSQL comes with locks a file there, which belongs to whichever user was first."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    (tmp_path / ".lockfile").mkdir()  # what nobody can open for writing
    server = ServerProcess(directory)
    try:
        server.start()
        assert server.stop() == 0, server.log.read_text()
    finally:
        server.clean_up()


def test_the_end_of_its_terminal_ends_it_in_order(server: ServerProcess) -> None:
    try:
        ours, its = pty.openpty()
    except OSError as error:
        pytest.skip(f"no terminal can be made here: {error}")
    server.spawn_on(its)
    os.close(its)
    server.wait_ready()
    os.close(ours)
    assert server.process is not None
    assert server.process.wait(timeout=60) == 0
    assert not server.postgres()


def test_what_it_says_is_heard_by_nobody_and_it_serves(server: ServerProcess) -> None:
    server.log = Path("/dev/full")
    server.start()
    before = server.postgres()
    server.signal_postgres(signal.SIGKILL)
    until(lambda: server.postgres() and server.postgres()[0] != before[0])
    server.wait_ready()  # who brings it back says so first
    assert server.stop() == 0


def test_without_standard_streams_it_serves(server: ServerProcess) -> None:
    server.spawn_without_streams()
    server.wait_ready()
    assert server.process is not None
    opened = {str(Path(f"/proc/{server.process.pid}/fd/{number}").readlink()) for number in (0, 1, 2)}
    assert opened == {os.devnull}, "no socket has their numbers"
    assert server.stop() == 0


def test_nohup_keeps_it_running(server: ServerProcess) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does; children inherit it
    try:
        server.start()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert server.is_ready()
    assert server.stop() == 0


def test_it_refuses_to_start_on_a_newer_schema(server: ServerProcess) -> None:
    server.start()
    _in_database(server, "UPDATE alembic_version SET version_num = '9999'")
    assert server.stop() == 0
    server.spawn()
    assert server.process is not None
    assert server.process.wait(timeout=60) == 1
    said = server.log.read_text()
    assert "too old" in said
    assert "Traceback" not in said


def test_it_refuses_another_secret_key(server: ServerProcess, directory: Path) -> None:
    server.start()
    assert server.stop() == 0
    other = ServerProcess(directory, secret_key="cd" * 32)
    other.spawn()
    assert other.process is not None
    assert other.process.wait(timeout=60) == 1
    assert "secret" in other.log.read_text()


@pytest.mark.parametrize("text", ["", "abc", "cd" * 31, "not hexadecimal", "\x80"])
def test_it_refuses_a_file_that_holds_no_secret_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secret.key"
    path.write_text(text, "latin-1")
    with pytest.raises(app.WrongSecret, match="64 hexadecimal digits"):
        app.secret_of(Settings(data_dir=str(tmp_path)))
    assert path.read_text("latin-1") == text


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("fsync", "off", "fsync is off"),
        ("synchronous_commit", "off", "synchronous_commit is off"),
        (
            "default_transaction_isolation",
            "'repeatable read'",
            "ALTER DATABASE farebox SET default_transaction_isolation",
        ),
    ],
)
def test_it_refuses_a_database_that_forgets_or_fails(
    directory: Path, server: ServerProcess, setting: str, value: str, said: str
) -> None:
    server.start()
    _in_database(server, f"ALTER SYSTEM SET {setting} = {value}")
    assert server.stop() == 0
    config = directory / "postgres" / "farebox.conf"
    server.spawn()
    assert server.process is not None
    assert server.process.wait(timeout=60) == 1, config.read_text()
    assert said in " ".join(server.log.read_text().split())
    brave = ServerProcess(directory, allow_unsafe_database="true")
    try:
        brave.start()
        assert "database.unsafe" in brave.log.read_text()
    finally:
        brave.clean_up()


def _tried(server: ServerProcess, admin: httpx.Client, wallet: str, answers: list[int]) -> bool:
    assert server.alive()
    answers.append(admin.get(f"/v1/wallets/{wallet}").status_code)
    return True


def _in_database(server: ServerProcess, statement: str) -> None:
    import asyncpg

    from farebox.db.embedded import EmbeddedPostgres

    async def run() -> None:
        postgres = EmbeddedPostgres(server.data_dir)
        postgres.start()
        conn = await asyncpg.connect(postgres.url("postgres"))
        await conn.execute(statement)
        await conn.close()
        postgres.stop()

    asyncio.run(run())


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_log_names_no_secret(server: ServerProcess) -> None:
    server.start()
    with server.admin() as admin:
        made(admin.post("/v1/providers", json={"slug": "acme", "name": "Acme"}))
        key = made(admin.post("/v1/providers/acme/keys", json={"name": "k"}))["key"]
        wallet = made(admin.post("/v1/wallets", json={"asset": "USD"}))["id"]
        terms = {"provider": "acme", "provider_username": "u"}
        token = made(admin.post(f"/v1/wallets/{wallet}/grants", json=terms))["session_token"]
        admin.get(f"/v1/wallets/{wallet}?key={key}")
    server.stop()
    said = server.log.read_text()
    for secret in (key, token, str(os.environ.get("FAREBOX_ADMIN_KEY", "fbx_admin_0123456789abcdef"))):
        assert secret not in said
