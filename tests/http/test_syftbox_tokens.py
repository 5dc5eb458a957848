"""Tokens with bounds, parts of them for others, their list with every draw, their end."""

from typing import Any

import pytest

from tests.http.test_syftbox import refused, transaction
from tests.support.live import Live, ok
from tests.support.people import Somebody


@pytest.fixture
def three(live: Live) -> tuple[Somebody, Somebody, Somebody]:
    """A payer with 100 dollars, a holder, somebody else."""
    return Somebody(live, "100"), Somebody(live), Somebody(live)


Three = tuple[Somebody, Somebody, Somebody]


def tokens(somebody: Somebody) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(somebody.api.get("/tokens"))["tokens"]
    return found


def paid(drawer: Somebody, payer: Somebody, amount: str, token: str, **more: Any) -> dict[str, Any]:
    return transaction(drawer.confirm(transaction(drawer.draw(payer, amount, token, **more))["id"]))


def test_the_bounds_of_a_token_hold(three: Three) -> None:
    payer, holder, _ = three
    token = payer.token(holder, limit=10, limitPerDraw=4.5, services=["chat", "search"])
    refused(holder.draw(payer, "4.500001", token, appName="chat"), 403, "limit_exceeded")
    refused(holder.draw(payer, "1", token), 403, "service_not_allowed")
    refused(holder.draw(payer, "1", token, appName="other"), 403, "service_not_allowed")
    first = paid(holder, payer, "4.5", token, appName="chat")
    second = transaction(holder.draw(payer, "4.5", token, appName="search"))
    refused(holder.draw(payer, "1.000001", token, appName="chat"), 403, "limit_exceeded")
    (listed,) = tokens(payer)
    assert (listed["limit"], listed["limitPerDraw"], listed["spent"], listed["held"]) == (10, 4.5, 4.5, 4.5)
    assert (listed["status"], listed["services"]) == ("ACTIVE", ["chat", "search"])
    assert (listed["senderEmail"], listed["recipientEmail"]) == (payer.email, holder.email)
    assert listed["transactions"] == [second, first]
    assert "token" not in listed
    assert tokens(holder) == [], "it is the payer's"


def test_an_expired_token_draws_nothing(three: Three) -> None:
    payer, holder, other = three
    token = payer.token(holder, expiresInS=1)
    while tokens(payer)[0]["status"] == "ACTIVE":
        pass
    refused(holder.draw(payer, "1", token), 403, "token_expired")
    part = {"recipientEmail": other.email, "token": token}
    refused(holder.api.post("/token/create", json=part), 403, "token_expired")


def test_a_revoked_token_ends_with_all_its_parts(three: Three) -> None:
    payer, holder, other = three
    token = payer.token(holder)
    part = holder.token(other, token=token, limit=5)
    pending = transaction(other.draw(payer, "2", part))
    whole = tokens(payer)[1]
    ended = ok(payer.api.post("/token/revoke", json={"tokenId": whole["id"]}))["token"]
    assert (ended["status"], ended["transactions"]) == ("REVOKED", [pending])
    assert ok(payer.api.post("/token/revoke", json={"tokenId": whole["id"]}))["token"] == ended
    for drawer, secret in ((holder, token), (other, part)):
        refused(drawer.draw(payer, "1", secret), 403, "token_revoked")
    refused(
        holder.api.post("/token/create", json={"recipientEmail": other.email, "token": token}), 403, "token_expired"
    )
    assert transaction(other.confirm(pending["id"]))["status"] == "COMPLETED", "what was held before goes on"
    assert payer.balance == 98


def test_a_part_counts_on_all_that_it_was_made_from(three: Three) -> None:
    payer, holder, other = three
    token = payer.token(holder, limit=10, services=["chat", "search"])
    part = holder.token(other, token=token, limit=8, limitPerDraw=6, services=["chat"])
    drawn = paid(other, payer, "6", part, appName="chat")
    assert (payer.balance, other.balance, holder.balance) == (94, 6, 0), "the payer pays"
    refused(other.draw(payer, "1", part, appName="search"), 403, "service_not_allowed")
    refused(holder.draw(payer, "4.5", token, appName="chat"), 403, "limit_exceeded")
    own = paid(holder, payer, "4", token, appName="chat")
    refused(other.draw(payer, "0.5", part, appName="chat"), 403, "limit_exceeded")
    small, large = tokens(payer)
    assert (small["parentId"], large["parentId"]) == (large["id"], None)
    assert (small["spent"], small["transactions"]) == (6, [drawn])
    assert (large["spent"], large["transactions"]) == (10, [own, drawn])
    assert tokens(holder) == [small]
    assert ok(holder.api.post("/token/revoke", json={"tokenId": small["id"]}))["token"]["status"] == "REVOKED"


@pytest.mark.parametrize(
    "wider",
    [{"limit": 10.000001}, {"limitPerDraw": 5.5}, {"expiresInS": 101}, {"services": ["chat", "other"]}],
    ids=lambda bound: next(iter(bound)),
)
def test_line_57_a_part_is_not_wider_than_the_whole(three: Three, wider: dict[str, Any]) -> None:
    payer, holder, other = three
    bounds = {"limit": 10, "limitPerDraw": 5, "expiresInS": 100, "services": ["chat"]}
    part = {"recipientEmail": other.email, "token": payer.token(holder, **bounds)}
    refused(holder.api.post("/token/create", json=part | wider), 403, "wider_than_parent")
    assert ok(holder.api.post("/token/create", json=part | bounds | {"expiresInS": 90}))["token"]
    assert tokens(holder)[0]["limit"] == 10


def test_line_58_a_chain_that_is_too_long(three: Three) -> None:
    payer, *holders = three
    token, turn = payer.token(holders[0]), 0
    for _ in range(4):
        token = holders[turn].token(holders[1 - turn], token=token)
        turn = 1 - turn
    body = {"recipientEmail": holders[1 - turn].email, "token": token}
    refused(holders[turn].api.post("/token/create", json=body), 422, "chain_too_deep")
    assert paid(holders[turn], payer, "1", token)["status"] == "COMPLETED"


def test_whose_tokens_can_be_parted_and_revoked(three: Three) -> None:
    payer, holder, other = three
    token = payer.token(holder)
    (listed,) = tokens(payer)
    part = {"recipientEmail": payer.email, "token": token}
    refused(other.api.post("/token/create", json=part), 401, "token_unknown")
    refused(holder.api.post("/token/create", json=part), 422, "invalid_request")
    refused(payer.api.post("/token/create", json={"recipientEmail": payer.email}), 422, "invalid_request")
    refused(payer.api.post("/token/create", json={"recipientEmail": "nobody@example.org"}), 404, "not_found")
    for stranger in (holder, other):
        refused(stranger.api.post("/token/revoke", json={"tokenId": listed["id"]}), 404, "not_found")
    for nothing in ("dg_999999999", "dg_0", "x", "gr_1"):
        refused(payer.api.post("/token/revoke", json={"tokenId": nothing}), 404, "not_found")
    assert tokens(payer) == [listed]


@pytest.mark.parametrize(
    "bad",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": 0.0000001},
        {"limit": "1"},
        {"limitPerDraw": True},
        {"expiresInS": 0},
        {"expiresInS": 1.5},
        {"expiresInS": 31_536_001},
        {"services": []},
        {"services": [""]},
        {"services": ["x"] * 101},
        {"services": "chat"},
        {"token": ""},
    ],
    ids=str,
)
def test_bounds_that_are_none(three: Three, bad: dict[str, Any]) -> None:
    payer, holder, _ = three
    refused(payer.api.post("/token/create", json={"recipientEmail": holder.email} | bad), 422, "invalid_request")
    assert tokens(payer) == []


def test_a_token_is_kept_as_a_hash_and_is_no_session(three: Three) -> None:
    payer, holder, _ = three
    token, live = payer.token(holder), payer.live
    assert token.startswith("dt_")
    rows = live.call(live.services.pool.fetch("SELECT g::text AS row FROM grants g"))
    assert not any(token in row["row"] for row in rows)
    answer = live.provider().charge(token, amount=1)
    assert answer.status_code == 404, answer.text
    assert holder.api.get("/tokens", params={"t": token}).status_code == 400, "a secret in an address"
