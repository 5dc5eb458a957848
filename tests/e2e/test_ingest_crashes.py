"""kill -9 of consumers, of Redis and of PostgreSQL while a recorded trace comes in: each record has one effect."""

import asyncio
import csv
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis as redis_client

from farebox.db.embedded import EmbeddedPostgres
from farebox.ledger.audit import audit
from tests.support.live import SECRET_KEY, ok
from tests.support.offices import DEAD, GROUP, STREAM
from tests.support.processes import ServerProcess, until
from tests.support.redises import RedisProcess, record, redis_process

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "azure_llm_trace_2023_conv.csv"
CONSUMERS = 4
ORGANIZATIONS = ("acme", "globex", "initech")
INPUT, OUTPUT = "0.0037", "0.0149"
"""Credits a token: a record comes to hundredths of a credit, rounded up to a millionth."""
UNITS = 1_000_000


def trace() -> Iterator[tuple[int, int]]:
    """Tokens in and out of recorded requests, over and over."""
    with DATA.open(newline="") as file:
        rows = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)]
    while True:
        yield from rows


def owed(tokens: tuple[int, int]) -> int:
    """What a record comes to in millionths of a credit: no code of the project is used."""
    exact = (tokens[0] * Fraction(INPUT) + tokens[1] * Fraction(OUTPUT)) * UNITS
    return -(-exact.numerator // exact.denominator)


class Sender:
    """Puts the trace onto the stream, malformed records and records twice among it, whatever happens to Redis."""

    def __init__(self, redis: RedisProcess, dice: random.Random) -> None:
        self._redis = redis
        self._dice = dice
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send, name="sender")
        self.sent: dict[str, tuple[str, int]] = {}
        """The organization and the amount of every record that Redis has confirmed."""
        self.malformed: set[str] = set()
        self.failure: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=60)
        assert self.failure is None

    def _send(self) -> None:
        try:
            for number, tokens in enumerate(trace()):
                if self._stopped.is_set():
                    return
                self._one(f"r{number}", self._dice.choice(ORGANIZATIONS), tokens)
                if number % 20 == 0:
                    time.sleep(0.01)
        except BaseException as error:
            self.failure = error

    def _one(self, id_: str, organization: str, tokens: tuple[int, int]) -> None:
        fields = record(organization, id_, tokens[0], completion_tokens=tokens[1], model="trace")
        fields["profile_id"] = f"agent-{tokens[1] % 5}"
        if self._dice.random() < 0.02:
            self._put(fields | {"id": f"bad-{id_}", "prompt_tokens": "many"})
            self.malformed.add(f"bad-{id_}")
        for _ in range(2 if self._dice.random() < 0.05 else 1):
            self._put(fields)
        self.sent[id_] = (organization, owed(tokens))

    def _put(self, fields: dict[str, Any]) -> None:
        while True:
            try:
                with self._redis.client() as client:
                    client.xadd(STREAM, fields)
                return
            except redis_client.RedisError:
                time.sleep(0.02)


class Consumers:
    """`farebox ingest`, as many processes; each is started again where it was killed."""

    def __init__(self, server: ServerProcess, redis: RedisProcess) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
        own = {"REDIS_URL": redis.url, "SECRET_KEY": SECRET_KEY, "DATA_DIR": str(server.data_dir)}
        own |= {"INGEST_CLAIM_IDLE_S": "1", "INGEST_BATCH": "50"}
        self._environ = inherited | {f"FAREBOX_{name}": value for name, value in own.items()}
        self._log = server.data_dir / "ingest.log"
        self._processes = [self._spawn() for _ in range(CONSUMERS)]

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "farebox", "ingest", "--consumers", "1"]
            return subprocess.Popen(command, env=self._environ, stdout=log, stderr=log)

    def kill(self, dice: random.Random) -> None:
        place = dice.randrange(CONSUMERS)
        self._processes[place].kill()
        self._processes[place].wait()
        self._processes[place] = self._spawn()

    def revive(self) -> None:
        """Starts those again that have ended, because the database was gone while they started."""
        self._processes = [self._spawn() if one.poll() is not None else one for one in self._processes]

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def crash(how: str, server: ServerProcess, redis: RedisProcess, consumers: Consumers, dice: random.Random) -> None:
    if how in ("consumer", "all"):
        consumers.kill(dice)
    if how in ("redis", "all"):
        redis.kill()
    if how in ("postgres", "all"):
        server.signal_postgres(signal.SIGKILL)
    if how in ("redis", "all"):
        time.sleep(dice.uniform(0, 0.3))
        redis.start()


def group(redis: RedisProcess) -> dict[str, Any]:
    """How far the consumers are."""
    with redis.client() as client:
        groups: Any = client.xinfo_groups(STREAM) if client.exists(STREAM) else []
    return next((found for found in groups if found["name"] == GROUP), {})


def until_read_on(redis: RedisProcess) -> None:
    """Waits until consumers are at work, so that there is something to interrupt."""
    before = group(redis).get("last-delivered-id")
    until(lambda: group(redis).get("last-delivered-id") not in (None, before), 60)


def done(redis: RedisProcess) -> bool:
    mine = group(redis)
    with redis.client() as client:
        last: Any = client.xrevrange(STREAM, count=1)
    return bool(mine) and mine["pending"] == 0 and last[0][0] == mine["last-delivered-id"]


async def journal(server: ServerProcess) -> tuple[dict[str, tuple[str, int]], bool]:
    """What every record has come to in the books, and whether they are clean."""
    postgres = EmbeddedPostgres(server.data_dir)
    postgres.start()
    conn = await asyncpg.connect(postgres.url())
    try:
        rows = await conn.fetch(
            "SELECT t.key, o.id, -e.amount AS amount FROM transfers t "
            "JOIN organizations o ON o.credit_wallet_id = t.wallet_id "
            "JOIN entries e ON e.wallet_id = t.wallet_id AND e.transfer_id = t.id AND e.account_id = t.wallet_id "
            "WHERE t.kind = 'usage' AND t.refusal IS NULL"
        )
        assert len({row["key"] for row in rows}) == len(rows)
        return {row["key"]: (row["id"], row["amount"]) for row in rows}, (await audit(conn)).clean
    finally:
        await conn.close()
        postgres.stop()


def crashes(directory: Path, rounds: int) -> None:
    dice = random.Random(rounds)
    server = ServerProcess(directory / "data")
    try:
        server.start()
        with redis_process() as redis, server.admin() as admin:
            for one in ORGANIZATIONS:
                ok(admin.post("/tokenvault/v1/wallet/organizations", json={"id": one, "name": one}))
            price = {"asset": "CREDIT", "input_token": INPUT, "output_token": OUTPUT}
            assert admin.put("/v1/prices/*/trace", json=price).status_code == 201
            consumers, sender = Consumers(server, redis), Sender(redis, dice)
            try:
                sender.start()
                for number in range(rounds):
                    until_read_on(redis)
                    time.sleep(dice.uniform(0.1, 0.6))
                    crash(("consumer", "redis", "postgres", "all")[number % 4], server, redis, consumers, dice)
                    consumers.revive()
                sender.stop()
                settle(redis, consumers)
                check(server, redis, sender)
            finally:
                sender.stop()
                consumers.end()
    finally:
        server.clean_up()


def settle(redis: RedisProcess, consumers: Consumers) -> None:
    """Waits until everything is booked."""
    give_up = time.monotonic() + 120
    while not done(redis):
        assert time.monotonic() < give_up
        consumers.revive()
        time.sleep(0.2)


def check(server: ServerProcess, redis: RedisProcess, sender: Sender) -> None:
    found, clean = asyncio.run(journal(server))
    assert found == sender.sent
    assert clean
    with redis.client() as client:
        letters: Any = client.xrange(DEAD)
    assert {fields["id"] for _, fields in letters} == sender.malformed
    assert {fields["farebox_reason"] for _, fields in letters} <= {"bad_field:prompt_tokens"}
    with server.admin() as admin:
        for one in ORGANIZATIONS:
            balance = ok(admin.get(f"/tokenvault/v1/balance/organizations/{one}"))["balance"]
            owed = sum(amount for organization, amount in sender.sent.values() if organization == one)
            assert Fraction(str(balance)) == Fraction(-owed, UNITS)


@pytest.mark.skipif(not DATA.exists(), reason="the recorded trace is not beside the checkout")
def test_a_few_crashes_change_nothing(tmp_path: Path) -> None:
    crashes(tmp_path, 4)


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the recorded trace is not beside the checkout")
def test_many_crashes_change_nothing(tmp_path: Path) -> None:
    crashes(tmp_path, 60)
