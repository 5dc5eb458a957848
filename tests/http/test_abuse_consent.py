"""QR consent (lines 70 to 77), as far as the API reaches: what was shown is what is granted, and nothing sooner."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.doors import check_error
from tests.support.live import Live, Provider, made, ok


def scan(live: Live, provider: Provider, wallet: str, username: str = "user", **more: Any) -> httpx.Response:
    """Opens a request, as scanning a code does; `limit` is in the code."""
    qr = {"provider_id": provider.slug, "provider_username": username}
    if "limit" in more:
        qr["limit"] = more.pop("limit")
    return live.admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": qr, **more})


def approve(live: Live, request: dict[str, Any], **more: Any) -> httpx.Response:
    """Approves what a request showed."""
    return live.admin.post(f"/v1/connection-requests/{request['id']}/approve", json={"terms": request["terms"], **more})


def grants(live: Live, wallet: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(live.admin.get(f"/v1/wallets/{wallet}/grants"))["data"]
    return found


def statuses(provider: Provider, username: str = "user") -> set[str]:
    """What both dialects say of a user."""
    query = {"provider_username": username}
    clients = (provider.conxa(), provider.knai())
    answers = [ok(client.get("/providers/session/status", params=query)) for client in clients]
    assert all(("session_token" in answer) == (answer["status"] == "active") for answer in answers)
    return {answer["status"] for answer in answers}


def test_line_70_an_expired_request(make_live: Callable[..., Live]) -> None:
    live = make_live(connection_request_ttl_s=1)
    provider, wallet = live.provider(), live.wallet(100)
    request = made(scan(live, provider, wallet))
    while ok(live.admin.get(f"/v1/connection-requests/{request['id']}"))["state"] == "pending":
        time.sleep(0.05)
    check_error("native", approve(live, request), 410, code="request_expired")
    declined = live.admin.post(f"/v1/connection-requests/{request['id']}/decline")
    check_error("native", declined, 410, code="request_expired")
    assert grants(live, wallet) == []
    assert statuses(provider) == {"not_found"}


def test_line_71_an_answered_request(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet(100)
    request = made(scan(live, provider, wallet))
    made(approve(live, request))
    for again in (approve(live, request), live.admin.post(f"/v1/connection-requests/{request['id']}/decline")):
        check_error("native", again, 409, code="already_answered")
    assert len(grants(live, wallet)) == 1

    other = made(scan(live, provider, wallet, "second"))
    assert ok(live.admin.post(f"/v1/connection-requests/{other['id']}/decline"))["state"] == "declined"
    check_error("native", approve(live, other), 409, code="already_answered")
    assert len(grants(live, wallet)) == 1
    assert statuses(provider, "second") == {"not_found"}


CHANGES: list[dict[str, Any]] = [{"name": "PayPal"}, {"verified": True}]


@pytest.mark.parametrize("change", CHANGES, ids=["name", "verified"])
def test_line_72_the_provider_changes_after_it_was_shown(live: Live, change: dict[str, Any]) -> None:
    provider, wallet = live.provider(), live.wallet(100)
    shown = made(scan(live, provider, wallet))
    ok(live.admin.patch(f"/v1/providers/{provider.slug}", json=change))
    check_error("native", approve(live, shown), 409, code="terms_changed")
    assert grants(live, wallet) == []
    anew = ok(live.admin.get(f"/v1/connection-requests/{shown['id']}"))
    assert anew["terms"] != shown["terms"]
    made(approve(live, anew))


def test_line_72_the_terms_of_another_request(live: Live) -> None:
    """Shown a small limit, approved a large one: void."""
    provider, wallet = live.provider(), live.wallet(100)
    small = made(scan(live, provider, wallet, limit=1))
    large = made(scan(live, provider, wallet, limit=1000))
    check_error("native", approve(live, large | {"terms": small["terms"]}), 409, code="terms_changed")
    for terms in ("0" * 64, small["terms"].upper()):
        check_error("native", approve(live, small | {"terms": terms}), 409, code="terms_changed")
    for terms in ("", "0" * 63, None, 1):
        check_error("native", approve(live, small | {"terms": terms}), 422)
    check_error("native", live.admin.post(f"/v1/connection-requests/{small['id']}/approve", json={}), 422)
    assert grants(live, wallet) == []


def test_line_72_an_approval_only_narrows(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet(100)
    request = made(scan(live, provider, wallet, limit=5, expires_in_s=60))
    for wider in ({"limit": 5001}, {"expires_in_s": 61}, {"limit": 5000, "expires_in_s": 61}):
        check_error("native", approve(live, request, **wider), 422, code="wider_than_asked")
    assert grants(live, wallet) == []
    given = made(approve(live, request, limit=4000, charge_limit=10, expires_in_s=30))
    assert (given["limit"], given["charge_limit"]) == (4000, 10)


NAMES = {
    "right-to-left override": "Safe\u202epay",
    "isolate": "Safe\u2066pay\u2069",
    "zero width space": "Pay\u200bPal",
    "zero width joiner": "Pay\u200dPal",
    "soft hyphen": "Pay\u00adPal",
    "tag characters": "Pay\U000e0041Pal",
    "variation selector": "Pay\ufe0fPal",
    "grapheme joiner": "Pay\u034fPal",
    "no-break space": "Pay\u00a0Pal",
    "ideographic space": "Pay\u3000Pal",
    "hangul filler": "Pay\u3164Pal",
    "line separator": "Pay\u2028Pal",
    "carriage return": "PayPal\rOther",
    "line feed": "PayPal\nVerified: yes",
    "escape": "\x1b[2JPayPal",
    "mixed scripts": "P\u0430yPal",
    "greek among latin": "Payp\u03b1l",
    "cyrillic that looks latin": "\u0421\u043e\u0441\u043e\u0430",
    "fullwidth": "\uff30\uff41\uff59\uff30\uff41\uff4c",
    "mathematical": "\U0001d40f\U0001d41a\U0001d432",
    "ligature": "O\ufb03ce",
    "html": "<b>PayPal</b>",
    "script": "<script>alert(1)</script>",
    "entity": "Pay&#80;al",
    "private use": "Pay\ue000Pal",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_line_73_names_that_mislead(live: Live, name: str) -> None:
    """They are flagged to the payer, and are data to everybody: escaped where they are written."""
    plain, wallet = live.provider(), live.wallet(100)
    odd = live.provider()
    ok(live.admin.patch(f"/v1/providers/{odd.slug}", json={"name": name}))
    for request in (made(scan(live, odd, wallet)), made(scan(live, plain, wallet, name))):
        assert any("mislead" in warning for warning in request["warnings"]), request["warnings"]
        assert name not in " ".join(request["warnings"])
    answer = live.admin.get(f"/v1/connection-requests/{request['id']}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert all(char >= " " for char in answer.text)


@pytest.mark.parametrize(
    "name", ["PayPal", "Zoë's Müsli", "Яндекс", "東京AI", "Ελληνικά", "مزود", "Acme 24/7 (EU)", "नमस्ते"]
)
def test_line_73_names_that_do_not(live: Live, name: str) -> None:
    """A warning that is always there warns nobody."""
    provider, wallet = live.provider(), live.wallet(100)
    ok(live.admin.patch(f"/v1/providers/{provider.slug}", json={"name": name, "verified": True}))
    assert made(scan(live, provider, wallet, "sam@example.org", limit=5))["warnings"] == []


def test_line_74_what_a_relayed_code_shows(live: Live) -> None:
    """Whose picture it is nobody can tell from it: so the payer sees who is verified, how much, and how long."""
    provider, wallet = live.provider(verified=True), live.wallet(100)
    request = made(scan(live, provider, wallet, limit=12.5, expires_in_s=3600))
    shown = {"provider": provider.slug, "provider_verified": True, "limit": 12_500, "expires_in_s": 3600}
    assert shown.items() <= request.items()
    assert request["warnings"] == []
    other = made(scan(live, live.provider(), wallet))
    assert not other["provider_verified"]
    assert len(other["warnings"]) == 2  # not verified, no limit


def test_line_74_a_code_can_not_say_that_it_is_verified(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet(100)
    qr = {"provider_id": provider.slug, "provider_username": "u", "provider_verified": True, "provider_name": "PayPal"}
    request = made(live.admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": qr}))
    assert not request["provider_verified"]
    assert request["provider_name"] != "PayPal"


def test_line_76_a_flood_of_requests(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet(100)
    requests = [made(scan(live, provider, wallet, f"u{number}")) for number in range(50)]
    flooded = scan(live, provider, wallet, "one more")
    check_error("native", flooded, 429)
    assert int(flooded.headers["retry-after"]) > 0
    made(scan(live, provider, live.wallet(), "another wallet"))
    ok(live.admin.post(f"/v1/connection-requests/{requests[0]['id']}/decline"))
    made(scan(live, provider, wallet, "one more"))


def test_line_76_a_flood_for_one_wallet_at_once(live: Live) -> None:
    """The bound holds for many at the same time, but for the few that are on their way."""
    provider, wallet = live.provider(), live.wallet(100)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: scan(live, provider, wallet, f"u{n}").status_code, range(120)))
    assert set(found) == {201, 429}
    assert 50 <= found.count(201) <= 50 + live.services.settings.read_connections


def test_line_77_a_scan_alone_grants_nothing(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet(100)
    before = live.read_wallet(wallet)
    request = made(scan(live, provider, wallet))
    assert "session_token" not in json.dumps(request)
    assert grants(live, wallet) == []
    assert statuses(provider) == {"pending"}
    assert live.read_wallet(wallet) == before
    approved = approve(live, request)
    assert "session_token" not in made(approved), "the token is the provider's"
    assert statuses(provider) == {"active"}


def test_line_77_a_provider_can_not_approve_for_its_payer(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet(100)
    request = made(scan(live, provider, wallet))
    for path in ("approve", "decline"):
        body = {"terms": request["terms"]} if path == "approve" else None
        answer = provider.api.post(f"/v1/connection-requests/{request['id']}/{path}", json=body)
        check_error("native", answer, 404)
    code = {"wallet": wallet, "qr": {"provider_id": provider.slug, "provider_username": "u"}}
    check_error("native", provider.api.post("/v1/connection-requests", json=code), 404)
    assert grants(live, wallet) == []


CODES: list[tuple[dict[str, Any], int]] = [
    ({"provider_id": "No-Such"}, 422),
    ({"provider_id": "no-such"}, 422),
    ({"provider_id": ""}, 422),
    ({"provider_id": 7}, 422),
    ({"provider_id": "../../admin"}, 422),
    ({"provider_id": "p\u0430ypal"}, 422),
    ({"provider_username": ""}, 422),
    ({"provider_username": "u" * 321}, 422),
    ({"provider_username": None}, 422),
    ({"provider_username": "a\x00b"}, 422),
    ({"provider_type": "x" * 21}, 422),
    ({"provider_type": {}}, 422),
]


@pytest.mark.parametrize(("part", "status"), CODES, ids=[json.dumps(part) for part, _ in CODES])
def test_codes_that_are_none(live: Live, part: dict[str, Any], status: int) -> None:
    provider, wallet = live.provider(), live.wallet(100)
    qr = {"provider_id": provider.slug, "provider_username": "u", **part}
    check_error("native", live.admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": qr}), status)
    assert statuses(provider, "u") == {"not_found"}
