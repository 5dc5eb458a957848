"""The published `conxa-sdk`, unchanged, from the QR code to the last refusal."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farebox.consent import qr
from tests.support.live import Live, ok
from tests.support.shops import CONXA, ConxaShop


@pytest.fixture(params=CONXA)
def shop(live: Live, request: pytest.FixtureRequest) -> Iterator[ConxaShop]:
    found = ConxaShop(live, request.param)
    yield found
    found.client.close()


def test_from_the_code_to_the_charge(shop: ConxaShop, tmp_path: Path) -> None:
    wallet = shop.live.wallet(100_000_000)  # 100,000 tokens
    code = shop.client.returned("create_payment_qr", provider_username=shop.user, limit=50_000)
    picture = tmp_path / "code.png"
    picture.write_bytes(base64.b64decode(code["qr_image"]))
    scanned = qr.read(str(picture))
    assert scanned == json.loads(code["qr_data"])
    assert base64.b64decode(code["qr_base64"].partition(",")[2]), "the page shows the same code"
    status = shop.client.returned("get_session_status", provider_username=shop.user)
    assert status == {"status": "not_found", "session_token": None, "expires_at": None}

    request = shop.scan(wallet, scanned)
    assert (request["provider"], request["provider_username"]) == (shop.provider.slug, shop.user)
    assert request["limit"] == 50_000_000
    assert shop.client.returned("get_session_status", provider_username=shop.user)["status"] == "pending"

    shop.client.start("wait_for_connection", provider_username=shop.user, timeout=30, poll_interval=1)
    grant = shop.approve(request, limit=10_000_000)
    session = shop.client.answer()["returned"]
    assert session["status"] == "active"
    assert session["session_token"].startswith("ps_")
    assert session["expires_at"] is not None

    done = shop.charge(session["session_token"], 1000, 500)["returned"]
    assert done == {"approved": True, "new_balance": 98_000, "error": None} | ({} if shop.old else {"error_code": None})
    assert shop.client.returned("get_wallet_balance", wallet_id=wallet) == {"wallet_id": wallet, "tokens": 98_000}
    assert ok(shop.live.admin.get(f"/v1/grants/{grant['id']}"))["remaining"] == 8_000_000


def test_insufficient_balance_is_a_result_with_what_is_there(shop: ConxaShop) -> None:
    wallet = shop.live.wallet(5_500)  # 5.5 tokens: shown rounded down
    token = shop.granted(wallet)
    done = shop.charge(token, 6, 0)["returned"]
    assert (done["approved"], done["new_balance"]) == (False, 5)
    assert "enough" in done["error"]
    assert shop.live.read_wallet(wallet)["available"] == 5_500


@pytest.mark.parametrize(
    ("terms", "code"),
    [({"limit": 2_000}, "HARD_CAP_VIOLATION"), ({"charge_limit": 2_000}, "HARD_CAP_VIOLATION")],
    ids=["in all", "per charge"],
)
def test_the_cap_refuses(shop: ConxaShop, terms: dict[str, int], code: str) -> None:
    token = shop.granted(shop.live.wallet(1_000_000), **terms)
    assert shop.charge(token, 2, 0)["returned"]["approved"]
    refused(shop, shop.charge(token, 3, 0), 403, code)


def test_a_revoked_session_has_no_right_to_charge(shop: ConxaShop) -> None:
    wallet = shop.live.wallet(1_000_000)
    grant = shop.provider.grant(wallet, shop.user)
    assert shop.live.admin.delete(f"/v1/grants/{grant['id']}").status_code == 204
    refused(shop, shop.charge(grant["session_token"], 1, 0), 403, "NO_CHARGE_PERMISSION")
    assert shop.client.returned("get_session_status", provider_username=shop.user)["status"] == "expired"
    found = shop.client.raised("wait_for_connection", provider_username=shop.user, timeout=5, poll_interval=1)
    assert found["raised"] == "SessionExpiredError"


def test_a_session_of_another_provider_is_not_ours(shop: ConxaShop) -> None:
    token = shop.live.provider().grant(shop.live.wallet(1_000_000))["session_token"]
    refused(shop, shop.charge(token, 1, 0), 403, "NO_CHARGE_PERMISSION")


def test_an_expired_session_asks_to_connect_again(shop: ConxaShop) -> None:
    token = shop.granted(shop.live.wallet(1_000_000), expires_in_s=1)
    shop.client.start("get_session_status", provider_username=shop.user)
    assert shop.client.answer()["returned"]["status"] == "active"
    while shop.client.returned("get_session_status", provider_username=shop.user)["status"] == "active":
        pass
    found = shop.charge(token, 1, 0)
    assert found["raised"] == "AuthenticationError"
    assert "expired" in found["text"]
    if not shop.old:
        assert found["fields"]["error_code"] == "SESSION_EXPIRED"


def test_a_second_approval_replaces_the_first(shop: ConxaShop) -> None:
    first, second = shop.live.wallet(1_000_000), shop.live.wallet(1_000_000)
    old, new = shop.granted(first), shop.granted(second)
    assert shop.client.returned("get_session_status", provider_username=shop.user)["session_token"] == new
    assert shop.charge(old, 1, 0)["raised"] == "AuthenticationError"
    assert shop.charge(new, 1, 0)["returned"]["approved"]


def test_a_wrong_key_is_an_authentication_error(shop: ConxaShop) -> None:
    stranger = shop.published("pk_live_nobody_0000", provider_id="nobody")
    found = stranger.raised("get_session_status", provider_username=shop.user)
    stranger.close()
    assert (found["raised"], found["fields"]["status_code"]) == ("AuthenticationError", 401)
    if not shop.old:
        assert found["fields"]["error_code"] == "INVALID_API_KEY"


def test_a_session_token_that_is_none(shop: ConxaShop) -> None:
    found = shop.charge("ps_nothing", 1, 0)
    assert found["raised"] == "AuthenticationError"


def test_bad_input_says_what_is_wrong_where(shop: ConxaShop) -> None:
    token = shop.granted(shop.live.wallet(1_000_000))
    if shop.old:  # 1.3.4 refuses a negative number before it leaves
        found = shop.charge(token, -1, 0)
        assert found["raised"] == "ValidationError"
        assert [error["field"] for error in found["fields"]["errors"]] == ["input_tokens"]
    found = shop.charge(token, 1, 0, model="no-such-model-at-all")
    assert found["raised"] == "ValidationError"
    assert found["fields"]["errors"]


def test_an_unknown_wallet_is_not_found(shop: ConxaShop) -> None:
    found = shop.client.raised("get_wallet_balance", wallet_id="1111222233334444")
    assert found["raised"] == "SessionNotFoundError"


def test_the_providers_name_is_in_its_key(live: Live) -> None:
    shop = ConxaShop(live, "conxa-sdk-1.3.4")
    unnamed = shop.published(shop.provider.key)
    code = json.loads(unnamed.returned("create_payment_qr", provider_username=shop.user)["qr_data"])
    unnamed.close()
    shop.client.close()
    assert code == {"provider_id": shop.provider.slug, "provider_type": "api", "provider_username": shop.user}
    assert shop.scan(live.wallet(1), code)["limit"] is None


def test_nobody_connects_in_time(shop: ConxaShop) -> None:
    shop.scan(shop.live.wallet(1), {"provider_id": shop.provider.slug, "provider_username": shop.user})
    found = shop.client.raised("wait_for_connection", provider_username=shop.user, timeout=1, poll_interval=1)
    assert found["raised"] == "ConnectionTimeoutError"


def test_the_server_is_healthy(shop: ConxaShop) -> None:
    assert shop.client.returned("health_check") is True


def test_the_same_key_is_one_charge_and_another_body_a_conflict(live: Live) -> None:
    shop = ConxaShop(live, "conxa-sdk-1.3.4")
    wallet = live.wallet(1_000_000)
    token = shop.granted(wallet)
    first = shop.charge(token, 100, 0, key="once")
    again = shop.charge(token, 100, 0, key="once")
    other = shop.charge(token, 200, 0, key="once")
    shop.client.close()
    assert first == again
    assert live.read_wallet(wallet)["available"] == 900_000
    assert (other["raised"], other["fields"]["error_code"]) == ("IdempotencyConflictError", "IDEMPOTENCY_CONFLICT")


@pytest.mark.parametrize("release", CONXA)
def test_an_honest_poller_never_meets_the_limit(live: Live, release: str) -> None:
    shop = ConxaShop(live, release)
    for _ in range(10):
        shop.client.returned("get_session_status", provider_username=shop.user, retry_on_rate_limit=False)
    shop.client.close()


def refused(shop: ConxaShop, found: dict[str, Any], status: int, code: str) -> None:
    """1.3.4 makes a result of a 403, 1.3.0 an error."""
    if shop.old:
        assert (found["raised"], found["fields"]["status_code"]) == ("APIError", status)
    else:
        assert (found["returned"]["approved"], found["returned"]["error_code"]) == (False, code)
