"""The TokenVault dialect: teams, credits, what is spent of them, and who may."""

import base64
import json
import uuid
from typing import Any

import httpx
import pytest

from farebox.http.dialects.tokenvault import answers
from farebox.ledger.audit import Report, audit
from farebox.ledger.types import Refusal
from tests.support.live import ADMIN_KEY, Live, fresh_key, made, ok

MODEL = "team-1"


class Team:
    """An organization of its own on a server, with prices that can be seen: 1 and 2 credits a token."""

    def __init__(self, live: Live, units: int = 0) -> None:
        self.live = live
        self.id = f"org-{uuid.uuid4().hex[:10]}"
        self.admin = live.client(ADMIN_KEY, "/tokenvault")
        ok(self.admin.post("/v1/wallet/organizations", json={"id": self.id, "name": "Ours"}))
        self.key = made(live.admin.post(f"/v1/organizations/{self.id}/keys", json={"name": "test"}))["key"]
        self.api = live.client(self.key, "/tokenvault")
        live.price(MODEL, asset="CREDIT", input_token="1", output_token="2")
        if units:
            self.recharge(units / 100)

    def recharge(self, money: float, **more: Any) -> dict[str, Any]:
        body = {"organization_id": self.id, "money_amount": money, **more}
        found: dict[str, Any] = ok(self.admin.post("/v1/recharge", json=body))
        return found

    def used(self, tokens: int = 0, **more: Any) -> httpx.Response:
        counts = {"prompt_tokens": tokens, "completion_tokens": 0}
        body = {"organization_id": self.id, "profile_id": "agent-1", "model": MODEL, **counts, **more}
        return self.api.post("/v1/consumption/process", json=body)

    def balance(self) -> dict[str, Any]:
        found: dict[str, Any] = ok(self.api.get(f"/v1/balance/organizations/{self.id}"))
        return found

    def profile(self, name: str = "agent-1") -> dict[str, Any]:
        found: dict[str, Any] = ok(self.api.get(f"/v1/balance/profiles/{name}"))
        return found

    def journal(self) -> list[dict[str, Any]]:
        rows = self.live.call(
            self.live.services.pool.fetch(
                "SELECT t.kind, t.refusal, t.amount, t.note, m.name AS member, a.name AS agent FROM transfers t "
                "LEFT JOIN members m ON m.id = t.member_id LEFT JOIN agents a ON a.grant_id = t.grant_id "
                "JOIN organizations o ON o.credit_wallet_id = t.wallet_id WHERE o.id = $1 ORDER BY t.id",
                self.id,
            )
        )
        return [dict(row) for row in rows]


@pytest.fixture
def team(live: Live) -> Team:
    return Team(live)


def test_money_becomes_credits_and_credits_are_spent(team: Team) -> None:
    charged = team.recharge(20.0)
    assert (charged["credits"], charged["balance"], charged["money_equivalent"]) == (2000, 2000, 20)
    done = ok(team.used(100, completion_tokens=50, user_id="ada", record_id="r1", metadata={"task": "mail"}))
    assert (done["credits"], done["balance"], done["money_equivalent"]) == (200, 1800, 18)
    found = team.balance()
    assert (found["balance"], found["credits"], found["debt"]) == (1800, 1800, 0)
    assert found["last_updated"] == done["last_updated"]
    assert ok(team.api.get(f"/v1/wallet/organizations/{team.id}/balance")) == found
    spent = team.journal()[-1]
    assert (spent["kind"], spent["member"], spent["agent"]) == ("charge", "ada", "agent-1")
    assert json.loads(spent["note"]) == {"task": "mail"}
    assert team.profile()["spent"] == 200


def test_amounts_are_exact(team: Team) -> None:
    response = team.admin.post("/v1/recharge", json={"organization_id": team.id, "money_amount": 0.123456})
    assert '"credits":12.3456,' in response.text
    assert '"money_equivalent":0.123456,' in response.text


@pytest.mark.parametrize(
    "money", ["0", "-1", "0.0000001", "1e30", "9" * 5000, '"1"', "true", "null", "[]", "1e400", "9223372036854775807"]
)
def test_money_that_is_none_is_refused(team: Team, money: str) -> None:
    body = f'{{"organization_id": "{team.id}", "money_amount": {money}}}'
    headers = {"content-type": "application/json"}
    response = team.admin.post("/v1/recharge", content=body, headers=headers)
    assert response.status_code in (400, 422), response.text
    assert response.json()["code"] in ("VALIDATION_ERROR", "MALFORMED_JSON")
    assert team.balance()["balance"] == 0


def test_a_payment_counts_once(team: Team) -> None:
    paid = {"source": "stripe", "reference": f"pi_{uuid.uuid4().hex}"}
    first = team.recharge(5, metadata=paid)
    assert team.recharge(5, metadata=paid) == first
    body = {"organization_id": team.id, "money_amount": 6, "metadata": paid}
    assert team.admin.post("/v1/recharge", json=body).status_code == 422
    other = team.admin.post("/v1/recharge", json=body | {"money_amount": 5}, headers=fresh_key())
    assert other.json() == first, "another key, and the same payment"
    assert team.balance()["balance"] == 500


def test_the_free_trial_is_granted_once(team: Team) -> None:
    trial = {"organization_id": team.id, "money_amount": 50.0, "metadata": {"reason": "free_trial"}}
    assert team.api.post("/v1/recharge", json=trial | {"money_amount": 50.01}).status_code == 403
    first = ok(team.api.post("/v1/wallet/recharge", json=trial))
    assert first["credits"] == 5000
    assert ok(team.api.post("/v1/recharge", json=trial | {"money_amount": 1})) == first
    assert ok(team.admin.post("/v1/recharge", json=trial)) == first
    assert team.balance()["balance"] == 5000


def test_credits_are_not_made_of_nothing(team: Team) -> None:
    body = {"organization_id": team.id, "money_amount": 1}
    assert team.api.post("/v1/recharge", json=body).status_code == 403
    keys = f"/v1/organizations/{team.id}/keys"
    wanted = {"name": "billing", "scopes": ["read", "write", "recharge"]}
    assert team.live.client(team.key).post(keys, json=wanted).status_code == 403
    billing = team.live.client(made(team.live.admin.post(keys, json=wanted))["key"], "/tokenvault")
    assert ok(billing.post("/v1/recharge", json=body))["balance"] == 100


def test_what_is_owed_is_paid_first(live: Live) -> None:
    team = Team(live, units=100)
    ok(team.used(1))
    owe(live, team, 150)
    assert (team.balance()["balance"], team.balance()["debt"]) == (-51, 51)
    assert team.balance()["money_equivalent"] == -0.51
    assert team.used(1).status_code == 400
    team.recharge(1)
    assert (team.balance()["balance"], team.balance()["debt"]) == (49, 0)


def owe(live: Live, team: Team, tokens: int) -> None:
    """Usage that has already happened, natively reported by the house."""
    key = made(live.admin.post("/v1/providers/house/keys", json={"name": "test"}))["key"]
    wallet = ok(live.admin.get("/v1/wallets", params={"limit": 1000}))["data"]
    number = next(item["id"] for item in wallet if item["organization"] == team.id)
    body = {"wallet": number, "model": MODEL, "usage": {"input_tokens": tokens}}
    made(live.admin.post("/v1/usage-records", json=body | {"provider": "house"}, headers=fresh_key()))
    assert key


def test_not_enough_is_a_400_that_says_insufficient(live: Live) -> None:
    team = Team(live, units=100)
    response = team.used(101, record_id="dear")
    assert response.status_code == 400
    assert "insufficient" in response.json()["message"].lower()
    team.recharge(10)
    assert team.used(101, record_id="dear").status_code == 400, "a decline is kept"
    assert team.balance()["balance"] == 1100


def test_a_record_is_charged_once_whichever_key_it_came_with(live: Live) -> None:
    team = Team(live, units=100)
    first = team.used(10, record_id="once")
    body = {
        "organization_id": team.id,
        "profile_id": "agent-1",
        "model": MODEL,
        "prompt_tokens": 10,
        "completion_tokens": 0,
    }
    again = team.admin.post("/v1/consumption/process", json=body | {"record_id": "once"})
    assert again.content == first.content
    assert team.used(11, record_id="once").json()["code"] == "RECORD_ID_REUSED"
    assert ok(team.used(10))["balance"] == 80, "without an id each is another"


def test_bought_images_cost_a_cent_a_credit(live: Live) -> None:
    team = Team(live, units=100)
    assert ok(team.used(model="flux-2-pro", bfl_credits=4.5, record_id="gen"))["credits"] == 4.5
    assert ok(team.used(model="flux-2-pro", bfl_credits=0.0001))["credits"] == 0.0001
    for wrong in (0.00001, -1, "4.5", True, 1e300):
        assert team.used(model="flux-2-pro", bfl_credits=wrong).status_code == 422, wrong
    assert team.used(1, bfl_credits=1).status_code == 422


def test_registering_again_gives_the_same(team: Team) -> None:
    organization = {"id": team.id, "name": "Another name"}
    assert ok(team.api.post("/v1/wallet/organizations", json=organization))["name"] == "Ours"
    user = {"id": "ada", "organization_id": team.id, "name": "Ada"}
    assert ok(team.api.post("/v1/wallet/users", json=user)) == ok(team.api.post("/v1/wallet/users", json=user))
    profile = {"id": "a1", "organization_id": team.id, "user_id": "ada", "metadata": {"kind": "grok"}}
    first = ok(team.api.post("/v1/wallet/profiles", json=profile))
    assert (first["user_id"], first["metadata"]) == ("ada", {"kind": "grok"})
    assert ok(team.api.post("/v1/wallet/profiles", json=profile)) == first
    strange = profile | {"id": "a2", "user_id": "nobody"}
    assert team.api.post("/v1/wallet/profiles", json=strange).status_code == 404


def test_names_are_the_organizations_own(live: Live) -> None:
    one, other = Team(live, units=100), Team(live, units=500)
    ok(one.used(10))
    ok(other.used(20))
    assert (one.profile()["spent"], other.profile()["spent"]) == (10, 20)
    assert one.admin.get("/v1/balance/profiles/agent-1").status_code == 409
    assert one.admin.get("/v1/balance/profiles/nobody").status_code == 404


def test_another_organization_is_not_there(live: Live) -> None:
    one, other = Team(live, units=100), Team(live, units=100)
    ok(other.used(1, profile_id="theirs"))
    absent = one.api.get("/v1/balance/organizations/never-was")
    assert absent.status_code == 404
    assert one.api.get(f"/v1/balance/organizations/{other.id}").content == absent.content
    assert one.used(1, organization_id=other.id).content == one.used(1, organization_id="never-was").content
    assert one.api.get("/v1/balance/profiles/theirs").status_code == 404
    for path, body in {
        "users": {"id": "x"},
        "profiles": {"id": "x"},
        "organizations": {"id": other.id},
    }.items():
        response = one.api.post(f"/v1/wallet/{path}", json={"organization_id": other.id, **body})
        assert response.status_code in (403, 404)
    trial = {"organization_id": other.id, "money_amount": 1, "metadata": {"reason": "free_trial"}}
    assert one.api.post("/v1/recharge", json=trial).status_code == 404
    assert other.balance()["balance"] == 99


def basic(user: str, key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()}


def test_the_key_may_stand_in_the_address(team: Team) -> None:
    path = f"{team.live.url}/tokenvault/v1/balance/organizations/{team.id}"
    assert httpx.get(path.replace("://", f"://{team.id}:{team.key}@")).status_code == 200
    assert httpx.get(path, headers=basic("", team.key)).status_code == 200
    assert httpx.get(path, headers=basic(team.id, ADMIN_KEY)).status_code == 200
    for headers in (
        {},
        basic("another", team.key),
        basic(team.id, "nonsense"),
        basic(team.id, ""),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Digest x"},
        {"Authorization": f"Bearer {team.live.provider().key}"},
    ):
        assert httpx.get(path, headers=headers).status_code == 401, headers
    assert httpx.get(path, params={"key": team.key}).status_code == 400


def test_scopes_and_revocation_hold(team: Team) -> None:
    keys = f"/v1/organizations/{team.id}/keys"
    reader = made(team.live.admin.post(keys, json={"name": "reader", "scopes": ["read"]}))
    api = team.live.client(reader["key"], "/tokenvault")
    assert api.get(f"/v1/balance/organizations/{team.id}").status_code == 200
    body = {"organization_id": team.id, "profile_id": "a", "model": MODEL, "prompt_tokens": 0, "completion_tokens": 0}
    assert api.post("/v1/consumption/process", json=body).status_code == 403
    assert team.used(0).status_code == 200
    mine = ok(team.live.admin.get(keys))
    number = next(item["id"] for item in mine if item["name"] == "test")
    assert team.live.admin.delete(f"{keys}/{number}").status_code == 204
    assert team.used(0).status_code == 401
    assert team.used(0, model="never heard of").status_code == 401


def test_open_to_all_only_where_it_is_said(make_live: Any) -> None:
    live = make_live(tokenvault_open=True)
    live.price(MODEL, asset="CREDIT", input_token="1", output_token="2")
    api = live.client(None, "/tokenvault")
    ok(api.post("/v1/wallet/organizations", json={"id": "acme", "name": "Acme"}))
    ok(api.post("/v1/recharge", json={"organization_id": "acme", "money_amount": 1.0}))
    body = {"organization_id": "acme", "profile_id": "a", "model": MODEL, "prompt_tokens": 7, "completion_tokens": 0}
    assert ok(api.post("/v1/consumption/process", json=body))["balance"] == 93
    assert live.client("wrong", "/tokenvault").get("/v1/balance/organizations/acme").status_code == 401
    assert live.client(None).get("/v1/wallets").status_code == 401, "the native API is not open"


def test_unknown_models_and_organizations(team: Team) -> None:
    unknown = team.used(1, model="never heard of")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "UNKNOWN_MODEL")
    assert team.admin.get("/v1/balance/organizations/nobody").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt_tokens": -1},
        {"prompt_tokens": 1.5},
        {"prompt_tokens": "1"},
        {"prompt_tokens": 2**63},
        {"profile_id": ""},
        {"profile_id": "a\nb"},
        {"profile_id": "x" * 201},
        {"user_id": "x" * 201},
        {"user_id": "\u0000"},
        {"model": ""},
        {"record_id": ""},
        {"metadata": []},
        {"metadata": {"x": "y" * 20_000}},
        {"organization_id": "no such id!"},
    ],
    ids=repr,
)
def test_bad_consumption_is_told_and_changes_nothing(live: Live, wrong: dict[str, Any]) -> None:
    team = Team(live, units=100)
    response = team.used(**{"tokens": 1} | wrong) if "prompt_tokens" not in wrong else team.used(0, **wrong)
    assert response.status_code == 422, response.text
    assert response.json()["errors"]
    assert team.balance()["balance"] == 100


@pytest.mark.parametrize("number", ["1e999", "1" * 5000], ids=lambda number: number[:5])
def test_metadata_with_a_number_out_of_any_range(live: Live, number: str) -> None:
    team = Team(live, units=100)
    used = {"organization_id": team.id, "profile_id": "agent-1", "model": MODEL, "prompt_tokens": 1}
    sent = json.dumps(used | {"completion_tokens": 1, "metadata": {"x": "@"}}).replace('"@"', number)
    response = team.api.post("/v1/consumption/process", content=sent, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "metadata"), response.text
    assert team.balance()["balance"] == 100


def test_an_allowance_holds_for_what_is_asked_and_counts_what_is_reported(live: Live) -> None:
    team = Team(live, units=1000)
    ok(team.used(10))
    agents = f"/v1/organizations/{team.id}/agents"
    owner = live.client(team.key)
    allowed = ok(owner.put(f"{agents}/agent-1/allowance", json={"limit": 30_000_000, "charge_limit": 15_000_000}))
    assert (allowed["spent"], allowed["limit"], allowed["state"]) == (10_000_000, 30_000_000, "active")
    assert (team.profile()["balance"], team.profile()["allowance"]) == (20, 30)
    assert team.used(16).json()["code"] == "ALLOWANCE_EXCEEDED"
    ok(team.used(15))
    assert team.used(6).json()["code"] == "ALLOWANCE_EXCEEDED"
    ok(team.used(900, profile_id="agent-2"))
    ok(owner.put(f"{agents}/agent-1/allowance", json={"limit": 1}))
    assert (team.used(1).status_code, team.profile()["balance"]) == (403, 25 * -1 + 0.000001)
    assert live.admin.delete(f"/v1/grants/{allowed['grant']}").status_code == 204
    assert team.used(0).json()["code"] == "ALLOWANCE_ENDED"
    number = ok(team.admin.post("/v1/wallet/organizations", json={"id": team.id, "name": ""}))["wallet_id"]
    rival = {"provider": "house", "provider_username": f"{team.id}/agent-1"}
    made(owner.post(f"/v1/wallets/{number}/grants", json=rival))
    assert team.profile()["balance"] == 0
    ok(owner.put(f"{agents}/agent-1/allowance", json={}))
    assert ok(team.used(5))["balance"] == 70
    listed = ok(owner.get(agents, params={"limit": 1}))
    assert [item["name"] for item in listed["data"]] == ["agent-1"]
    rest = ok(owner.get(agents, params={"limit": 1, "cursor": listed["next_cursor"]}))
    assert [item["name"] for item in rest["data"]] == ["agent-2"]
    assert made(owner.post(agents, json={"name": "agent-2"})) == rest["data"][0]
    stranger = live.client(Team(live).key)
    for refused in (
        stranger.get(agents),
        stranger.post(agents, json={"name": "x"}),
        stranger.put(f"{agents}/agent-1/allowance", json={}),
        owner.put(f"{agents}/nobody/allowance", json={}),
    ):
        assert refused.status_code == 404
    assert live.call(audited(live)).clean, "what was spent beyond a limit shows as overrun"


def test_an_allowance_can_have_windows(live: Live) -> None:
    team = Team(live, units=1000)
    ok(team.used(10))
    owner = live.client(team.key)
    (agent,) = ok(owner.get(f"/v1/organizations/{team.id}/agents"))["data"]
    envelope = {
        "name": "a day's work",
        "limit": 30_000_000,
        "period": "DAILY",
        "counts": "money",
        "asset": "CREDIT",
        "organization": team.id,
        "applies_to": {"kind": "grant", "name": agent["grant"]},
    }
    made(owner.post("/v1/envelopes", json=envelope))
    ok(team.used(30))
    assert team.used(1).json()["code"] == "ALLOWANCE_EXCEEDED"
    ok(team.used(100, profile_id="agent-2"))


async def audited(live: Live) -> Report:
    async with live.services.pool.acquire() as conn:
        return await audit(conn)


def test_every_refusal_has_an_answer() -> None:
    assert set(answers.REFUSALS) == set(Refusal)
    insufficient = [told for _, _, told in answers.REFUSALS.values() if "insufficient" in told.lower()]
    assert len(insufficient) == 1, "the client knows that one by its text"
