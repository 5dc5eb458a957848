"""Holds and captures are answered before the framework: with the answers that the framework gives."""

from typing import Any

import httpx
import pytest

from tests.support.live import Live, Provider, fresh_key, made

ELSEWHERE = "?elsewhere=1"
"""What sends a capture to the framework, which remembers no hold; the call has no such parameter."""
VARIES = {"date", "x-request-id", "content-length"}
BLANK = {"id": None, "request_id": None, "available": None, "remaining": None, "created_at": None}

CAPTURES: dict[str, tuple[int, dict[str, Any]]] = {
    "some of it": (201, {"amount": 40}),
    "all of it": (201, {}),
    "more than it": (422, {"amount": 101}),
    "a model without a price": (422, {"model": "none", "usage": {"calls": 1}}),
    "usage of no model": (422, {"usage": {"calls": 1}}),
    "both": (422, {"usage": {"calls": 1}, "model": "none", "amount": 1}),
    "a member that is none": (422, {"amounts": 1}),
}


@pytest.fixture(scope="module")
def provider(live: Live) -> Provider:
    return live.provider()


@pytest.fixture(scope="module")
def token(live: Live, provider: Provider) -> str:
    found: str = provider.grant(live.wallet(100_000))["session_token"]
    return found


def hold_of(provider: Provider, token: str) -> str:
    body = {"session_token": token, "amount": 100}
    found: str = made(provider.api.post("/v1/holds", json=body, headers=fresh_key()))["id"]
    return found


def told(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """An answer, but for what differs from one to the next."""
    headers = {name: value for name, value in answer.headers.items() if name not in VARIES}
    return answer.status_code, headers, answer.json() | BLANK


@pytest.mark.parametrize("what", CAPTURES)
def test_both_ways_capture_the_same(provider: Provider, token: str, what: str) -> None:
    status, body = CAPTURES[what]
    answers = []
    for where in ("", ELSEWHERE):
        address = f"/v1/holds/{hold_of(provider, token)}/capture{where}"
        key = fresh_key()
        answers.append([told(provider.api.post(address, json=body, headers=key)) for _ in range(2)])
    assert answers[0] == answers[1]
    assert answers[0][0][0] == status
    assert (answers[0][1][1].get("idempotent-replayed") == "true") == (status == 201)


@pytest.mark.parametrize("where", ["", ELSEWHERE])
def test_a_hold_of_somebody_else_is_not_there(live: Live, provider: Provider, token: str, where: str) -> None:
    hold = hold_of(provider, token)
    stranger = live.provider().api
    theirs = stranger.post(f"/v1/holds/{hold}/capture{where}", json={}, headers=fresh_key())
    nobodys = stranger.post(f"/v1/holds/hd_0/capture{where}", json={}, headers=fresh_key())
    assert told(theirs) == told(nobodys)
    assert theirs.status_code == 404
    assert live.admin.post(f"/v1/holds/{hold}/capture{where}", json={}, headers=fresh_key()).status_code == 201


def test_a_key_that_is_revoked_captures_no_more(live: Live, provider: Provider, token: str) -> None:
    hold = hold_of(provider, token)
    key = made(live.admin.post(f"/v1/providers/{provider.slug}/keys", json={"name": "another"}))
    api = live.client(key["key"])
    assert api.post(f"/v1/holds/{hold_of(provider, token)}/capture", json={}, headers=fresh_key()).is_success
    assert live.admin.delete(f"/v1/providers/{provider.slug}/keys/{key['id']}").is_success
    for body in ({}, {"amount": 101}, {"amounts": 1}):
        refused = api.post(f"/v1/holds/{hold}/capture", json=body, headers=fresh_key())
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert api.post("/v1/holds", json={"session_token": token, "amount": 1}, headers=fresh_key()).status_code == 401


def test_what_costs_nothing_is_held_and_captured_like_anything_else(live: Live, provider: Provider) -> None:
    live.price("free", provider.slug, input_token="0")
    wallet = live.wallet(1)
    token = provider.grant(wallet)["session_token"]
    body = {"session_token": token, "model": "free", "usage": {"input_tokens": 5}}
    hold = made(provider.api.post("/v1/holds", json=body, headers=fresh_key()))
    assert (hold["amount"], hold["available"]) == (1, 0)
    used = {"model": "free", "usage": {"input_tokens": 3}}
    taken = made(provider.api.post(f"/v1/holds/{hold['id']}/capture", json=used, headers=fresh_key()))
    assert (taken["amount"], taken["available"]) == (0, 1)
    assert live.read_wallet(wallet)["held"] == 0
