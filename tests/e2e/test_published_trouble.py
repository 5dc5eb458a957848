"""The published clients when things go wrong: too many calls, a server that is away, a database that is away."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.contracts import close_database, open_database
from tests.support.databases import Databases
from tests.support.live import Live, live_server, settings_for
from tests.support.shops import CONXA, ConxaShop, KnaiShop

SLOW_POLLS = 0.5
"""Status calls a second: after one, the next has to wait for two seconds."""


class Town:
    """A database and the port that servers serve it on, one after another."""

    def __init__(self, postgres: Databases) -> None:
        self.postgres = postgres
        self.name = postgres.fresh()
        self.port = 0

    @contextmanager
    def served(self, **settings: Any) -> Iterator[Live]:
        """A server until the block ends; on the port of the one before."""
        with live_server(self.postgres.url(self.name), settings_for(port=self.port, **settings)) as live:
            self.port = live.port
            yield live


@pytest.fixture
def town(postgres: Databases) -> Iterator[Town]:
    found = Town(postgres)
    yield found
    postgres.drop(found.name)


def refused_for_its_rate(call: Callable[[], dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Makes a call until it is refused for its rate; how often it was not, and what the client raised."""
    times, found = 0, call()
    while "raised" not in found and times < 100:
        times, found = times + 1, call()
    assert found.get("raised") == "RateLimitError", found
    assert found["fields"]["retry_after"] in (1, 2)
    return times, found


@pytest.mark.parametrize("release", CONXA)
def test_too_many_polls_back_off_by_retry_after(make_live: Callable[..., Live], release: str) -> None:
    shop = ConxaShop(make_live(polls_per_user_s=SLOW_POLLS), release)
    once = {"provider_username": shop.user, "retry_on_rate_limit": False}
    refused_for_its_rate(lambda: shop.client.call("get_session_status", **once))
    # One more try is all it has: it comes through only because it waits as long as it was told.
    assert shop.client.returned("get_session_status", provider_username=shop.user, max_retries=1)
    shop.client.close()


@pytest.mark.parametrize("release", CONXA)
def test_waiting_for_a_user_outlives_a_rate_limit(make_live: Callable[..., Live], release: str) -> None:
    shop = ConxaShop(make_live(polls_per_user_s=SLOW_POLLS), release)
    shop.client.returned("get_session_status", provider_username=shop.user)
    shop.client.start("wait_for_connection", provider_username=shop.user, timeout=60, poll_interval=1)
    token = shop.granted(shop.live.wallet(1_000))
    found = shop.client.answer()
    shop.client.close()
    assert (found["returned"]["session_token"], found["warnings"]) == (token, [])


@pytest.mark.parametrize("release", CONXA)
def test_a_charge_over_the_rate_was_not_tried(town: Town, release: str) -> None:
    with town.served() as live:
        shop = ConxaShop(live, release)
        wallet = live.wallet(1_000_000)
        token = shop.granted(wallet)
    with town.served(requests_per_key_s=0.5) as live:
        times, found = refused_for_its_rate(lambda: shop.charge(token, 100, 0))
        time.sleep(found["fields"]["retry_after"])
        assert shop.charge(token, 100, 0)["returned"]["approved"]
        assert live.read_wallet(wallet)["available"] == 1_000_000 - (times + 1) * 100_000
    shop.client.close()


@pytest.mark.parametrize("release", CONXA)
def test_a_server_that_was_away_finds_the_session_again(town: Town, release: str) -> None:
    with town.served() as live:
        shop = ConxaShop(live, release)
        wallet = live.wallet(1_000_000)
        token = shop.granted(wallet)
        assert shop.charge(token, 100, 0)["returned"]["approved"]
    found = shop.charge(token, 100, 0, key="again")
    assert found["raised"] == "CONXAError"
    assert "unable to reach" in found["text"]
    assert shop.client.returned("health_check") is False
    with town.served() as live:
        assert shop.client.returned("health_check") is True
        assert shop.charge(token, 100, 0, key="again")["returned"]["approved"]
        assert shop.client.returned("get_session_status", provider_username=shop.user)["session_token"] == token
        assert live.read_wallet(wallet)["available"] == 800_000
    shop.client.close()


@pytest.mark.parametrize("release", CONXA)
def test_a_database_that_was_away_is_an_error_of_its_own(town: Town, release: str) -> None:
    with town.served() as live:
        shop = ConxaShop(live, release)
        wallet = live.wallet(1_000_000)
        token = shop.granted(wallet)
        close_database(town.postgres, town.name)
        found = shop.client.raised("get_session_status", provider_username=shop.user)
        assert (found["raised"], found["fields"]["status_code"]) == ("APIError", 503)
        open_database(town.postgres, town.name)
        assert shop.client.returned("get_session_status", provider_username=shop.user)["session_token"] == token
    shop.client.close()


def test_a_rate_limit_ends_the_waiting_of_the_knai_client(make_live: Callable[..., Live]) -> None:
    shop = KnaiShop(make_live(polls_per_user_s=SLOW_POLLS))
    found = shop.client.raised("wait_for_session", provider_username=shop.user, poll_interval=0.01)
    shop.client.close()
    assert (found["raised"], found["fields"]["status_code"]) == ("KNAIError", 429)


def test_the_knai_client_works_again_when_the_server_does(town: Town) -> None:
    with town.served() as live:
        shop = KnaiShop(live)
        token = shop.provider.grant(live.wallet(10_000))["session_token"]
    assert shop.charge(token, 1)["raised"] == "ConnectionError"
    with town.served():
        assert shop.charge(token, 1)["returned"]["new_balance"] == 9
    shop.client.close()
