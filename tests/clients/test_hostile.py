"""The own client behind a hostile server: nothing is charged twice, nothing hangs, nothing undocumented is raised."""

import asyncio
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from farebox import AsyncFarebox, Farebox, Policy
from farebox.client import BadAnswer, FareboxError, Problem, TooMany, Unreachable, Usage
from farebox.testing import (
    ALL,
    BAD_GATEWAY,
    BAD_GATEWAY_AFTER,
    DUPLICATED_ANSWER,
    DUPLICATED_REQUEST,
    HANG,
    LOST_ANSWER,
    RESET,
    TOO_MANY_DATE,
    TOO_MANY_SECONDS,
    TRUNCATED_JSON,
    UNAVAILABLE,
    Fault,
    Hostile,
    delay,
    drip,
    late,
    too_many,
)
from tests.clients.shops import Shop
from tests.support.live import ADMIN_KEY, Live
from tests.support.standin import StandIn

QUICK = Policy(timeout_s=0.5, deadline_s=20, first_pause_s=0.01, longest_pause_s=0.05)
WAITING = (TOO_MANY_SECONDS, TOO_MANY_DATE, UNAVAILABLE)
"""What makes a client wait for a second."""
AT_ONCE = tuple(fault for fault in ALL if fault not in WAITING)
KINDS = (RESET, LOST_ANSWER, BAD_GATEWAY_AFTER, TRUNCATED_JSON, DUPLICATED_ANSWER, DUPLICATED_REQUEST, HANG)
"""One of each kind, for clients that are built on the same core."""


@pytest.fixture
def shop(live: Live) -> Iterator[Shop]:
    with Farebox(live.url, ADMIN_KEY) as admin:
        found = Shop(admin)
        yield found
        found.client.close()


@pytest.fixture
def hostile(live: Live) -> Iterator[Hostile]:
    with Hostile(live.url) as found:
        yield found


@pytest.mark.parametrize("fault", [*ALL, delay(1), late(1), HANG, drip(0.05)], ids=repr)
def test_whatever_happens_it_is_charged_once(shop: Shop, hostile: Hostile, fault: Fault) -> None:
    with Farebox(hostile.url, shop.key, policy=QUICK) as client:
        hostile.plan(None, fault)
        client.charge(shop.token, amount=1)
        done = client.charge(shop.token, amount=10)
        assert (done.amount, client.charge(shop.token, amount=100).amount) == (10, 100)
    assert shop.available() == 1_000_000 - 111


@pytest.mark.parametrize("fault", [*AT_ONCE, HANG], ids=repr)
async def test_the_same_with_asyncio(shop: Shop, hostile: Hostile, fault: Fault) -> None:
    async with AsyncFarebox(hostile.url, shop.key, policy=QUICK) as client:
        hostile.plan(None, fault)
        await client.charge(shop.token, amount=1)
        done = await client.charge(shop.token, amount=10)
        assert (done.amount, (await client.charge(shop.token, amount=100)).amount) == (10, 100)
    assert shop.available() == 1_000_000 - 111


def test_a_meter_settles_through_it_all(shop: Shop, hostile: Hostile) -> None:
    hostile.chance(0.6, seed=7, faults=AT_ONCE)
    with Farebox(hostile.url, shop.key, policy=QUICK) as client:
        for _ in range(15):
            with client.meter(shop.token, model=shop.model, worst=Usage(input_tokens=20)) as m:
                m.used(Usage(input_tokens=10))
            assert m.amount == 15_000
    assert shop.admin.wallets.get(shop.wallet).held == 0
    assert shop.available() == 1_000_000 - 15 * 15_000


def test_many_threads_and_no_answer_is_another_s(shop: Shop, hostile: Hostile) -> None:
    hostile.chance(0.5, seed=3, faults=(*AT_ONCE, late(0.2)))
    amounts = range(1, 81)
    with Farebox(hostile.url, shop.key, policy=QUICK) as client, ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda amount: client.charge(shop.token, amount=amount).amount, amounts))
    assert done == list(amounts)
    assert shop.available() == 1_000_000 - sum(amounts)


async def test_many_tasks_and_no_answer_is_another_s(shop: Shop, hostile: Hostile) -> None:
    hostile.chance(0.5, seed=4, faults=(*AT_ONCE, late(0.2)))
    amounts = range(1, 81)
    async with AsyncFarebox(hostile.url, shop.key, policy=QUICK) as client:
        done = await asyncio.gather(*(client.charge(shop.token, amount=amount) for amount in amounts))
    assert [charged.amount for charged in done] == list(amounts)
    assert shop.available() == 1_000_000 - sum(amounts)


def test_a_connection_with_an_answer_too_many_is_not_used_again(shop: Shop, hostile: Hostile) -> None:
    with Farebox(hostile.url, shop.key, policy=QUICK) as client:
        for amount in range(1, 6):
            hostile.plan(DUPLICATED_ANSWER)
            assert client.charge(shop.token, amount=amount).amount == amount


@pytest.mark.parametrize("fault", [HANG, drip(0.5), delay(120)], ids=repr)
def test_no_call_outlasts_its_deadline(shop: Shop, hostile: Hostile, fault: Fault) -> None:
    """The answer would take many times the deadline, and the bound here is far between."""
    policy = msgspec.structs.replace(QUICK, timeout_s=0.3, deadline_s=0.6)
    hostile.plan(*[fault] * 9)
    began = time.monotonic()
    with Farebox(hostile.url, shop.key, policy=policy) as client, pytest.raises(Unreachable) as raised:
        client.charge(shop.token, amount=1, idempotency_key="deadline")
    assert time.monotonic() - began < 30
    assert raised.value.maybe_done
    shop.client.charge(shop.token, amount=1, idempotency_key="deadline")
    assert shop.available() == 999_999, "the key tells that it had been carried out"


def test_a_server_that_is_gone_after_it_had_the_request_may_have_carried_it_out() -> None:
    """What counts is any attempt, not the last one, which met nobody."""
    server = socket.create_server(("127.0.0.1", 0))
    where = f"127.0.0.1:{server.getsockname()[1]}"

    def die() -> None:
        connection, _ = server.accept()
        server.close()
        connection.recv(65536)
        connection.close()

    policy = msgspec.structs.replace(QUICK, attempts=3)
    with ThreadPoolExecutor(1) as pool, Farebox(f"http://{where}", "key", policy=policy) as client:
        pool.submit(die)
        for maybe_done in (True, False):
            with pytest.raises(Unreachable, match=f"no connection to {where} came about") as raised:
                client.charge("ps_1", amount=1)
            assert raised.value.maybe_done == maybe_done


def test_a_wait_beyond_the_deadline_is_told_and_not_waited_for(shop: Shop, hostile: Hostile) -> None:
    hostile.plan(too_many(lambda: "3600", "AN_HOUR"))
    with Farebox(hostile.url, shop.key) as client, pytest.raises(FareboxError) as raised:
        client.charge(shop.token, amount=1)
    assert isinstance(raised.value, TooMany)
    assert raised.value.retry_after_s == 3600


def test_what_can_not_be_repeated_is_not(shop: Shop, hostile: Hostile) -> None:
    """Opening a wallet has no idempotency key: it is asked again only where it surely did nothing."""
    with Farebox(hostile.url, ADMIN_KEY, policy=QUICK) as admin:
        owner = f"owner of {shop.slug}"
        hostile.plan(LOST_ANSWER)
        with pytest.raises(Unreachable) as lost:
            admin.wallets.open("TOKEN", owner=owner)
        assert lost.value.maybe_done
        hostile.plan(TRUNCATED_JSON)
        with pytest.raises(BadAnswer):
            admin.wallets.open("TOKEN", owner=owner)
        hostile.plan(TOO_MANY_SECONDS)
        admin.wallets.open("TOKEN", owner=owner)
        assert len(list(admin.wallets.list(owner=owner))) == 3


def test_only_documented_errors(shop: Shop, hostile: Hostile) -> None:
    hostile.chance(1.0, seed=5)
    policy = Policy(timeout_s=0.3, deadline_s=0.4, attempts=2, first_pause_s=0.01)
    with Farebox(hostile.url, shop.key, policy=policy) as client:
        for number in range(60):
            try:
                client.charge(shop.token, amount=1, idempotency_key=f"try-{number}")
            except FareboxError as error:
                assert isinstance(error, (Unreachable, BadAnswer, Problem))
        hostile.calm()
        for number in range(60):
            client.charge(shop.token, amount=1, idempotency_key=f"try-{number}")
    assert shop.available() == 1_000_000 - 60


def test_it_tells_what_came(shop: Shop, hostile: Hostile) -> None:
    with Farebox(hostile.url, shop.key, policy=QUICK) as client:
        hostile.plan(RESET, None, BAD_GATEWAY)
        client.charge(shop.token, amount=1)
        client.session(shop.user)
    address = "GET /conxa/providers/session/status?provider_username=" + shop.user
    assert hostile.seen == [
        "POST /v1/charges RESET",
        "POST /v1/charges",
        f"{address} BAD_GATEWAY",
        address,
    ]


def test_only_some_addresses_meet_faults(live: Live, shop: Shop) -> None:
    with Hostile(live.url + "/conxa", only="/charge") as hostile:
        assert hostile.url.endswith("/conxa")
        hostile.plan(*[RESET] * 3)
        with Farebox(hostile.url.removesuffix("/conxa"), shop.key, policy=QUICK) as client:
            client.session(shop.user)
            client.charge(shop.token, amount=1)
    assert [line.rpartition(" ")[2] for line in hostile.seen if "RESET" in line] == ["RESET"] * 3


def test_connections_are_kept() -> None:
    with StandIn() as server, Farebox(server.url, "k") as client:
        server.answer = {"status": 404, "body": {"code": "not_found", "detail": "none"}}
        for _ in range(5):
            with pytest.raises(Problem):
                client.charges.get("ch_1")
        assert (len(server.asked), len(server._sockets)) == (5, 1)
