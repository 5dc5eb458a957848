"""People in the native API: what administrators do, with a line in the audit log for each thing they change."""

import json
import uuid
from typing import Any

import pytest

from tests.http.test_syftbox import transaction
from tests.support.live import Live, fresh_key, made, ok
from tests.support.people import PASSWORD, Somebody, administrator


def a_body(**more: Any) -> dict[str, Any]:
    return {"email": f"{uuid.uuid4().hex}@example.org"} | more


def test_an_account_that_an_administrator_makes(live: Live) -> None:
    body = a_body(organization="Team")
    person = made(live.admin.post("/v1/people", json=body))
    assert (person["email"], person["organization"], person["available"]) == (body["email"], "Team", 0)
    with Somebody.of(live, person["email"], person["password"]).client() as api:
        assert ok(api.get("/user/my-info"))["user"]["id"] == person["id"]
    del person["password"]
    assert ok(live.admin.get(f"/v1/people/{person['id']}")) == person
    assert ok(live.admin.get("/v1/people", params={"email": person["email"].upper()}))["data"] == [person]
    assert live.admin.post("/v1/people", json=body).json()["code"] == "email_taken"
    assert made(live.admin.post("/v1/people", json=a_body(password=PASSWORD)))["password"] is None


def test_a_credit_is_money_like_any_other(live: Live) -> None:
    person = made(live.admin.post("/v1/people", json=a_body()))
    key, body = fresh_key(), {"amount": 2_500_000, "note": "a gift"}
    first = live.admin.post(f"/v1/people/{person['id']}/credits", json=body, headers=key)
    again = live.admin.post(f"/v1/people/{person['id']}/credits", json=body, headers=key)
    assert made(first) == made(again)
    assert again.headers["idempotent-replayed"] == "true"
    assert ok(live.admin.get(f"/v1/people/{person['id']}"))["available"] == 2_500_000
    assert live.read_wallet(person["wallet"])["balance"] == 2_500_000
    (entry,) = ok(live.admin.get(f"/v1/wallets/{person['wallet']}/statement"))["data"]
    assert (entry["counterpart"], entry["note"]) == ("credit", "a gift")
    other = live.admin.post(f"/v1/people/{person['id']}/credits", json={"amount": 1}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_who_did_what_is_written_down(live: Live) -> None:
    """Of the native API and of the dialect, by the key that was used; never a secret."""
    key = made(live.admin.post("/v1/keys", json={"name": "clerk"}))
    clerk, actor = live.client(key["key"]), f"admin/{key['id']}"
    one = made(clerk.post("/v1/people", json=a_body()))
    made(clerk.post(f"/v1/people/{one['id']}/credits", json={"amount": 7}, headers=fresh_key()))
    dialect = live.client(key["key"], "/syftbox")
    other = ok(dialect.post("/user/create", json=a_body()))["user"]
    ok(dialect.post("/user/add-balance", json={"recipientEmail": other["email"], "amount": 0.5}))
    rows = "SELECT action, subject, detail::text AS detail FROM audit_log WHERE actor = $1 ORDER BY id"
    told = [(row["action"], row["subject"], row["detail"]) for row in live.call(live.services.pool.fetch(rows, actor))]
    assert [line[:2] for line in told] == [
        ("person.add", one["id"]),
        ("person.credit", one["id"]),
        ("person.add", other["id"]),
        ("person.credit", other["id"]),
    ]
    assert [json.loads(line[2]).get("amount") for line in told] == [None, 7, None, 500_000]
    assert one["password"] not in str(told)


def test_what_people_change_is_written_down(live: Live) -> None:
    ada, bob = Somebody(live, "1"), Somebody(live)
    ok(ada.api.put("/user/update-organization", json={"organization": "Team"}))
    ada.token(bob)
    token = ok(ada.api.get("/tokens"))["tokens"][0]["id"]
    ok(ada.api.post("/token/revoke", json={"tokenId": token}))
    ok(ada.api.put("/user/update-password", json={"oldPassword": PASSWORD, "newPassword": "another password"}))
    person = ok(administrator(live).get(f"/user/{ada.email}"))["user"]["id"]
    rows = "SELECT action FROM audit_log WHERE actor = $1 ORDER BY id"
    told = live.call(live.services.pool.fetch(rows, f"person:{person.removeprefix('us_')}"))
    assert [row["action"] for row in told] == [
        "person.organization",
        "delegation.add",
        "delegation.revoke",
        "person.password",
    ]


def test_people_by_the_page(make_live: Any) -> None:
    live = make_live()
    people = [made(live.admin.post("/v1/people", json=a_body()))["id"] for _ in range(5)]
    found, cursor = [], None
    while True:
        page = ok(live.admin.get("/v1/people", params={"limit": 2} | ({"cursor": cursor} if cursor else {})))
        found += [person["id"] for person in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == people


@pytest.mark.parametrize(
    "call", ["POST /v1/people", "GET /v1/people", "GET /v1/people/{id}", "POST /v1/people/{id}/credits"]
)
def test_only_administrators(live: Live, call: str) -> None:
    person = made(live.admin.post("/v1/people", json=a_body()))
    method, path = call.format(**person).split()
    body = {"amount": 1} if "credits" in path else a_body()
    answer = live.provider().api.request(method, path, json=body, headers=fresh_key())
    assert (answer.status_code, answer.json()["code"]) == (403, "admin_only")
    assert ok(live.admin.get(f"/v1/people/{person['id']}"))["available"] == 0


def test_who_is_not_there(live: Live) -> None:
    for nobody in ("us_0", "us_999999999", "x", "us_-1", "gr_1"):
        assert live.admin.get(f"/v1/people/{nobody}").status_code == 404
        body = {"amount": 1}
        assert live.admin.post(f"/v1/people/{nobody}/credits", json=body, headers=fresh_key()).status_code == 404
    assert ok(live.admin.get("/v1/people", params={"email": "nobody@example.org"}))["data"] == []


def test_a_payment_is_seen_by_both(live: Live) -> None:
    person = made(live.admin.post("/v1/people", json=a_body(password=PASSWORD)))
    made(live.admin.post(f"/v1/people/{person['id']}/credits", json={"amount": 3_000_000}, headers=fresh_key()))
    ada, bob = Somebody.of(live, person["email"], PASSWORD), Somebody(live)
    transaction(ada.confirm(ada.sent(bob, "1.25")))
    assert ok(live.admin.get(f"/v1/people/{person['id']}"))["available"] == 1_750_000
