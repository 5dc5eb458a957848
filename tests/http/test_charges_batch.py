"""Many charges in one request: each as by itself, in their order."""

import itertools
from typing import Any

import pytest

from tests.support.doors import check_error
from tests.support.live import Live, Provider, made, ok

_numbers = itertools.count(1)


def one(token: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"idempotency_key": f"b{next(_numbers)}", "session_token": token, "amount": amount, **more}


def batch(provider: Provider, *charges: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each."""
    found: list[dict[str, Any]] = ok(provider.api.post("/v1/charges/batch", json={"charges": charges}))["results"]
    return found


@pytest.fixture
def provider(live: Live) -> Provider:
    return live.provider()


def test_each_is_answered_as_by_itself(live: Live, provider: Provider) -> None:
    wallet = live.wallet(100)
    token = provider.grant(wallet, limit=90)["session_token"]
    charges = [one(token, 40), one(token, 60), one("ps_" + "0" * 48, 1), one(token, 30), one(token, 21)]
    found = batch(provider, *charges)
    assert [result["status"] for result in found] == [201, 403, 404, 201, 403]
    assert [result["charge"]["available"] for result in found if result["charge"]] == [60, 30]
    assert [(result["problem"] or {}).get("code") for result in found] == [
        None,
        "grant_limit_exceeded",
        "grant_unknown",
        None,
        "grant_limit_exceeded",
    ]
    assert live.read_wallet(wallet)["balance"] == 30
    again = batch(provider, *charges)
    assert [result["charge"] for result in again] == [result["charge"] for result in found]
    assert [result["replayed"] for result in again] == [True, False, False, True, False]
    assert live.read_wallet(wallet)["balance"] == 30


def test_a_key_is_the_same_alone_and_in_a_batch(live: Live, provider: Provider) -> None:
    wallet = live.wallet(100)
    token = provider.grant(wallet, limit=90)["session_token"]
    charge = one(token, 7)
    twice = batch(provider, charge, charge, {**charge, "amount": 8})
    assert [result["status"] for result in twice] == [201, 201, 422]
    assert [result["replayed"] for result in twice] == [False, True, False]
    assert twice[2]["problem"]["code"] == "idempotency_key_reused"
    alone = provider.api.post(
        "/v1/charges",
        json={"session_token": token, "amount": 7},
        headers={"Idempotency-Key": charge["idempotency_key"]},
    )
    assert made(alone) == twice[0]["charge"]
    assert alone.headers["Idempotent-Replayed"] == "true"
    assert live.read_wallet(wallet)["balance"] == 93


def test_a_hundred_are_charged_in_their_order(live: Live, provider: Provider) -> None:
    wallet = live.wallet(100)
    token = provider.grant(wallet, limit=100)["session_token"]
    found = batch(provider, *(one(token, 1) for _ in range(100)))
    assert [result["charge"]["available"] for result in found] == [*range(99, -1, -1)]


def test_line_31_an_empty_batch(provider: Provider) -> None:
    refused = provider.api.post("/v1/charges/batch", json={"charges": []})
    check_error("", refused, 422)


def test_line_30_a_batch_of_a_million(live: Live, provider: Provider) -> None:
    refused = provider.api.post(
        "/v1/charges/batch",
        content=b'{"charges":[' + b"{}," * 999_999 + b"{}]}",
        headers={"Content-Type": "application/json"},
    )
    check_error("", refused, 413)


def test_more_than_a_hundred_are_none(live: Live, provider: Provider) -> None:
    wallet = live.wallet(2000)
    token = provider.grant(wallet, limit=2000)["session_token"]
    refused = provider.api.post("/v1/charges/batch", json={"charges": [one(token, 1) for _ in range(101)]})
    check_error("", refused, 422)
    assert live.read_wallet(wallet)["balance"] == 2000


@pytest.mark.parametrize(
    "bad",
    [
        {"amount": 0},
        {"amount": 1.5},
        {"idempotency_key": ""},
        {"idempotency_key": "a\u0007"},
        {"idempotency_key": "x" * 256},
        {"idempotency_key": None},
        {"price": 1},
    ],
)
def test_one_that_cannot_be_read_leaves_all_undone(live: Live, provider: Provider, bad: dict[str, Any]) -> None:
    wallet = live.wallet(10)
    token = provider.grant(wallet, limit=10)["session_token"]
    refused = provider.api.post("/v1/charges/batch", json={"charges": [one(token, 1), one(token, 1) | bad]})
    check_error("", refused, 422)
    assert live.read_wallet(wallet)["balance"] == 10


def test_keys_of_the_servers_own_are_refused_alone(live: Live, provider: Provider) -> None:
    wallet = live.wallet(10)
    token = provider.grant(wallet, limit=10)["session_token"]
    found = batch(provider, one(token, 1, idempotency_key="auto:1"), one(token, 1))
    assert [result["status"] for result in found] == [400, 201]


def test_each_counts_as_a_request(make_live: Any, clock: list[float]) -> None:
    live: Live = make_live(requests_per_key_s=20)
    provider = live.provider()
    wallet = live.wallet(1000)
    token = provider.grant(wallet, limit=1000)["session_token"]
    assert len(batch(provider, *(one(token, 1) for _ in range(100)))) == 100
    refused = provider.api.post("/v1/charges/batch", json={"charges": [one(token, 1)]})
    check_error("", refused, 429)
    assert int(refused.headers["Retry-After"]) >= 2
