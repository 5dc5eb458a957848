"""kill -9 at random moments under load: what was acknowledged is there once, what is unknown resolves by its key."""

import asyncio
import random
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec import Struct

from farebox.db.embedded import EmbeddedPostgres
from farebox.ledger.audit import audit
from tests.support.live import ADMIN_KEY, made
from tests.support.processes import ServerProcess
from tests.support.rawhttp import Answer, Wire

CALLERS = 12
DEPOSIT = 10**12
ADMIN = f"Bearer {ADMIN_KEY}"


class Act(Struct, frozen=True):
    """A request that moves or promises money, with its key."""

    kind: str
    path: str
    body: dict[str, Any]
    bearer: str
    key: str


class Done(Struct, frozen=True):
    """An act and its one answer."""

    act: Act
    answer: Answer
    unknown: int
    """How many times it had been sent without an answer that settles it."""


class Load:
    """Callers that charge, hold, capture, release, refund and deposit until they are told to stop."""

    def __init__(self, server: ServerProcess, wallet: str, bearer: str, token: str, dice: random.Random) -> None:
        self._server, self._wallet, self._bearer, self._token, self._dice = server, wallet, bearer, token, dice
        self.stopped = False
        self.done: list[Done] = []

    async def caller(self) -> None:
        """One act after the other; each is sent again under its key until it is settled."""
        async with Wire(self._server.port) as wire:
            while not self.stopped:
                done = await self.settle(wire, self._next())
                if done.act.kind == "hold" and done.answer.status == 201:
                    await self.settle(wire, self._end_of(done.answer.json()))

    async def settle(self, wire: Wire, act: Act) -> Done:
        """Sends an act until the answer says what became of it."""
        unknown = 0
        while True:
            try:
                async with asyncio.timeout(20):
                    answer = await wire.post(act.path, act.body, authorization=act.bearer, idempotency_key=act.key)
            except (OSError, EOFError, TimeoutError):
                wire.close()
                answer = None
            if answer is not None and answer.status not in (429, 500, 503):
                done = Done(act, answer, unknown)
                self.done.append(done)
                return done
            assert answer is None or answer.status != 500, answer
            unknown += 1
            await asyncio.sleep(0.02)

    def _next(self) -> Act:
        kind = self._dice.choices(["charge", "deposit", "hold", "refund"], [60, 15, 15, 10])[0]
        amount = self._dice.randint(1, 1000)
        charges = [done for done in self.done[-50:] if done.act.kind == "charge" and done.answer.status == 201]
        if kind == "deposit":
            return self._act(kind, f"/v1/wallets/{self._wallet}/deposits", {"amount": amount}, ADMIN)
        if kind == "hold":
            body = {"session_token": self._token, "amount": amount, "expires_in_s": 3600}
            return self._act(kind, "/v1/holds", body, self._bearer)
        if kind == "refund" and charges:
            charge = self._dice.choice(charges).answer.json()
            return self._act(kind, f"/v1/charges/{charge['id']}/refunds", {"amount": 1}, self._bearer)
        return self._act("charge", "/v1/charges", {"session_token": self._token, "amount": amount}, self._bearer)

    def _end_of(self, hold: dict[str, Any]) -> Act:
        path = f"/v1/holds/{hold['id']}"
        if self._dice.random() < 0.3:
            return self._act("release", f"{path}/release", {}, self._bearer)
        amount = self._dice.randint(1, hold["amount"])
        return self._act("capture", f"{path}/capture", {"amount": amount}, self._bearer)

    def _act(self, kind: str, path: str, body: dict[str, Any], bearer: str) -> Act:
        return Act(kind, path, body, bearer, uuid.uuid4().hex)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    found = ServerProcess(tmp_path / "data")
    found.start()
    yield found
    found.clean_up()


def crash(server: ServerProcess, how: str) -> None:
    """One blow. The server comes back by itself from all but its own death."""
    if how in ("server", "both"):
        server.kill()
    if how in ("postgres", "both"):
        server.signal_postgres(signal.SIGKILL)


async def rounds(server: ServerProcess, load: Load, count: int, dice: random.Random) -> None:
    """Crashes under load, each followed by a recovery."""
    for number in range(count):
        await asyncio.sleep(dice.uniform(0.05, 0.5))
        how = ("server", "postgres", "both", "frozen")[number % 4]
        if how == "frozen":
            server.signal_postgres(signal.SIGSTOP)
            await asyncio.sleep(dice.uniform(0.1, 0.5))
            server.signal_postgres(signal.SIGCONT)
        else:
            crash(server, how)
        if not server.alive():
            server.spawn()
        settled = len(load.done)
        await asyncio.to_thread(server.wait_ready)
        async with asyncio.timeout(30):
            while len(load.done) < settled + CALLERS:
                await asyncio.sleep(0.01)


async def story(server: ServerProcess, count: int, seed: int) -> None:
    """The load, the crashes, and then the reckoning."""
    dice = random.Random(seed)
    with server.admin() as admin:
        made(admin.post("/v1/providers", json={"slug": "acme", "name": "Acme"}))
        bearer = f"Bearer {made(admin.post('/v1/providers/acme/keys', json={'name': 'k'}))['key']}"
        wallet = made(admin.post("/v1/wallets", json={"asset": "TOKEN"}))["id"]
        first = {"amount": DEPOSIT, "reference": "first"}
        made(admin.post(f"/v1/wallets/{wallet}/deposits", json=first))
        grant = made(admin.post(f"/v1/wallets/{wallet}/grants", json={"provider": "acme", "provider_username": "u"}))
    load = Load(server, wallet, bearer, grant["session_token"], dice)
    callers = [asyncio.create_task(load.caller()) for _ in range(CALLERS)]
    try:
        await rounds(server, load, count, dice)
    finally:
        load.stopped = True
        await asyncio.gather(*callers)
    await reckon(server, load, wallet)


async def reckon(server: ServerProcess, load: Load, wallet: str) -> None:
    """Every answer is still true, every act has happened once, the sums are right and the books are clean."""
    assert len(load.done) > CALLERS
    assert any(done.unknown for done in load.done), "no crash met a request"
    async with Wire(server.port) as wire:
        for done in [*load.done[:50], *(done for done in load.done if done.unknown)]:
            again = await wire.post(
                done.act.path, done.act.body, authorization=done.act.bearer, idempotency_key=done.act.key
            )
            if done.act.kind != "release":  # its answer shows the hold as it is
                assert (again.status, again.body) == (done.answer.status, done.answer.body)
    accepted = [done for done in load.done if done.answer.status in (200, 201)]
    assert len(accepted) == len(load.done), [done for done in load.done if done not in accepted][:3]
    expected = DEPOSIT + sum(_effect(done) for done in accepted)
    with server.admin() as admin:
        found = admin.get(f"/v1/wallets/{wallet}").json()
    assert (found["balance"], found["held"]) == (expected, 0)
    postgres = EmbeddedPostgres(server.data_dir)
    postgres.start()
    conn = await asyncpg.connect(postgres.url())
    try:
        keys = await conn.fetch("SELECT key, count(*) AS times FROM transfers GROUP BY 1")
        times = {row["key"]: row["times"] for row in keys}
        assert all(times.get(done.act.key) == 1 for done in load.done)
        report = await audit(conn)
        assert report.clean, report.differences
    finally:
        await conn.close()
        postgres.stop()


def _effect(done: Done) -> int:
    """What an act did to the wallet's balance."""
    sign = {"charge": -1, "capture": -1, "deposit": 1, "refund": 1}.get(done.act.kind, 0)
    return sign * int(done.act.body.get("amount", 0))


async def test_kill_9_of_the_server_and_of_postgres(server: ServerProcess) -> None:
    await story(server, 12, seed=1)


@pytest.mark.slow
async def test_kill_9_a_hundred_times(server: ServerProcess) -> None:
    await story(server, 120, seed=2)
