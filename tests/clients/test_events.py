"""A wallet's live stream, followed through lost connections."""

import threading
from collections.abc import Iterator

import pytest

from farebox import AsyncFarebox, Farebox, Policy
from farebox.client import BadAnswer, NotFound, Unreachable, following
from farebox.client.types import Balance
from tests.clients.shops import Shop
from tests.support.live import ADMIN_KEY, Live
from tests.support.standin import StandIn

QUICK = Policy(timeout_s=2, deadline_s=1, first_pause_s=0.01)


@pytest.fixture
def shop(live: Live) -> Iterator[Shop]:
    with Farebox(live.url, ADMIN_KEY) as admin:
        found = Shop(admin)
        yield found
        found.client.close()


def test_a_balance_is_told_now_and_after_each_change(shop: Shop) -> None:
    events = shop.admin.wallets.events(shop.wallet)
    first = next(events)
    assert (first.wallet, first.asset, first.available, first.scale) == (shop.wallet, "TOKEN", 1_000_000, 1_000)
    shop.client.charge(shop.token, amount=1_000)
    assert next(events).available == 999_000
    with shop.client.hold(shop.token, amount=2_000) as held:
        assert next(events).held == 2_000
        held.used(amount=500)
    assert next(events).available == 998_500


async def test_the_same_with_asyncio(live: Live, shop: Shop) -> None:
    async with AsyncFarebox(live.url, ADMIN_KEY) as admin:
        events = admin.wallets.events(shop.wallet)
        assert (await anext(events)).available == 1_000_000
        shop.client.charge(shop.token, amount=1_000)
        assert (await anext(events)).available == 999_000


def test_it_goes_on_after_a_lost_connection(live: Live, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "QUIET_S", 0.3)  # no heartbeat comes so soon: each wait ends as a lost connection
    events = shop.admin.wallets.events(shop.wallet)
    assert next(events).available == 1_000_000
    timer = threading.Timer(1, shop.client.charge, (shop.token,), {"amount": 1_000})
    timer.start()
    seen = next(events)
    while seen.available == 1_000_000:
        seen = next(events)
    assert seen.available == 999_000
    timer.join()


def test_what_ends_it(shop: Shop) -> None:
    with pytest.raises(NotFound):
        next(shop.admin.wallets.events("1111222233334444"))
    with Farebox("http://127.0.0.1:9", "k", policy=QUICK) as away, pytest.raises(Unreachable):
        next(away.wallets.events(shop.wallet))
    with StandIn() as other, Farebox(other.url, "k", policy=QUICK) as client:
        other.answer = {"status": 404, "body": ["a page of something else"]}
        with pytest.raises(BadAnswer):
            next(client.wallets.events(shop.wallet))


def test_lines_are_read_as_the_standard_says() -> None:
    found = following.Following("/x", Balance, QUICK)
    text = '{"wallet":"1","asset":"USD","scale":1,"balance":2,\n'
    text += '"held":0,"available":2,"debt":0,"at":"2030-01-01T00:00:00Z"}'
    lines = [": heartbeat", "", "retry: 2000", "id: 7", *(f"data: {part}" for part in text.split("\n"))]
    assert [found.line(line) for line in lines] == [None] * len(lines)
    told = found.line("")
    assert told is not None
    assert told.available == 2
    assert found.request().headers["Last-Event-ID"] == "7"
    found.line("data: 5")
    with pytest.raises(BadAnswer):
        found.line("")
