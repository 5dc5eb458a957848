"""Our `conxa` against a real server: what it has in common with the published client, and what it does better."""

import asyncio
import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from conxa import (
    APIError,
    AsyncCONXAClient,
    AuthenticationError,
    ConnectionTimeoutError,
    CONXAClient,
    CONXAError,
    QRCodeData,
    RateLimitError,
    SessionExpiredError,
    SessionNotFoundError,
    ValidationError,
)
from farebox import Farebox
from farebox.testing import ALL, DUPLICATED_ANSWER, LOST_ANSWER, TOO_MANY_SECONDS, Fault, Hostile, too_many
from tests.clients.shops import Shop
from tests.clients.test_hostile import KINDS
from tests.support.live import ADMIN_KEY, Live


@pytest.fixture
def shop(live: Live) -> Iterator[Shop]:
    """TOKEN: 1 a token in, 0.5 a token out, times 1.5."""
    with Farebox(live.url, ADMIN_KEY) as admin:
        found = Shop(admin)
        yield found
        found.client.close()


@pytest.fixture
def client(live: Live, shop: Shop) -> Iterator[CONXAClient]:
    with CONXAClient(shop.key, live.url + "/conxa") as found:
        yield found


def scanned(image: Any) -> Any:
    import zxingcpp

    (code,) = zxingcpp.read_barcodes(image)
    return json.loads(code.text)


def test_from_the_code_to_the_charge(client: CONXAClient, shop: Shop) -> None:
    code = client.create_payment_qr("bob@example.org", limit=500, expires_in=60)
    asked = {"provider_id": shop.slug, "provider_type": "api", "provider_username": "bob@example.org", "limit": 500}
    assert json.loads(code.qr_data) == asked == scanned(code.qr_image)
    assert scanned(Image.open(BytesIO(base64.b64decode(code.qr_base64.partition(",")[2])))) == asked
    assert (code.qr_image.size, code.is_expired(), code.is_valid_base64()) == ((300, 300), False, True)
    assert client.get_session_status("bob@example.org", qr_data=code).status == "not_found"
    request = shop.admin.requests.open(shop.wallet, code.qr_data)
    pending: list[str] = []

    def approve(status: Any) -> None:
        pending.append(status.status)
        shop.admin.requests.approve(request.id, request.terms)

    session = client.wait_for_connection("bob@example.org", poll_interval=0.01, on_pending=approve, qr_data=code)
    assert (pending, session.is_active) == (["pending"], True)
    result = client.charge(str(session.session_token), model_name=shop.model, input_tokens=100, output_tokens=50)
    assert (result.approved, result.new_balance, result.error) == (True, 812, None)
    assert client.get_wallet_balance(shop.wallet).tokens == 812
    result = client.charge(str(session.session_token), model_name=shop.model, input_tokens=400, output_tokens=0)
    assert (result.approved, result.error_code, result.new_balance) == (False, "HARD_CAP_VIOLATION", 812)
    assert client.health_check()


def test_the_orders_of_charge(client: CONXAClient, shop: Shop) -> None:
    one: Any = client.charge
    assert one(shop.token, shop.model, 10, 0).new_balance == 985, "as the page shows it, without a key"
    assert one(shop.token, "key-1", shop.model, 10, 0).new_balance == 970, "as 1.3.4 has it"
    assert one(shop.token, "key-1", shop.model, 10, 0).new_balance == 970
    assert one(shop.token, model_name=shop.model, input_tokens=10, output_tokens=0).new_balance == 955
    assert one(shop.token, None, shop.model, 10, 0).new_balance == 940


@pytest.mark.parametrize(
    "wrong",
    [
        {"model_name": ""},
        {"input_tokens": -1},
        {"input_tokens": 1.0},
        {"output_tokens": True},
        {"session_token": " "},
        {"idempotency_key": " "},
        {"idempotency_key": "ключ"},
    ],
)
def test_what_can_not_be_charged_never_leaves(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"session_token": "ps_", "model_name": "m", "input_tokens": 1, "output_tokens": 1} | wrong
    with CONXAClient("pk_live_a_b", "http://127.0.0.1:9") as client, pytest.raises(ValueError, match=r"\S"):
        client.charge(**given)


def test_what_is_missing_is_named() -> None:
    with CONXAClient("pk_live_a_b", "http://127.0.0.1:9") as client:
        with pytest.raises(TypeError, match="model_name, input_tokens, output_tokens"):
            client.charge("ps_")
        with pytest.raises(TypeError, match=r"missing output_tokens$"):
            client.charge("ps_", "key", "m", 1)


def test_a_session_that_is_over_is_both_errors(client: CONXAClient, shop: Shop) -> None:
    with pytest.raises(SessionExpiredError) as ended:
        client.charge("ps_nothing", model_name=shop.model, input_tokens=1, output_tokens=0)
    assert isinstance(ended.value, AuthenticationError)
    assert (ended.value.status_code, ended.value.error_code) == (401, "SESSION_EXPIRED")
    stranger = CONXAClient("pk_live_nobody_00", client.base_url)
    with pytest.raises(AuthenticationError) as wrong:
        stranger.get_session_status("bob")
    assert not isinstance(wrong.value, SessionExpiredError)
    stranger.close()


def test_errors_tell_what_is_wrong(client: CONXAClient, shop: Shop) -> None:
    with pytest.raises(ValidationError) as unknown:
        client.charge(shop.token, model_name="no-such-model", input_tokens=1, output_tokens=0)
    assert unknown.value.errors[0]["field"] == "model_name"
    with pytest.raises(SessionNotFoundError):
        client.get_wallet_balance("1111222233334444")
    poor = Shop(shop.admin, 5_500)
    with CONXAClient(poor.key, client.base_url) as its:
        result = its.charge(poor.token, model_name=poor.model, input_tokens=100, output_tokens=0)
    assert (result.approved, result.new_balance, result.error_code) == (False, 5, "INSUFFICIENT_BALANCE")
    poor.client.close()


def test_a_preview_asks_the_server_and_takes_nothing(client: CONXAClient, shop: Shop) -> None:
    found = client.preview_charge(shop.token, shop.model, 100, 50)
    amounts = {"amount": 187_500, "asset": "TOKEN", "available": 1_000_000, "remaining": None}
    asked = {"model_name": shop.model, "input_tokens": 100, "output_tokens": 50}
    assert found == asked | amounts | {"can_proceed": True}
    found = client.preview_charge(shop.token, shop.model, 10_000, 0)
    assert (found["can_proceed"], found["error_code"]) == (False, "insufficient_balance")
    assert (found["amount"], found["available"]) == (15_000_000, 1_000_000)
    wallet = shop.admin.wallets.get(shop.wallet)
    assert (wallet.available, wallet.held) == (1_000_000, 0)
    with pytest.raises(ValidationError):
        client.preview_charge(shop.token, "no-such-model", 1, 1)
    shop.admin.grants.revoke(shop.grant.id)
    assert client.preview_charge(shop.token, shop.model, 1, 1)["error_code"] == "grant_revoked"


def test_a_code_that_is_over(client: CONXAClient) -> None:
    code = client.create_payment_qr("bob", expires_in=0.001)
    while not code.is_expired():
        pass
    for call in (client.get_session_status, client.wait_for_connection):
        with pytest.raises(SessionExpiredError, match="QR code"):
            call("bob", qr_data=code)
    stored: Any = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    assert QRCodeData("", expires_at=stored).is_expired()
    assert QRCodeData("", expires_at=datetime(2020, 1, 1)).is_expired()  # noqa: DTZ001
    assert not QRCodeData("").is_expired()


def test_after_its_end_it_opens_new_connections(client: CONXAClient) -> None:
    with client:
        assert client.health_check()
    assert client.health_check()


def test_nobody_connects_in_time(client: CONXAClient) -> None:
    with pytest.raises(ConnectionTimeoutError):
        client.wait_for_connection("nobody", timeout=0.2, poll_interval=0.05)


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (None, ""),
        (5, ',"limit":5'),
        (0.1, ',"limit":0.1'),
        (Decimal("1E3"), ',"limit":1000'),
        (1e22, ',"limit":1' + "0" * 22),
    ],
)
def test_a_limit_is_said_as_it_was_given(client: CONXAClient, limit: Any, text: str) -> None:
    said = client.create_payment_qr("bob", limit=limit).qr_data
    assert said.endswith(f'"provider_username":"bob"{text}}}')
    assert scanned(Image.open(BytesIO(base64.b64decode(client.create_payment_qr("bob").qr_base64[22:]))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": float("nan")},
        {"limit": -1},
        {"limit": True},
        {"size": 49},
        {"size": 2001},
        {"expires_in": 0},
        {"provider_username": " "},
        {"provider_type": "app"},
    ],
)
def test_a_code_that_can_not_be(client: CONXAClient, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        client.create_payment_qr(**({"provider_username": "bob"} | wrong))


@pytest.mark.parametrize("size", [50, 64, 300, 777, 2000])
def test_sizes(client: CONXAClient, size: int) -> None:
    code = client.create_payment_qr("bob", size=size)
    assert code.qr_image.size == (size, size)
    assert code.get_html_img_tag().startswith('<img src="data:image/png;base64,')
    svg = client.create_payment_qr_svg("bob", size=size)
    assert "<svg" in svg
    assert f'width="{size}' in svg


def test_no_key_gets_into_a_code() -> None:
    for key in ("secret-of-some-other-form", "pk_live_secret", "pk__"):
        with pytest.raises(ValueError, match="provider_id"):
            CONXAClient(key)
        assert key not in repr(CONXAClient(key, provider_id="me"))
    with pytest.raises(AuthenticationError):
        CONXAClient(" ")
    with pytest.raises(ValueError, match="timeout"):
        CONXAClient("pk_live_a_b", timeout=0)


def test_the_address_is_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CONXAClient("pk_live_a_b").base_url == "https://api.conxa.in"
    monkeypatch.setenv("CONXA_API_URL", "http://127.0.0.1:8080/conxa/")
    assert CONXAClient("pk_live_a_b").base_url == "http://127.0.0.1:8080/conxa"


def test_rate_limits(live: Live, shop: Shop) -> None:
    with Hostile(live.url + "/conxa") as hostile, CONXAClient(shop.key, hostile.url) as client:
        hostile.plan(TOO_MANY_SECONDS)
        with pytest.raises(RateLimitError) as limited:
            client.get_session_status(shop.user, retry_on_rate_limit=False)
        assert limited.value.retry_after == 1
        hostile.plan(TOO_MANY_SECONDS)
        assert client.get_session_status(shop.user).is_active
        hostile.plan(*[too_many(lambda: "0", "AT_ONCE")] * 3)
        with pytest.raises(RateLimitError):
            client.get_session_status(shop.user, max_retries=2)
        hostile.plan(too_many(lambda: "3600", "AN_HOUR"))
        with pytest.raises(RateLimitError):
            client.charge(shop.token, model_name=shop.model, input_tokens=1, output_tokens=0)
        hostile.chance(1.0, seed=0, faults=[too_many(lambda: "0", "AT_ONCE")])
        with pytest.raises(SessionExpiredError), pytest.warns(UserWarning, match="rate limited"):
            client.wait_for_connection(shop.user, timeout=60, poll_interval=0.1, rate_limit_timeout=0.4)


@pytest.mark.parametrize("fault", KINDS, ids=repr)
def test_whatever_happens_it_is_charged_once(live: Live, shop: Shop, fault: Fault) -> None:
    with Hostile(live.url + "/conxa") as hostile, CONXAClient(shop.key, hostile.url, timeout=2) as client:
        hostile.plan(fault)
        assert client.charge(shop.token, model_name=shop.model, input_tokens=2, output_tokens=0).new_balance == 997
    assert shop.available() == 997_000


def test_only_documented_errors(live: Live, shop: Shop) -> None:
    with Hostile(live.url + "/conxa") as hostile, CONXAClient(shop.key, hostile.url, timeout=0.3) as client:
        hostile.chance(1.0, seed=11, faults=ALL)
        for number in range(20):
            try:
                client.charge(shop.token, f"try-{number}", shop.model, 2, 0)
            except CONXAError as error:
                assert type(error) in (CONXAError, APIError, RateLimitError)
        hostile.calm()
        for number in range(20):
            assert client.charge(shop.token, f"try-{number}", shop.model, 2, 0).approved
    assert shop.available() == 1_000_000 - 20 * 3_000
    with CONXAClient(shop.key, "http://127.0.0.1:9", timeout=0.2) as away:
        assert not away.health_check()


async def test_the_same_with_asyncio(live: Live, shop: Shop) -> None:
    code = ""
    with Hostile(live.url + "/conxa") as hostile:
        async with AsyncCONXAClient(shop.key, hostile.url, timeout=5) as client:
            code = client.create_payment_qr("bob").qr_data
            request = shop.admin.requests.open(shop.wallet, code)

            async def approve(status: Any) -> None:
                await asyncio.sleep(0)
                shop.admin.requests.approve(request.id, request.terms)

            session = await client.wait_for_connection("bob", poll_interval=0.01, on_pending=approve)
            token = str(session.session_token)
            hostile.plan(LOST_ANSWER, DUPLICATED_ANSWER)
            results = [await client.charge(token, f"k{number}", shop.model, 2, 0) for number in range(3)]
            assert [result.new_balance for result in results] == [997, 994, 991]
            assert (await client.preview_charge(token, shop.model, 2, 0))["can_proceed"]
            assert (await client.get_session_status("bob")).is_active
            assert (await client.get_wallet_balance(shop.wallet)).tokens == 991
            assert await client.health_check()
            with pytest.raises(SessionExpiredError):
                await client.charge("ps_nothing", None, shop.model, 1, 0)
