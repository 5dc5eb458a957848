"""kill -9 at random moments under load: what was acknowledged is there once, what is unknown resolves by its key."""

import asyncio
import random
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
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


class Payer(Struct, frozen=True):
    """A wallet and the session that charges it."""

    wallet: str
    token: str


class Act(Struct, frozen=True):
    """A request that moves or promises money of a wallet, with its key."""

    kind: str
    payer: Payer
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
    """Callers of every kind of ask, some of them for too much, until they are told to stop."""

    def __init__(
        self, server: ServerProcess, payers: list[Payer], bearer: str, envelope: str, dice: random.Random
    ) -> None:
        self._server, self._payers, self._bearer, self._dice = server, payers, bearer, dice
        self._envelope = envelope
        self.stopped = False
        self.done: list[Done] = []

    async def caller(self) -> None:
        """One act after the other; each is sent again under its key until it is settled."""
        async with Wire(self._server.port) as wire:
            while not self.stopped:
                done = await self.settle(wire, self._next())
                if done.act.kind == "hold" and done.answer.status == 201:
                    await self.settle(wire, self._end_of(done.act.payer, done.answer.json()))

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
        payer = self._dice.choice(self._payers)
        kinds = {"charge": 50, "deposit": 10, "hold": 15, "refund": 10, "transfer": 10, "record": 10, "too much": 5}
        kind = self._dice.choices(list(kinds), list(kinds.values()))[0]
        amount = self._dice.randint(100, 1000)  # more than a charge is ever refunded here, one unit at a time
        charges = [done for done in self.done[-50:] if done.act.kind == "charge" and done.answer.status == 201]
        if kind == "deposit":
            return self._act(kind, payer, f"/v1/wallets/{payer.wallet}/deposits", {"amount": amount}, ADMIN)
        if kind == "record":
            return self._act(kind, payer, f"/v1/envelopes/{self._envelope}/records", {"amount": amount}, ADMIN)
        if kind == "hold":
            body = {"session_token": payer.token, "amount": amount, "expires_in_s": 3600}
            return self._act(kind, payer, "/v1/holds", body)
        if kind == "refund" and charges:
            charge = self._dice.choice(charges)
            path = f"/v1/charges/{charge.answer.json()['id']}/refunds"
            return self._act(kind, charge.act.payer, path, {"amount": 1})
        if kind == "transfer":
            payee = self._dice.choice([other for other in self._payers if other is not payer])
            body = {"from_wallet": payer.wallet, "to_wallet": payee.wallet, "amount": amount}
            return self._act(kind, payer, "/v1/transfers", body, ADMIN)
        if kind == "too much":
            return self._act(kind, payer, "/v1/charges", {"session_token": payer.token, "amount": 10 * DEPOSIT})
        return self._act("charge", payer, "/v1/charges", {"session_token": payer.token, "amount": amount})

    def _end_of(self, payer: Payer, hold: dict[str, Any]) -> Act:
        path = f"/v1/holds/{hold['id']}"
        if self._dice.random() < 0.3:
            return self._act("release", payer, f"{path}/release", {})
        return self._act("capture", payer, f"{path}/capture", {"amount": self._dice.randint(1, hold["amount"])})

    def _act(self, kind: str, payer: Payer, path: str, body: dict[str, Any], bearer: str | None = None) -> Act:
        return Act(kind, payer, path, body, bearer or self._bearer, uuid.uuid4().hex)


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
        payers = [_payer(admin, f"user{number}") for number in range(3)]
        made(admin.post("/v1/organizations", json={"id": "acme", "name": "Acme"}))
        limits = [_envelope(admin, **given) for given in ON_EVERYTHING]
        records = _envelope(admin, organization="acme")
    load = Load(server, payers, bearer, records, dice)
    callers = [asyncio.create_task(load.caller()) for _ in range(CALLERS)]
    try:
        await rounds(server, load, count, dice)
    finally:
        load.stopped = True
        await asyncio.gather(*callers)
    _all_settled(load)
    with server.admin() as admin:
        _reckon_limits(admin, load, limits, records)
    await reckon(server, load, payers)


ON_EVERYTHING: tuple[dict[str, Any], ...] = tuple(
    {"counts": "money", "asset": "TOKEN", "applies_to": on}
    for on in ({"kind": "all"}, {"kind": "provider", "name": "acme"})
)
"""Limits on the operator's side: of everything that is paid, and of what is paid to the provider."""


def _envelope(admin: httpx.Client, **given: Any) -> str:
    body = {"name": "Limit", "limit": 10**17, "period": "YEARLY", **given}
    number: str = made(admin.post("/v1/envelopes", json=body))["id"]
    return number


def _all_settled(load: Load) -> None:
    """Only what asked for too much was refused: the reckoning counts on it."""
    assert any(done.unknown for done in load.done), "no crash met a request"
    assert {done.answer.status for done in load.done if done.act.kind == "too much"} == {402}
    refused = [done for done in load.done if done.act.kind != "too much" and done.answer.status not in (200, 201)]
    assert refused == []


def _reckon_limits(admin: httpx.Client, load: Load, limits: list[str], records: str) -> None:
    """Every envelope has counted what was done, and nothing else."""
    expected = {"paid": 0, "charged": 0, "recorded": 0}
    for done in load.done:
        amount = int(done.act.body.get("amount", 0))
        expected["recorded"] += amount if done.act.kind == "record" else 0
        expected["paid"] += amount if done.act.kind in ("charge", "capture", "transfer") else 0
        expected["charged"] += amount if done.act.kind in ("charge", "capture") else 0
        for counted in ("paid", "charged"):
            expected[counted] -= amount if done.act.kind == "refund" else 0
    found = [admin.get(f"/v1/envelopes/{number}").json() for number in (*limits, records)]
    assert [(item["total"], item["held"]) for item in found] == [(total, 0) for total in expected.values()]


def _payer(admin: httpx.Client, user: str) -> Payer:
    wallet = made(admin.post("/v1/wallets", json={"asset": "TOKEN"}))["id"]
    made(admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": DEPOSIT, "reference": wallet}))
    terms = {"provider": "acme", "provider_username": user}
    return Payer(wallet, made(admin.post(f"/v1/wallets/{wallet}/grants", json=terms))["session_token"])


async def reckon(server: ServerProcess, load: Load, payers: list[Payer]) -> None:
    """Every answer is still true, every act has happened once, the sums are right and the books are clean."""
    async with Wire(server.port) as wire:
        for done in [*load.done[:200], *(done for done in load.done if done.unknown)]:
            act = done.act
            again = await wire.post(act.path, act.body, authorization=act.bearer, idempotency_key=act.key)
            assert _told(act, again) == _told(act, done.answer)
    expected = {payer.wallet: DEPOSIT for payer in payers}
    for done in load.done:
        _apply(done.act, expected)
    with server.admin() as admin:
        found = [admin.get(f"/v1/wallets/{payer.wallet}").json() for payer in payers]
    assert {wallet["id"]: (wallet["balance"], wallet["held"]) for wallet in found} == {
        wallet: (balance, 0) for wallet, balance in expected.items()
    }
    await reckon_in_the_database(server, load)


async def reckon_in_the_database(server: ServerProcess, load: Load) -> None:
    """Each key is there once, and the audit is clean."""
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


def _told(act: Act, answer: Answer) -> tuple[int, object]:
    """What an answer says that a retry has to say too."""
    if act.kind == "release":  # it shows the hold as it is by now
        return answer.status, answer.json()["id"]
    return answer.status, answer.body if answer.status < 400 else answer.json()["code"]


def _apply(act: Act, balances: dict[str, int]) -> None:
    """What an act did to the wallets' balances."""
    amount = int(act.body.get("amount", 0))
    if act.kind in ("charge", "capture", "transfer"):
        balances[act.payer.wallet] -= amount
    if act.kind in ("deposit", "refund"):
        balances[act.payer.wallet] += amount
    if act.kind == "transfer":
        balances[act.body["to_wallet"]] += amount


async def test_kill_9_of_the_server_and_of_postgres(server: ServerProcess) -> None:
    await story(server, 12, seed=1)


@pytest.mark.slow
async def test_kill_9_a_hundred_times(server: ServerProcess) -> None:
    await story(server, 120, seed=2)
