"""Rate limits: 429 with Retry-After past them, in bounded memory, and never in the way of an honest caller."""

import tracemalloc
from collections.abc import Callable

import httpx
import pytest

from farebox.errors import TooMany
from farebox.http import limits
from farebox.http.limits import RateLimit
from tests.support.doors import DIALECTS, EVERY, Doors, check_error
from tests.support.live import Live, Provider, settings_for

STATUS = "/providers/session/status"


def dialect(provider: Provider, name: str) -> httpx.Client:
    return provider.conxa() if name == "conxa" else provider.knai()


@pytest.mark.parametrize("name", DIALECTS)
def test_status_calls_beyond_the_limit(make_live: Callable[..., Live], clock: list[float], name: str) -> None:
    live = make_live(polls_per_user_s=0.1)
    provider, other = live.provider(), live.provider()
    client = dialect(provider, name)
    assert client.get(STATUS, params={"provider_username": "a"}).status_code == 200
    for _ in range(3):
        refused = client.get(STATUS, params={"provider_username": "a"})
        check_error(name, refused, 429)
        assert 0 < int(refused.headers["retry-after"]) <= 10
    assert client.get(STATUS, params={"provider_username": "b"}).status_code == 200, "another user"
    assert dialect(other, name).get(STATUS, params={"provider_username": "a"}).status_code == 200, "another provider"


@pytest.mark.parametrize("every_s", [2.0, 1.5, 1.0, 0.1])
def test_an_honest_poller_never_meets_the_limit(clock: list[float], every_s: float) -> None:
    """Nor do eight of its processes that poll for the same user at the same moment."""
    polls = RateLimit(settings_for().polls_per_user_s)
    for _ in range(500):
        for _ in range(8 if every_s >= 1 else 1):
            polls.take("one user")
        clock[0] += every_s


@pytest.mark.parametrize("door", EVERY)
def test_requests_of_a_key_beyond_its_limit(make_live: Callable[..., Live], clock: list[float], door: str) -> None:
    live = make_live(requests_per_key_s=25)
    doors = Doors(live)
    answers = [doors[door].send("[]") for _ in range(80)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    for answer in refused:
        check_error(door, answer, 429)
        assert int(answer.headers["retry-after"]) >= 1


def test_the_limit_of_one_key_is_not_anothers(make_live: Callable[..., Live], clock: list[float]) -> None:
    live = make_live(requests_per_key_s=5)
    one, other = live.provider(), live.provider()
    assert 429 in {one.api.get("/v1/charges").status_code for _ in range(30)}
    assert other.api.get("/v1/charges").status_code == 200


def test_what_was_limited_is_not_stored(make_live: Callable[..., Live], clock: list[float]) -> None:
    """RULES 9: a retry of it is decided, with the same key."""
    live = make_live(requests_per_key_s=15)
    doors = Doors(live)
    key = {"Idempotency-Key": "patient"}
    while doors["charge"].send("[]").status_code != 429:
        pass
    first = doors["charge"].good(**key)
    assert first.status_code == 429
    clock[0] += int(first.headers["retry-after"])
    again = doors["charge"].good(**key)
    assert again.status_code == 201
    assert "idempotent-replayed" not in again.headers


@pytest.mark.parametrize("name", ["native", *DIALECTS])
def test_guesses_beyond_the_limit(make_live: Callable[..., Live], clock: list[float], name: str) -> None:
    """Counted by address; who has a valid key is not in their way."""
    live = make_live(failures_per_address_s=0.1)
    doors = Doors(live)
    door = "charge" if name == "native" else name
    wrong = {"Authorization": "Bearer pk_live_wrong", "X-Provider-API-Key": "pk_live_wrong"}
    answers = [doors[door].good(**wrong) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 429, 429, 429]
    for answer in answers[1:]:
        check_error(name, answer, 429)
        assert int(answer.headers["retry-after"]) >= 1
    assert doors[door].good().status_code in (200, 201)


def test_a_limit_over_time(clock: list[float]) -> None:
    limit = RateLimit(2, burst=4)
    for _ in range(4):
        limit.take("a")
    with pytest.raises(TooMany) as refused:
        limit.take("a")
    assert refused.value.retry_after_s == 1
    for seconds in (0.5, 0.5, 0.5):
        clock[0] += seconds
        limit.take("a")
        with pytest.raises(TooMany):
            limit.take("a")
    clock[0] += 3600
    for _ in range(4):
        limit.take("a")
    with pytest.raises(TooMany):
        limit.take("a")


def test_retry_after_is_when_there_is_one_again(clock: list[float]) -> None:
    limit = RateLimit(0.01, burst=1)
    limit.take("a")
    with pytest.raises(TooMany) as refused:
        limit.take("a")
    assert refused.value.retry_after_s == 100
    clock[0] += 100
    limit.take("a")


def test_no_limit_counts_nothing() -> None:
    limit = RateLimit(0)
    for _ in range(1000):
        limit.take("a")
    assert not limit._buckets


def test_memory_is_bounded() -> None:
    """A million names cost no more than a hundred thousand; those that were quiet longest are forgotten."""
    limit = RateLimit(0.001, burst=1)
    tracemalloc.start()
    try:
        for number in range(limits._BUCKETS):
            limit.take(f"name {number:07}")
        full, _ = tracemalloc.get_traced_memory()
        for number in range(limits._BUCKETS, 2 * limits._BUCKETS):
            limit.take(f"name {number:07}")
        flooded, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(limit._buckets) == limits._BUCKETS
    assert flooded < full * 1.5
    with pytest.raises(TooMany):
        limit.take(f"name {2 * limits._BUCKETS - 1:07}")
    limit.take(f"name {0:07}")


@pytest.mark.parametrize("name", DIALECTS)
def test_a_user_name_that_is_too_long_is_not_remembered(live: Live, name: str) -> None:
    client = dialect(live.provider(), name)
    for username in ("u" * 321, "u" * 5000, ""):
        check_error(name, client.get(STATUS, params={"provider_username": username}), 422)
