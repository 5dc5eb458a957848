"""Our `knai` against a real server: what it has in common with the published client, and what it does better."""

from collections.abc import Iterator
from typing import Any

import pytest

from farebox import Farebox, Policy
from farebox.testing import ALL, LOST_ANSWER, Fault, Hostile
from knai import (
    AsyncKNAIProvider,
    InsufficientBalanceError,
    InvalidAPIKeyError,
    KNAIError,
    KNAIProvider,
    SessionExpiredError,
)
from tests.clients.shops import Shop
from tests.clients.test_hostile import KINDS
from tests.support.live import ADMIN_KEY, Live


@pytest.fixture
def shop(live: Live) -> Iterator[Shop]:
    with Farebox(live.url, ADMIN_KEY) as admin:
        found = Shop(admin)
        yield found
        found.client.close()


@pytest.fixture
def provider(live: Live, shop: Shop) -> Iterator[KNAIProvider]:
    with KNAIProvider(shop.key, shop.slug, live.url + "/knai") as found:
        yield found


def test_a_session_and_its_charge(provider: KNAIProvider, shop: Shop) -> None:
    session = provider.wait_for_session(shop.user)
    assert session["session_token"] == shop.token
    result = provider.charge(session["session_token"], 15, "gpt-4")
    assert (result["approved"], result["charged_tokens"], result["new_balance"]) == (True, 15, 985)
    first = provider.charge(shop.token, 5, "gpt-4", idempotency_key="request-1")
    assert provider.charge(shop.token, 5, "gpt-4", idempotency_key="request-1") == first
    assert shop.available() == 980_000


def test_errors(provider: KNAIProvider, shop: Shop, live: Live) -> None:
    with pytest.raises(InsufficientBalanceError) as poor:
        provider.charge(shop.token, 1001, "gpt-4")
    assert (poor.value.status_code, str(poor.value)[-10:]) == (402, "(HTTP 402)")
    with pytest.raises(SessionExpiredError):
        provider.charge("ps_nothing", 1, "gpt-4")
    with pytest.raises(KNAIError, match="within 0 seconds"):
        provider.wait_for_session("nobody", timeout=0)
    with KNAIProvider(shop.key, "another", live.url + "/knai") as other, pytest.raises(InvalidAPIKeyError):
        other.charge(shop.token, 1, "gpt-4")
    assert shop.key not in repr(provider)


@pytest.mark.parametrize(
    "wrong",
    [
        {"session_token": ""},
        {"amount_tokens": 0},
        {"amount_tokens": 1.5},
        {"amount_tokens": True},
        {"model": ""},
        {"idempotency_key": "a\nb"},
    ],
)
def test_what_can_not_be_charged_never_leaves(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"session_token": "ps_", "amount_tokens": 1, "model": "m"} | wrong
    with KNAIProvider("k", "s", "http://127.0.0.1:9") as provider, pytest.raises(ValueError, match=r"\S"):
        provider.charge(**given)
    for key, slug in (("", "s"), ("k", "")):
        with pytest.raises(ValueError, match="required"):
            KNAIProvider(key, slug)


def test_the_address_is_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert repr(KNAIProvider("k", "s")) == "KNAIProvider('https://api.conx.ai')"
    monkeypatch.setenv("KNAI_API_URL", "http://127.0.0.1:8080/knai/")
    assert repr(KNAIProvider("k", "s")) == "KNAIProvider('http://127.0.0.1:8080/knai')"
    assert repr(KNAIProvider("k", "s", "http://other/")) == "KNAIProvider('http://other')"


@pytest.mark.parametrize("fault", KINDS, ids=repr)
def test_whatever_happens_it_is_charged_once(
    live: Live, shop: Shop, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knai.calls.PATIENCE", Policy(timeout_s=0.5, deadline_s=10))
    with Hostile(live.url + "/knai") as hostile, KNAIProvider(shop.key, shop.slug, hostile.url) as provider:
        hostile.plan(fault)
        assert provider.charge(shop.token, 3, "m")["new_balance"] == 997
        hostile.plan(fault)
        assert provider.wait_for_session(shop.user)["session_token"] == shop.token
    assert shop.available() == 997_000


def test_only_documented_errors(live: Live, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knai.calls.PATIENCE", Policy(timeout_s=0.2, deadline_s=0.2))
    with Hostile(live.url + "/knai") as hostile, KNAIProvider(shop.key, shop.slug, hostile.url) as provider:
        hostile.chance(1.0, seed=12, faults=ALL)
        for number in range(20):
            try:
                provider.charge(shop.token, 1, "m", idempotency_key=f"try-{number}")
            except KNAIError as error:
                assert type(error) is KNAIError
        hostile.calm()
        for number in range(20):
            provider.charge(shop.token, 1, "m", idempotency_key=f"try-{number}")
    assert shop.available() == 980_000


async def test_the_same_with_asyncio(live: Live, shop: Shop) -> None:
    with Hostile(live.url + "/knai") as hostile:
        async with AsyncKNAIProvider(shop.key, shop.slug, hostile.url) as provider:
            hostile.plan(LOST_ANSWER, None, LOST_ANSWER)
            session = await provider.wait_for_session(shop.user, poll_interval=0.1, timeout=30)
            assert (await provider.charge(session["session_token"], 3, "m"))["new_balance"] == 997
            with pytest.raises(InsufficientBalanceError):
                await provider.charge(shop.token, 998, "m", idempotency_key="x")
