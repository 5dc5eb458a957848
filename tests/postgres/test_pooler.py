"""pgbouncer in transaction mode between the server and PostgreSQL (RULES 25)."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from farebox.ledger.audit import audit
from tests.support.databases import Databases
from tests.support.live import Live, live_server, settings_for
from tests.support.pgbouncer import PROGRAM, pgbouncer, version
from tests.support.rawhttp import Wire

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")


@contextmanager
def pooled(postgres: Databases, statement_cache: int) -> Iterator[Live]:
    """A server that reaches its database through pgbouncer."""
    name = postgres.fresh()
    with pgbouncer(postgres.url(name)) as url:
        settings = settings_for(statement_cache=statement_cache, writers=3, read_connections=16)
        with live_server(url, settings) as live:
            yield live
    postgres.drop(name)


@pytest.fixture(params=[0, 256])
def live(postgres: Databases, request: pytest.FixtureRequest) -> Iterator[Live]:
    if request.param and PROGRAM is not None and version() < (1, 21):
        pytest.skip("pgbouncer follows prepared statements since 1.21")
    with pooled(postgres, request.param) as found:
        yield found


async def test_reads_and_writes_of_many_share_few_servers(live: Live) -> None:
    provider = live.provider()
    wallets = [live.wallet(1000 + number) for number in range(8)]
    tokens = [provider.grant(wallet)["session_token"] for wallet in wallets]

    async def caller(number: int) -> None:
        wallet, token = wallets[number % 8], tokens[number % 8]
        async with Wire(live.port) as wire:
            for _ in range(10):
                headers = {"authorization": f"Bearer {provider.key}", "idempotency_key": uuid.uuid4().hex}
                answer = await wire.post("/v1/charges", {"session_token": token, "amount": 1}, **headers)
                assert answer.status == 201, answer
                found = await asyncio.to_thread(live.read_wallet, wallet)
                assert found["id"] == wallet, "each reads its own"

    await asyncio.gather(*(caller(number) for number in range(32)))
    assert [live.read_wallet(wallet)["available"] for wallet in wallets] == [960 + number for number in range(8)]
    assert live.call(_clean(live))


async def _clean(live: Live) -> bool:
    async with live.services.pool.acquire() as conn:
        return (await audit(conn)).clean
