"""Envelopes over the native API: who sets them, what they are attached to, what a refusal and a look tell."""

import uuid
from typing import Any

import httpx
import pytest

from tests.support.live import Live, Provider, fresh_key, made, ok
from tests.support.organizations import Organization
from tests.support.people import Somebody


class Scene:
    """An organization with a wallet that a provider may draw on."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.office = Organization(live)
        self.provider: Provider = live.provider()
        self.wallet = self.office.wallet(100_000)
        self.grant = self.provider.grant(self.wallet)

    def limit(self, limit: int, kind: str | None = "all", name: str | None = None, **more: Any) -> httpx.Response:
        on = None if kind is None else {"kind": kind, "name": name}
        body = {"name": "Limit", "limit": limit, "period": "MONTHLY", "organization": self.office.id, "applies_to": on}
        return self.live.admin.post("/v1/envelopes", json=body | {"counts": "money", "asset": "TOKEN"} | more)

    def charge(self, amount: int) -> httpx.Response:
        return self.provider.charge(self.grant["session_token"], amount=amount)


@pytest.fixture
def scene(live: Live) -> Scene:
    return Scene(live)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), answer.text
    return body


def test_a_refusal_names_the_envelope_its_window_and_its_reset(scene: Scene) -> None:
    tight = made(scene.limit(100))
    made(scene.limit(500, "wallet", scene.wallet))
    made(scene.charge(70))
    body = problem(scene.charge(31), 403, "envelope_limit_exceeded")
    window = {"window_start": tight["window_start"], "resets_at": tight["window_end"]}
    assert body["envelope"] == {"id": tight["id"], "counts": "money", "period": "MONTHLY"} | window
    assert body["amount"] == 31
    standing = ok(scene.office.native.get(f"/v1/envelopes/{tight['id']}"))
    assert (standing["used"], standing["remaining"], standing["total"]) == (70, 30, 70)


@pytest.mark.parametrize("dialect", ["conxa", "knai"])
def test_the_dialects_refuse_too(scene: Scene, dialect: str) -> None:
    made(scene.limit(1))
    model = f"m-{uuid.uuid4().hex[:6]}"
    scene.live.price(model, scene.provider.slug, input_token="1", output_token="1")
    client = scene.provider.conxa() if dialect == "conxa" else scene.provider.knai()
    client.headers["X-Provider-Session"] = client.headers["X-Session-Token"] = scene.grant["session_token"]
    tokens = {"model_name": model, "input_tokens": 7, "output_tokens": 7}
    body = tokens if dialect == "conxa" else {"model": model, "amount_tokens": 14}
    answer = client.post("/charge/authorize", json=body)
    assert (answer.status_code, answer.json()["approved"]) == (403, False)
    assert scene.live.read_wallet(scene.wallet)["available"] == 100_000


def test_everything_that_it_can_be_attached_to(scene: Scene, live: Live) -> None:
    person = Somebody(live)
    agent = {"organization_id": scene.office.id, "id": "helper"}
    team = live.client(scene.office.key, "/tokenvault")
    assert team.post("/v1/wallet/profiles", json=agent | {"name": "Helper"}).status_code == 200, "an agent"
    for kind, name in (
        ("all", None),
        ("wallet", scene.wallet),
        ("grant", scene.grant["id"]),
        ("provider", scene.provider.slug),
        ("model", "gpt-4o"),
    ):
        found = made(scene.limit(1_000_000, kind, name))
        assert found["applies_to"] == {"kind": kind, "name": name}
        assert ok(scene.live.admin.get(f"/v1/envelopes/{found['id']}")) == found
    assert made(scene.limit(1_000, "agent", "helper"))["applies_to"]["kind"] == "grant"
    own = {"organization": None, "asset": "USD"}
    assert made(scene.limit(1_000, "person", person.email, **own))["applies_to"]["kind"] == "wallet"
    assert made(scene.limit(1_000, None, counts="usage", asset=None))["applies_to"] is None


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"applies_to": {"kind": "wallet"}}, "applies_to.name"),
        ({"applies_to": {"kind": "wallet", "name": "1111222233334444"}}, "applies_to.name"),
        ({"applies_to": {"kind": "grant", "name": "gr_999999999"}}, "applies_to.name"),
        ({"applies_to": {"kind": "agent", "name": "nobody"}}, "applies_to.name"),
        ({"applies_to": {"kind": "all", "name": "x"}}, "applies_to.name"),
        ({"applies_to": {"kind": "planet", "name": "x"}}, "applies_to.kind"),
        ({"applies_to": None}, "applies_to"),
        ({"asset": None}, "asset"),
        ({"asset": "NOSUCH"}, "asset"),
        ({"counts": "usage"}, "asset"),
        ({"period": "HOURLY"}, "period"),
        ({"reset_day": 0}, "reset_day"),
        ({"reset_day": 32}, "reset_day"),
        ({"time_zone": "Mars/Olympus"}, "zone"),
        ({"thresholds": [0]}, "thresholds[0]"),
        ({"limit": 0}, "limit"),
        ({"colour": "blue"}, ""),
    ],
)
def test_what_can_not_be_an_envelope(scene: Scene, more: dict[str, Any], field: str) -> None:
    answer = scene.limit(**{"limit": 10} | more)
    body = problem(answer, 422, "invalid_request")
    assert [error["field"] for error in body["errors"]] == [field]
    assert not {"HOURLY", "planet", "Mars"} & set(answer.text.replace('"', " ").split())


def test_an_organization_limits_its_own(scene: Scene, live: Live) -> None:
    other = Scene(live)
    body = {"name": "x", "limit": 10, "period": "DAILY", "counts": "money", "asset": "TOKEN"}
    mine = made(scene.office.native.post("/v1/envelopes", json=body | {"applies_to": {"kind": "all"}}))
    assert mine["organization"] == scene.office.id
    foreign = {"applies_to": {"kind": "wallet", "name": other.wallet}}
    problem(scene.office.native.post("/v1/envelopes", json=body | foreign), 422, "invalid_request")
    problem(
        live.admin.post("/v1/envelopes", json=body | foreign | {"organization": scene.office.id}),
        422,
        "invalid_request",
    )
    named = body | {"organization": other.office.id, "applies_to": {"kind": "all"}}
    problem(scene.office.native.post("/v1/envelopes", json=named), 404, "not_found")
    for client in (other.office.native, scene.provider.api):
        problem(client.get(f"/v1/envelopes/{mine['id']}"), 404, "not_found")
        problem(client.patch(f"/v1/envelopes/{mine['id']}", json={"limit": 99}), 404, "not_found")
        problem(client.delete(f"/v1/envelopes/{mine['id']}"), 404, "not_found")
    assert [item["id"] for item in ok(scene.office.native.get("/v1/envelopes"))["data"]] == [mine["id"]]
    assert ok(other.office.native.get("/v1/envelopes"))["data"] == []
    problem(scene.provider.api.post("/v1/envelopes", json=body | {"applies_to": {"kind": "all"}}), 404, "not_found")


def test_an_operators_envelope_holds_for_everybody(scene: Scene, live: Live) -> None:
    found = made(scene.limit(50, "provider", scene.provider.slug, organization=None))
    assert found["organization"] is None
    problem(scene.charge(51), 403, "envelope_limit_exceeded")
    problem(scene.office.native.get(f"/v1/envelopes/{found['id']}"), 404, "not_found")
    assert live.admin.delete(f"/v1/envelopes/{found['id']}").status_code == 204
    made(scene.charge(51))


def test_a_look_tells_what_would_stop_a_charge(scene: Scene) -> None:
    wide = made(scene.limit(500, "wallet", scene.wallet))
    tight = made(scene.limit(100))
    made(scene.charge(40))
    look = {"grant": scene.grant["id"], "amount": 61}
    found = ok(scene.office.native.get("/v1/limits", params=look))
    assert (found["allowed"], found["refusal"], found["stopped_by"]) == (False, "envelope_limit_exceeded", tight["id"])
    assert [(item["id"], item["needed"], item["remaining"]) for item in found["envelopes"]] == [
        (tight["id"], 61, 60),
        (wide["id"], 61, 460),
    ]
    assert (found["available"], found["amount"], found["grant_remaining"]) == (99_960, 61, None)
    assert ok(scene.office.native.get("/v1/limits", params=look | {"amount": 60}))["allowed"]
    hidden = ok(scene.provider.api.get("/v1/limits", params=look))
    assert (hidden["stopped_by"], hidden["envelopes"]) == (tight["id"], []), "the payer's limits are the payer's"
    problem(Scene(scene.live).office.native.get("/v1/limits", params=look), 404, "not_found")
    assert scene.live.read_wallet(scene.wallet)["available"] == 99_960
    made(scene.charge(60))


def test_a_look_prices_usage(scene: Scene) -> None:
    model = f"m-{uuid.uuid4().hex[:6]}"
    scene.live.price(model, scene.provider.slug, input_token="1", output_token="2")
    made(scene.limit(10, "model", model, counts="usage", asset=None))
    look = {"grant": scene.grant["id"], "model": model, "input_tokens": 6, "output_tokens": 5}
    found = ok(scene.live.admin.get("/v1/limits", params=look))
    assert (found["amount"], found["refusal"], found["envelopes"][0]["needed"]) == (
        16_000,
        "envelope_limit_exceeded",
        11,
    )
    assert ok(scene.live.admin.get("/v1/limits", params=look | {"input_tokens": 5}))["allowed"]
    problem(scene.live.admin.get("/v1/limits", params=look | {"amount": 1}), 422, "invalid_request")
    scene.live.admin.delete(f"/v1/grants/{scene.grant['id']}")
    assert ok(scene.live.admin.get("/v1/limits", params=look))["refusal"] == "grant_revoked"


def test_records(scene: Scene) -> None:
    envelope = scene.office.envelope(100)
    path = f"/v1/envelopes/{envelope['id']}/records"
    key = fresh_key()
    first = scene.office.native.post(path, json={"amount": 60, "metadata": {"a": 1}}, headers=key)
    again = scene.office.native.post(path, json={"amount": 60, "metadata": {"a": 1}}, headers=key)
    assert (made(first), again.headers["idempotent-replayed"]) == (made(again), "true")
    body = problem(
        scene.office.native.post(path, json={"amount": 41}, headers=fresh_key()), 403, "envelope_limit_exceeded"
    )
    assert body["envelope"]["id"] == envelope["id"]
    assert ok(scene.live.admin.get(path))["data"] == [first.json()]
    problem(scene.office.native.post(path, json={"amount": 1}), 400, "idempotency_key_missing")
    money = made(scene.limit(5))["id"]
    answer = scene.live.admin.post(f"/v1/envelopes/{money}/records", json={"amount": 1}, headers=fresh_key())
    problem(answer, 404, "envelope_unknown")


def test_a_change_and_an_end(scene: Scene) -> None:
    found = made(scene.limit(100))
    path = f"/v1/envelopes/{found['id']}"
    made(scene.charge(60))
    changed = ok(scene.office.native.patch(path, json={"limit": 50, "thresholds": [90, 10], "time_zone": "Asia/Tokyo"}))
    assert (changed["remaining"], changed["thresholds"], changed["time_zone"]) == (-10, [10, 90], "Asia/Tokyo")
    assert changed["window_start"].endswith("T15:00:00Z")
    problem(scene.charge(1), 403, "envelope_limit_exceeded")
    assert scene.office.native.delete(path).status_code == 204
    problem(scene.office.native.get(path), 404, "not_found")
    made(scene.charge(1))


def test_windows_follow_the_organizations_clock(live: Live) -> None:
    office = Organization(live)
    before, elsewhere = office.envelope(), office.envelope()
    ok(live.admin.patch(f"/v1/envelopes/{elsewhere['id']}", json={"time_zone": "Asia/Kolkata"}))
    path = f"/v1/organizations/{office.id}"
    assert ok(live.admin.patch(path, json={"time_zone": "Asia/Tokyo"}))["time_zone"] == "Asia/Tokyo"
    zones = [
        ok(live.admin.get(f"/v1/envelopes/{item['id']}"))["time_zone"]
        for item in (before, elsewhere, office.envelope())
    ]
    assert zones == ["Asia/Tokyo", "Asia/Kolkata", "Asia/Tokyo"]
    assert office.envelope()["windowStart"].endswith("T15:00:00Z")
    problem(live.admin.patch(path, json={"time_zone": "Nowhere"}), 422, "invalid_request")
    problem(office.native.patch(path, json={"time_zone": "UTC"}), 403, "admin_only")
