"""The published `knai-provider`, unchanged; and both dialects on one wallet."""

import uuid
from collections.abc import Iterator

import pytest

from tests.support.live import Live, made, ok
from tests.support.published import Published
from tests.support.shops import KnaiShop


@pytest.fixture
def shop(live: Live) -> Iterator[KnaiShop]:
    found = KnaiShop(live)
    yield found
    found.client.close()


def test_from_the_code_to_the_charge(shop: KnaiShop) -> None:
    wallet = shop.live.wallet(10_000_000)
    shop.client.start("wait_for_session", provider_username=shop.user, poll_interval=0.1)
    token = shop.provider.grant(wallet, shop.user, limit=5_000_000)["session_token"]
    session = shop.client.answer()["returned"]
    assert (session["status"], session["session_token"]) == ("active", token)
    done = shop.charge(token, 1000)["returned"]
    charge_id = done.pop("charge_id")
    assert done == {"approved": True, "charged_tokens": 1000, "new_balance": 9000, "model": "any"}
    assert ok(shop.provider.api.get(f"/v1/charges/{charge_id}"))["amount"] == 1_000_000


def test_a_code_of_the_other_dialect_connects_the_user_too(shop: KnaiShop) -> None:
    code = {"provider_id": shop.provider.slug, "provider_username": shop.user}
    request = made(
        shop.live.admin.post("/v1/connection-requests", json={"wallet": shop.live.wallet(10_000), "qr": code})
    )
    shop.client.start("wait_for_session", provider_username=shop.user, poll_interval=0.1)
    with shop.provider.knai() as watching:
        status = ok(watching.get("/providers/session/status", params={"provider_username": shop.user}))
    assert status == {"status": "pending", "provider_username": shop.user}
    made(shop.live.admin.post(f"/v1/connection-requests/{request['id']}/approve", json={"terms": request["terms"]}))
    session = shop.client.answer()["returned"]
    assert shop.charge(session["session_token"], 1)["returned"]["new_balance"] == 9


def test_two_equal_charges_are_two(shop: KnaiShop) -> None:
    wallet = shop.live.wallet(10_000)
    token = shop.provider.grant(wallet)["session_token"]
    first, second = (shop.charge(token, 3)["returned"] for _ in range(2))
    assert first["charge_id"] != second["charge_id"]
    assert shop.live.read_wallet(wallet)["available"] == 4_000


def test_what_each_refusal_raises(shop: KnaiShop) -> None:
    wallet = shop.live.wallet(10_000)
    capped = shop.provider.grant(wallet, limit=5_000)["session_token"]
    open_ended = shop.provider.grant(wallet)["session_token"]
    revoked = shop.provider.grant(wallet)
    shop.live.admin.delete(f"/v1/grants/{revoked['id']}")
    replaced = shop.provider.grant(wallet, shop.user)["session_token"]
    shop.provider.grant(wallet, shop.user)
    for token, tokens, name, status in (
        (open_ended, 11, "InsufficientBalanceError", 402),
        (capped, 6, "SessionExpiredError", 403),
        (revoked["session_token"], 1, "SessionExpiredError", 403),
        ("ps_nothing", 1, "SessionExpiredError", 403),
        (replaced, 1, "SessionExpiredError", 410),
    ):
        found = shop.charge(token, tokens)
        assert (found["raised"], found["fields"]["status_code"]) == (name, status)
        assert found["fields"]["message"] == found["fields"]["response_body"]["error"]
    assert shop.live.read_wallet(wallet)["available"] == 10_000


def test_an_expired_session_is_410(shop: KnaiShop) -> None:
    token = shop.provider.grant(shop.live.wallet(100_000_000), expires_in_s=1)["session_token"]
    while "returned" in (found := shop.charge(token, 1)):
        pass
    assert (found["raised"], found["fields"]["status_code"]) == ("SessionExpiredError", 410)


def test_the_key_has_to_belong_to_the_slug(shop: KnaiShop) -> None:
    other = shop.live.provider()
    for key, slug in ((other.key, shop.provider.slug), ("pk_live_x_0", shop.provider.slug), (shop.provider.key, "x")):
        stranger = shop.published(key, slug)
        found = stranger.raised("wait_for_session", provider_username=shop.user)
        stranger.close()
        assert (found["raised"], found["fields"]["status_code"]) == ("InvalidAPIKeyError", 401)


def test_bad_input_is_an_error_with_its_reason(shop: KnaiShop) -> None:
    token = shop.provider.grant(shop.live.wallet(10_000))["session_token"]
    found = shop.client.raised("charge", session_token=token, amount_tokens=2**62, model="any")
    assert (found["raised"], found["fields"]["status_code"]) == ("KNAIError", 422)
    found = shop.client.raised("charge", session_token=token, amount_tokens=1, model="m" * 201)
    assert found["fields"]["status_code"] == 422


def test_one_wallet_is_spent_through_both_dialects(shop: KnaiShop) -> None:
    wallet = shop.live.wallet(10_000_000)
    conxa_user, knai_user = uuid.uuid4().hex, uuid.uuid4().hex
    conxa = Published(
        "conxa-sdk-1.3.4",
        api_key=shop.provider.key,
        base_url=f"{shop.live.url}/conxa",
        provider_id=shop.provider.slug,
    )
    shop.live.price("both", shop.provider.slug, input_token="0.5")
    by_conxa = shop.provider.grant(wallet, conxa_user)["session_token"]
    by_knai = shop.provider.grant(wallet, knai_user)["session_token"]
    balances = []
    for number in range(5):
        given = {"idempotency_key": f"k{number}", "model_name": "both", "input_tokens": 201, "output_tokens": 0}
        balances.append(conxa.returned("charge", session_token=by_conxa, **given)["new_balance"])
        balances.append(shop.charge(by_knai, 100)["returned"]["new_balance"])
    conxa.close()
    assert balances == [9899, 9799, 9699, 9599, 9498, 9398, 9298, 9198, 9097, 8997]
    statement = ok(shop.live.admin.get(f"/v1/wallets/{wallet}/statement"))
    assert (statement["money_in"], statement["money_out"]) == (10_000_000, 5 * 100_500 + 5 * 100_000)
    assert statement["closing_balance"] == shop.live.read_wallet(wallet)["available"]
