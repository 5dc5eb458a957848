"""Two workers that share the wallets, of which one is frozen, killed and started again, under load."""

import asyncio
import contextlib
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import psutil
import pytest

from farebox.db.embedded import EmbeddedPostgres
from farebox.ledger.audit import audit
from tests.support.live import made, ok
from tests.support.processes import ServerProcess, until
from tests.support.rawhttp import Wire

DEPOSIT = 10**9
CALLERS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    found = ServerProcess(tmp_path_factory.mktemp("workers") / "data", "--workers", "2")
    found.start()
    yield found
    found.clean_up()


def other(server: ServerProcess) -> psutil.Process | None:
    """The second worker, if it lives."""
    assert server.process is not None
    for child in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "farebox.workers" in " ".join(child.cmdline()) and child.status() != psutil.STATUS_ZOMBIE:
                return child
    return None


async def figures(wire: Wire) -> dict[str, float]:
    """Of the worker that answers on a connection."""
    await wire.send(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
    lines = (await wire.answer()).body.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


async def wire_to(server: ServerProcess, pid: int) -> Wire:
    """A connection that the kernel has given to this process."""
    began = psutil.Process(pid).create_time()
    async with asyncio.timeout(20):
        while True:
            wire = Wire(server.port)
            if abs((await figures(wire))["process_start_time_seconds"] - began) < 0.05:
                return wire
            wire.close()


class Callers:
    """They charge through one worker, without a pause; who gets no true answer asks again with the same key."""

    def __init__(self, tokens: list[str], bearer: str) -> None:
        self._tokens = tokens
        self._bearer = bearer
        self.charged = dict.fromkeys(tokens, 0)
        self.unknown = 0

    @property
    def done(self) -> int:
        """Charges that were answered, in all."""
        return sum(self.charged.values())

    async def one(self, server: ServerProcess, wire: Wire, number: int) -> None:
        """One caller."""
        key = ""
        while True:
            token = self._tokens[number % len(self._tokens)]
            key = key or uuid.uuid4().hex
            try:
                body = {"session_token": token, "amount": 1}
                answer = await wire.post("/v1/charges", body, authorization=self._bearer, idempotency_key=key)
            except (OSError, EOFError):  # its worker is gone; another one answers
                self.unknown += 1
                continue
            if answer.status == 503:
                self.unknown += answer.json()["code"] == "outcome_unknown"
                await asyncio.sleep(0.05)
                continue
            assert answer.status == 201, answer
            self.charged[token] += 1
            key, number = "", number + 1

    async def progress(self) -> None:
        """Until each has been answered several times more."""
        wanted = self.done + 10 * CALLERS
        async with asyncio.timeout(30):
            while self.done < wanted:
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def through(self, server: ServerProcess, wires: list[Wire]) -> AsyncIterator[None]:
        """While they call."""
        tasks = [asyncio.create_task(self.one(server, wire, number)) for number, wire in enumerate(wires)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(each) for each in found} == {asyncio.CancelledError}, found


@pytest.fixture(scope="module")
def world(server: ServerProcess) -> tuple[dict[str, str], str]:
    """Wallets by their tokens, of both workers, and the provider's key."""
    found = {}
    with server.admin() as admin:
        made(admin.post("/v1/providers", json={"slug": "acme", "name": "Acme"}))
        bearer = f"Bearer {made(admin.post('/v1/providers/acme/keys', json={'name': 'k'}))['key']}"
        for number in range(8):
            wallet = made(admin.post("/v1/wallets", json={"asset": "TOKEN"}))["id"]
            made(admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": DEPOSIT, "reference": wallet}))
            terms = {"provider": "acme", "provider_username": f"user{number}"}
            found[made(admin.post(f"/v1/wallets/{wallet}/grants", json=terms))["session_token"]] = wallet
    return found, bearer


def _until_replaced(server: ServerProcess, ended: psutil.Process) -> None:
    until(lambda: other(server) not in (None, ended))


async def _handing_over(wire: Wire) -> None:
    """Until a worker hands over again."""
    before = (await figures(wire))["farebox_ledger_handed_over_total"]
    async with asyncio.timeout(30):
        while (await figures(wire))["farebox_ledger_handed_over_total"] == before:
            await asyncio.sleep(0.02)


async def test_whatever_becomes_of_an_owner_the_others_charge_on_and_charge_once(
    server: ServerProcess, world: tuple[dict[str, str], str], spent: dict[str, int]
) -> None:
    tokens, bearer = world
    until(lambda: other(server))
    assert server.process is not None
    watcher = await wire_to(server, server.process.pid)
    callers = Callers(list(tokens), bearer)
    wires = [await wire_to(server, server.process.pid) for _ in range(CALLERS)]
    async with callers.through(server, wires):
        await _handing_over(watcher)

        frozen = other(server)
        assert frozen is not None
        frozen.send_signal(signal.SIGSTOP)
        await callers.progress()
        frozen.send_signal(signal.SIGCONT)
        await _handing_over(watcher)

        for end in (signal.SIGKILL, signal.SIGTERM):
            ended = other(server)
            assert ended is not None
            ended.send_signal(end)
            await callers.progress()
            await asyncio.to_thread(_until_replaced, server, ended)
            await _handing_over(watcher)
    assert callers.unknown == 0, "the database was there all the time"
    for wire in (*wires, watcher):
        wire.close()
    await _reckon(server, callers, tokens, spent)


@pytest.fixture
def spent(server: ServerProcess, world: tuple[dict[str, str], str]) -> dict[str, int]:
    """What each token has spent before the test."""
    return _spent(server, world[0])


def _spent(server: ServerProcess, tokens: dict[str, str]) -> dict[str, int]:
    with server.admin() as admin:
        return {
            token: DEPOSIT - ok(admin.get(f"/v1/wallets/{wallet}"))["available"] for token, wallet in tokens.items()
        }


async def _reckon(server: ServerProcess, callers: Callers, tokens: dict[str, str], before: dict[str, int]) -> None:
    """Each charge that was answered has happened once; so have, perhaps, those that nobody waited for any more."""
    for token, spent in _spent(server, tokens).items():
        assert callers.charged[token] <= spent - before[token] <= callers.charged[token] + CALLERS
    postgres = EmbeddedPostgres(server.data_dir)
    postgres.start()
    conn = await asyncpg.connect(postgres.url())
    try:
        report = await audit(conn)
        assert report.clean, report.differences
    finally:
        await conn.close()
        postgres.stop()


async def test_callers_of_a_killed_worker_learn_what_was_done(
    server: ServerProcess, world: tuple[dict[str, str], str], spent: dict[str, int]
) -> None:
    tokens, bearer = world
    until(lambda: other(server))
    killed = other(server)
    assert killed is not None
    callers = Callers(list(tokens), bearer)
    async with callers.through(server, [await wire_to(server, killed.pid) for _ in range(CALLERS)]):
        await callers.progress()
        killed.kill()
        await callers.progress()
    assert callers.unknown, "it had nobody to answer"
    await _reckon(server, callers, tokens, spent)
