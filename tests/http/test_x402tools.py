"""The x402tools dialect over HTTP: what its own client never sends, and what it could not show."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from farebox.http.dialects.x402tools.answers import REFUSALS
from farebox.http.front import Front
from farebox.http.native.paging import PAGE
from farebox.ledger.types import Refusal
from tests.support.live import Live, ok
from tests.support.organizations import Organization


@pytest.fixture(scope="module")
def office(live: Live) -> Organization:
    return Organization(live)


def failed(answer: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """An error in the shape of the dialect."""
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), answer.text
    assert isinstance(body["error"], str)
    if field is not None:
        assert [error["field"] for error in body["errors"]] == [field]
    return body


def test_every_refusal_has_an_answer() -> None:
    assert set(REFUSALS) == set(Refusal)


def test_an_envelope_tells_its_window(office: Organization) -> None:
    found = office.envelope(resetDay=1)
    assert re.fullmatch(r"env_[0-9]+", found["id"])
    assert found["organizationId"] == office.id
    assert (found["used"], found["remaining"]) == (0, 1000)
    now = datetime.now(UTC)
    start, end = datetime.fromisoformat(found["windowStart"]), datetime.fromisoformat(found["windowEnd"])
    assert start == now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    assert end.day == 1
    assert start <= now < end
    assert all(found[name].endswith("Z") for name in ("windowStart", "windowEnd", "createdAt", "updatedAt"))
    assert ok(office.api.get(f"/envelopes/{found['id']}")) == found


def test_a_change_of_some_members(office: Organization) -> None:
    made = office.envelope(resetDay=31)
    assert office.record(made, 600).status_code == 201
    path = f"/envelopes/{made['id']}"
    changed = ok(office.api.put(path, json={"limit": 500}))
    assert (changed["limit"], changed["used"], changed["remaining"], changed["resetDay"]) == (500, 600, 0, 31)
    changed = ok(office.api.put(path, json={"name": "Other", "period": "DAILY"}))
    assert (changed["name"], changed["period"], changed["resetDay"], changed["used"]) == ("Other", "DAILY", None, 600)
    changed = ok(office.api.put(path, json={"period": "WEEKLY", "resetDay": 7}))
    assert (changed["period"], changed["resetDay"]) == ("WEEKLY", 7)
    assert ok(office.api.put(path, json={"resetDay": None}))["resetDay"] is None
    assert ok(office.api.put(path, json={}))["limit"] == 500


def test_over_the_limit_nothing_is_recorded(office: Organization) -> None:
    made = office.envelope(100)
    assert office.record(made, 60).status_code == 201
    body = failed(office.record(made, 41), 402, "USAGE_LIMIT_EXCEEDED")
    assert (body["envelopeId"], body["limit"], body["used"], body["remaining"]) == (made["id"], 100, 60, 40)
    assert body["windowEnd"] == made["windowEnd"]
    assert office.used(made) == 60
    assert len(ok(office.api.get("/usage", params={"envelopeId": made["id"]}))) == 1
    assert office.record(made, 40).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"period": "MONTHLY", "resetDay": 0}, "resetDay"),
        ({"period": "MONTHLY", "resetDay": 32}, "resetDay"),
        ({"period": "WEEKLY", "resetDay": 8}, "resetDay"),
        ({"period": "YEARLY", "resetDay": 367}, "resetDay"),
        ({"period": "DAILY", "resetDay": 1}, "resetDay"),
        ({"period": "MONTHLY", "resetDay": 2**70}, "resetDay"),
        ({"period": "MONTHLY", "resetDay": 1.5}, "resetDay"),
        ({"period": "HOURLY"}, "period"),
        ({"period": "MONTHLY", "name": ""}, "name"),
        ({"period": "MONTHLY", "limit": 0}, "limit"),
        ({"period": "MONTHLY", "limit": -5}, "limit"),
        ({"period": "MONTHLY", "limit": 1.5}, "limit"),
        ({"period": "MONTHLY", "limit": "100"}, "limit"),
        ({"period": "MONTHLY", "limit": True}, "limit"),
        ({"period": "MONTHLY", "limit": 2**63}, "limit"),
    ],
)
def test_what_can_not_be_an_envelope(office: Organization, body: dict[str, Any], field: str) -> None:
    before = ok(office.api.get("/envelopes"))
    answer = office.api.post("/envelopes", json={"name": "x", "limit": 5} | body)
    if body.get("resetDay") == 2**70:
        assert answer.status_code in (400, 422)
    else:
        failed(answer, 422, "VALIDATION_ERROR", field)
    assert "HOURLY" not in answer.text
    assert ok(office.api.get("/envelopes")) == before


@pytest.mark.parametrize("amount", [0, -1, 1.5, 1.0, "5", True, 2**63, None])
def test_what_can_not_be_recorded(office: Organization, amount: Any) -> None:
    made = office.envelope(2**63 - 1)
    failed(
        office.api.post("/usage", json={"envelopeId": made["id"], "amount": amount}), 422, "VALIDATION_ERROR", "amount"
    )
    assert office.used(made) == 0


def test_the_largest_amounts_are_exact(office: Organization) -> None:
    made = office.envelope(2**63 - 1)
    assert office.record(made, 2**53 + 1).json()["amount"] == 2**53 + 1
    rest = 2**63 - 1 - (2**53 + 1)
    assert office.record(made, rest).status_code == 201
    failed(office.record(made, 1), 402, "USAGE_LIMIT_EXCEEDED")
    assert office.used(made) == 2**63 - 1


@pytest.mark.parametrize("metadata", [{}, {"a": {"b": [1, 2.5, None, "ü", 10**30]}}, None])
def test_metadata_comes_back_as_it_was_sent(office: Organization, metadata: Any) -> None:
    made = office.envelope()
    sent = office.record(made, 1, metadata=metadata).json()
    assert sent["metadata"] == metadata
    assert ok(office.api.get("/usage", params={"envelopeId": made["id"]})) == [sent]


@pytest.mark.parametrize(
    "metadata",
    [
        "[]",
        '"x"',
        "7",
        '{"a":"\\ud800"}',
        '{"a":"' + "x" * 17_000 + '"}',
        '{"a":' * 70 + "1" + "}" * 70,
    ],
    ids=["list", "text", "number", "half a surrogate", "too long", "too deep"],
)
def test_what_can_not_be_metadata(office: Organization, metadata: str) -> None:
    made = office.envelope()
    body = f'{{"envelopeId":"{made["id"]}","amount":1,"metadata":{metadata}}}'
    answer = office.api.post("/usage", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert office.used(made) == 0


def test_an_idempotency_key_records_once(office: Organization) -> None:
    made = office.envelope(10)
    first = office.record(made, 7, key="once-" + made["id"])
    again = office.record(made, 7, key="once-" + made["id"])
    assert (again.status_code, again.json()) == (201, first.json())
    assert (again.headers.get("idempotent-replayed"), first.headers.get("idempotent-replayed")) == ("true", None)
    failed(office.record(made, 8, key="once-" + made["id"]), 422, "IDEMPOTENCY_KEY_REUSED")
    refused = office.record(made, 7, key="late-" + made["id"])
    failed(refused, 402, "USAGE_LIMIT_EXCEEDED")
    ok(office.api.put(f"/envelopes/{made['id']}", json={"limit": 100}))
    again = office.record(made, 7, key="late-" + made["id"])
    assert again.json() == refused.json(), "a refusal is an outcome"
    assert office.used(made) == 7
    failed(office.record(made, 1, key="k" * 256), 400, "IDEMPOTENCY_KEY_INVALID")


def test_a_key_is_good_for_one_kind_of_call(office: Organization) -> None:
    made, one, other = office.envelope(), office.wallet(50), office.wallet()
    key = f"shared-{made['id']}"
    assert office.record(made, 1, key=key).status_code == 201
    move = {"from_wallet": one, "to_wallet": other, "amount": 1}
    answer = office.native.post("/v1/transfers", json=move, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_another_organizations_things_are_not_there(office: Organization, live: Live) -> None:
    other = Organization(live)
    made = office.envelope()
    path = f"/envelopes/{made['id']}"
    for answer in (
        other.api.get(path),
        other.api.put(path, json={"limit": 1}),
        other.api.delete(path),
        other.record(made, 1),
        other.api.get("/usage", params={"envelopeId": made["id"]}),
    ):
        assert failed(answer, 404, "NOT_FOUND") == failed(other.api.get("/envelopes/env_99999999"), 404, "NOT_FOUND")
    key = office.api.get("/api-keys").json()[0]
    failed(other.api.delete(f"/api-keys/{key['id']}"), 404, "NOT_FOUND")
    assert ok(other.api.get("/envelopes")) == ok(other.api.get("/usage")) == []
    assert office.used(made) == 0


@pytest.mark.parametrize("name", ["env_0", "env_01", "env_x", "nothing", "env_" + "9" * 30, "key_1", "env_%00"])
def test_ids_that_are_none(office: Organization, name: str) -> None:
    failed(office.api.get(f"/envelopes/{name}"), 404, "NOT_FOUND")
    failed(office.api.delete(f"/api-keys/{name}"), 404, "NOT_FOUND")


def test_who_is_no_organization(office: Organization, live: Live) -> None:
    for key in (None, "ok_live_0123", live.provider().key):
        stranger = live.client(key, "/x402tools")
        failed(stranger.get("/envelopes"), 401, "INVALID_API_KEY")
        failed(stranger.post("/usage", json={"envelopeId": "env_1", "amount": 1}), 401, "INVALID_API_KEY")
    failed(httpx.get(f"{live.url}/x402tools/envelopes", headers=live.admin.headers), 401, "INVALID_API_KEY")
    reader = live.client(office.new_key(scopes=["read"]), "/x402tools")
    assert ok(reader.get("/envelopes")) is not None
    failed(reader.post("/envelopes", json={"name": "x", "limit": 5, "period": "DAILY"}), 403, "SCOPE_MISSING")
    failed(reader.post("/usage", json={"envelopeId": office.envelope()["id"], "amount": 1}), 403, "SCOPE_MISSING")


def test_a_deleted_envelope_is_gone_and_its_records_stay(live: Live) -> None:
    office = Organization(live)
    made = office.envelope()
    office.record(made, 5)
    assert office.api.delete(f"/envelopes/{made['id']}").status_code == 204
    for answer in (office.api.get(f"/envelopes/{made['id']}"), office.api.delete(f"/envelopes/{made['id']}")):
        failed(answer, 404, "NOT_FOUND")
    failed(office.record(made, 1), 404, "NOT_FOUND")
    assert [item["amount"] for item in ok(office.api.get("/usage"))] == [5]
    stats = ok(office.api.get("/usage/stats"))
    assert stats == {"totalUsage": 5, "envelopeCount": 0, "activeEnvelopes": 0, "periodUsage": []}


def test_statistics(live: Live) -> None:
    office = Organization(live)
    used, unused = office.envelope(100), office.envelope(50, period="DAILY")
    for amount in (30, 30):
        office.record(used, amount)
    found = ok(office.api.get("/usage/stats"))
    assert (found["totalUsage"], found["envelopeCount"], found["activeEnvelopes"]) == (60, 2, 1)
    assert [item["envelopeId"] for item in found["periodUsage"]] == [unused["id"], used["id"]]
    assert found["periodUsage"][1] == {
        "envelopeId": used["id"],
        "name": "Calls",
        "period": "MONTHLY",
        "used": 60,
        "limit": 100,
        "remaining": 40,
        "windowStart": used["windowStart"],
        "windowEnd": used["windowEnd"],
    }


def test_a_list_is_whole_where_it_is_longer_than_a_page_of_ours(live: Live) -> None:
    office = Organization(live)
    used = office.envelope(1000)
    for _ in range(PAGE + 1):
        office.record(used, 1)
    whole = office.api.get("/usage")
    assert (len(ok(whole)), "link" in whole.headers) == (PAGE + 1, False)


def test_lists_are_whole_and_pages_are_linked(live: Live) -> None:
    office = Organization(live)
    made = [office.envelope() for _ in range(5)]
    for amount in range(1, 6):
        office.record(made[0], amount)
    whole = office.api.get("/envelopes")
    assert "link" not in whole.headers
    assert [item["id"] for item in whole.json()] == [item["id"] for item in reversed(made)]
    for path, query in (("/envelopes", {}), ("/usage", {"envelopeId": made[0]["id"]}), ("/usage", {})):
        everything = ok(office.api.get(path, params=query))
        paged, url = [], httpx.URL(f"{live.url}/x402tools{path}", params=query | {"limit": "2"})
        sizes = []
        while True:
            answer = office.api.get(url)
            paged += ok(answer)
            sizes.append(len(answer.json()))
            if "next" not in answer.links:
                break
            url = url.join(answer.links["next"]["url"])
        assert (paged, sizes) == (everything, [2, 2, 1])
    cursor = httpx.URL(office.api.get("/usage", params={"limit": 1}).links["next"]["url"]).params["cursor"]
    failed(office.api.get("/envelopes", params={"cursor": cursor}), 400, "BAD_CURSOR")
    failed(Organization(live).api.get("/usage", params={"cursor": cursor}), 400, "BAD_CURSOR")
    for limit in ("0", "-1", str(10**9), "x"):
        failed(office.api.get("/usage", params={"limit": limit}), 422, "VALIDATION_ERROR")


def test_a_key_that_may_recharge_makes_none_that_may(live: Live) -> None:
    """Only an administrator gives the right to make money of nothing: else it would outlive the key it was given to."""
    office = Organization(live)
    scopes = ["read", "write", "recharge"]
    secret = (
        live.client(office.new_key(scopes=scopes), "/x402tools").post("/api-keys", json={"name": "n"}).json()["key"]
    )
    (made, first) = ok(live.client(secret).get(f"/v1/organizations/{office.id}/keys"))[:2]
    assert (made["scopes"], sorted(first["scopes"])) == (["read", "write"], sorted(scopes))
    recharge = {"organization_id": office.id, "money_amount": 1}
    assert live.client(secret, "/tokenvault").post("/v1/recharge", json=recharge).status_code == 403


def test_keys_are_shown_once_and_end_at_once(live: Live) -> None:
    office = Organization(live)
    answer = office.api.post("/api-keys", json={"name": "Production"})
    assert answer.status_code == 201
    made = answer.json()
    assert re.fullmatch(r"ok_live_[0-9a-f]{48}", made["key"])
    assert (made["organizationId"], made["lastUsed"], made["expiresAt"]) == (office.id, None, None)
    (listed, own) = ok(office.api.get("/api-keys"))
    assert listed == made | {"key": f"ok_live_…{made['key'][-4:]}"}
    assert own["lastUsed"] is not None
    second = live.client(made["key"], "/x402tools")
    (listed, _) = ok(second.get("/api-keys"))
    assert listed["lastUsed"] is not None
    assert office.api.delete(f"/api-keys/{made['id']}").status_code == 204
    failed(second.get("/api-keys"), 401, "INVALID_API_KEY")
    envelope = office.envelope()
    failed(second.post("/usage", json={"envelopeId": envelope["id"], "amount": 1}), 401, "INVALID_API_KEY")
    failed(office.api.delete(f"/api-keys/{made['id']}"), 404, "NOT_FOUND")
    assert len(ok(office.api.get("/api-keys"))) == 1


def test_a_revoked_key_records_nothing_though_it_is_remembered(live: Live) -> None:
    office = Organization(live)
    made = ok_made(office.api.post("/api-keys", json={"name": "Short"}))
    second, envelope = live.client(made["key"], "/x402tools"), office.envelope()
    body = {"envelopeId": envelope["id"], "amount": 1}
    assert second.post("/usage", json=body).status_code == 201
    assert office.api.delete(f"/api-keys/{made['id']}").status_code == 204
    failed(second.post("/usage", json=body), 401, "INVALID_API_KEY")
    assert office.used(envelope) == 1


def test_a_key_can_expire(live: Live) -> None:
    office = Organization(live)
    made = ok_made(office.api.post("/api-keys", json={"name": "x", "expiresAt": "2999-01-01T00:00:00Z"}))
    assert made["expiresAt"] == "2999-01-01T00:00:00Z"
    failed(
        office.api.post("/api-keys", json={"name": "x", "expiresAt": "2020-01-01T00:00:00Z"}),
        422,
        "VALIDATION_ERROR",
        "expiresAt",
    )
    failed(office.api.post("/api-keys", json={"name": "x", "expiresAt": "tomorrow"}), 422, "VALIDATION_ERROR")


def test_a_reader_can_make_no_key(live: Live) -> None:
    office = Organization(live)
    reader = live.client(office.new_key(scopes=["read"]), "/x402tools")
    failed(reader.post("/api-keys", json={"name": "x"}), 403, "SCOPE_MISSING")


def test_methods_that_are_none(office: Organization) -> None:
    failed(office.api.patch("/envelopes"), 405, "METHOD_NOT_ALLOWED")
    failed(office.api.delete("/usage"), 405, "METHOD_NOT_ALLOWED")
    failed(office.api.get("/nothing"), 404, "NOT_FOUND")


def test_the_framework_records_as_the_route_before_it_does(live: Live, office: Organization) -> None:
    """Bytes for bytes, but for the ids and times."""
    made = office.envelope(10)

    async def framework(scope: Any, receive: Any, send: Any) -> None:
        await Front(live.services).framework(scope, receive, send)

    async def asked(amount: int, key: str) -> httpx.Response:
        transport = httpx.ASGITransport(framework)
        headers = {"Authorization": f"Bearer {office.key}", "Idempotency-Key": f"{made['id']}-{key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test/x402tools", headers=headers) as client:
            return await client.post("/usage", json={"envelopeId": made["id"], "amount": amount})

    first, again, refused = live.call(asked(6, "a")), live.call(asked(6, "a")), live.call(asked(5, "b"))
    assert (first.status_code, first.json()) == (201, office.record(made, 6, key=f"{made['id']}-a").json())
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert refused.json() == failed(office.record(made, 5, key=f"{made['id']}-c"), 402, "USAGE_LIMIT_EXCEEDED")


def ok_made(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found
