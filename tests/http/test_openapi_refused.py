"""Refusals as they are answered: each with its status and code, in the words of the document."""

import uuid
from typing import Any

import httpx
import pytest

from farebox.http.openapi.codes import CODES
from tests.support.documents import Document
from tests.support.live import Live, Provider, fresh_key, made


@pytest.fixture(scope="module")
def document(live: Live) -> Document:
    return Document(live.url)


class Scene:
    """A provider that may draw on a wallet of 1000 units."""

    def __init__(self, live: Live, document: Document) -> None:
        self.live = live
        self.document = document
        self.provider: Provider = live.provider()
        self.wallet = live.wallet(1000)

    def grant(self, **terms: Any) -> dict[str, Any]:
        return self.provider.grant(self.wallet, "user", **terms)

    def post(self, path: str, body: Any = None, *, admin: bool = False, key: str | None = None) -> httpx.Response:
        headers = fresh_key() if key is None else {"Idempotency-Key": key}
        client = self.live.admin if admin else self.provider.api
        return client.post(f"/v1/{path}", json=body, headers=headers)

    def refused(self, operation: str, code: str, answer: httpx.Response) -> dict[str, Any]:
        """The problem, which is the one expected, and is as documented."""
        body: dict[str, Any] = answer.json()
        media_type = answer.headers["content-type"]
        assert (answer.status_code, body["code"]) == (CODES[code].status, code)
        self.document.allows(operation, answer.status_code, media_type, body)
        return body


@pytest.fixture
def scene(live: Live, document: Document) -> Scene:
    return Scene(live, document)


def charge(grant: dict[str, Any], amount: int) -> dict[str, Any]:
    return {"session_token": grant["session_token"], "amount": amount}


@pytest.mark.parametrize(
    ("terms", "amount", "code"),
    [
        ({}, 1001, "insufficient_balance"),
        ({"limit": 10}, 11, "grant_limit_exceeded"),
        ({"charge_limit": 10}, 11, "charge_limit_exceeded"),
    ],
)
@pytest.mark.parametrize("noun", ["charges", "holds"])
def test_limits(scene: Scene, noun: str, terms: dict[str, int], amount: int, code: str) -> None:
    grant = scene.grant(**terms)
    body = scene.refused(f"{noun}.add", code, scene.post(noun, charge(grant, amount)))
    assert (body["amount"], body["asset"], body["available"]) == (amount, "TOKEN", 1000)
    assert body["remaining"] == terms.get("limit")


def test_grants_that_ended(scene: Scene) -> None:
    first = scene.grant()
    second = scene.grant()
    scene.refused("charges.add", "grant_replaced", scene.post("charges", charge(first, 1)))
    assert scene.live.admin.delete(f"/v1/grants/{second['id']}").status_code == 204
    scene.refused("charges.add", "grant_revoked", scene.post("charges", charge(second, 1)))
    unknown = {"session_token": "ps_unknown"}
    scene.refused("charges.add", "grant_unknown", scene.post("charges", charge(unknown, 1)))


def test_a_key_of_another_request(scene: Scene) -> None:
    grant, key = scene.grant(), uuid.uuid4().hex
    made(scene.post("charges", charge(grant, 1), key=key))
    answer = scene.post("charges", charge(grant, 2), key=key)
    scene.refused("charges.add", "idempotency_key_reused", answer)


def test_models_and_assets(scene: Scene) -> None:
    grant = scene.grant()
    usage = {"session_token": grant["session_token"], "model": "no-such-model", "usage": {"input_tokens": 1}}
    assert "nearest" in scene.refused("charges.add", "unknown_model", scene.post("charges", usage))
    other = charge(grant, 1) | {"asset": "USD"}
    scene.refused("charges.add", "asset_mismatch", scene.post("charges", other))


def test_holds_and_refunds(scene: Scene) -> None:
    grant = scene.grant()
    hold = made(scene.post("holds", charge(grant, 10)))["id"]
    more = scene.post(f"holds/{hold}/capture", {"amount": 11})
    scene.refused("holds.capture", "capture_exceeds_hold", more)
    taken = made(scene.post(f"holds/{hold}/capture", {}))["id"]
    scene.refused("holds.release", "hold_closed", scene.post(f"holds/{hold}/release"))
    back = scene.post(f"charges/{taken}/refunds", {"amount": 11})
    scene.refused("charges.refund", "refund_exceeds_charge", back)


def test_deposits(scene: Scene) -> None:
    path = f"wallets/{scene.wallet}/deposits"
    reference = uuid.uuid4().hex
    made(scene.post(path, {"amount": 1, "reference": reference}, admin=True))
    again = scene.post(path, {"amount": 2, "reference": reference}, admin=True)
    scene.refused("wallets.deposit", "reference_reused", again)
    huge = scene.post(path, {"amount": 2**63 - 1}, admin=True)
    scene.refused("wallets.deposit", "amount_overflow", huge)
    scene.refused("wallets.deposit", "admin_only", scene.post(path, {"amount": 1}))


def test_what_is_asked_wrongly(scene: Scene) -> None:
    grant = scene.grant()
    api = scene.provider.api
    unnamed = api.post("/v1/charges", json=charge(grant, 1))
    scene.refused("charges.add", "idempotency_key_missing", unnamed)
    scene.refused("charges.add", "idempotency_key_invalid", scene.post("charges", charge(grant, 1), key="auto:1"))
    misspelt = charge(grant, 1) | {"amonut": 1}
    errors = scene.refused("charges.add", "invalid_request", scene.post("charges", misspelt))["errors"]
    assert errors[0]["message"]
    headers = fresh_key() | {"Content-Type": "application/json"}
    broken = api.post("/v1/charges", content=b"{", headers=headers)
    scene.refused("charges.add", "malformed_json", broken)
    text = api.post("/v1/charges", content=b"{}", headers=fresh_key() | {"Content-Type": "text/plain"})
    scene.refused("charges.add", "unsupported_media_type", text)
    scene.refused("charges.list", "bad_cursor", api.get("/v1/charges?cursor=0000000000000000"))
    scene.refused("charges.list", "repeated_parameter", api.get("/v1/charges?limit=1&limit=2"))
    nobody = scene.live.client(None).get("/v1/charges")
    scene.refused("charges.list", "invalid_api_key", nobody)
