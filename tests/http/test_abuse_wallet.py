"""What must never work on the wallet's pages: lines 60 to 69 and 70 to 77 of the bad inputs."""

import re
import time
from collections.abc import Callable

import httpx
import pytest

from tests.support.browsing import PASSWORD, Browser, Fields, approved, code, token_of
from tests.support.live import Live, Provider


def test_line_60_unknown_and_wrong_are_answered_alike(browser: Browser, live: Live) -> None:
    wrong = browser.post("/wallet/sign-in", email=browser.email, password="not the password")
    nobody = browser.post("/wallet/sign-in", email="nobody@example.org", password="not the password")
    assert (wrong.status_code, nobody.status_code) == (401, 401)
    assert wrong.text.replace(browser.email, "") == nobody.text.replace("nobody@example.org", "")


def test_line_62_guessing_is_slowed_down(make_live: Callable[..., Live], clock: list[float]) -> None:
    live = make_live(failures_per_person_s=0.01)
    browser = Browser(live).sign_up()
    found = [browser.post("/wallet/sign-in", email=browser.email, password=f"guess {n}") for n in range(12)]
    assert {answer.status_code for answer in found[:10]} == {401}
    assert found[-1].status_code == 429
    assert int(found[-1].headers["retry-after"]) >= 1


def test_line_62_passkeys_that_are_none_are_slowed_down(make_live: Callable[..., Live], clock: list[float]) -> None:
    live = make_live(failures_per_address_s=1.2)
    browser = Browser(live).sign_up()
    found = [browser.post("/wallet/sign-in/passkey", challenge="x", credential="{}") for _ in range(40)]
    assert {answer.status_code for answer in found[:12]} == {401}
    assert "This passkey is not known here" in found[0].text
    slowed = next(answer for answer in found if answer.status_code == 429)
    assert int(slowed.headers["retry-after"]) >= 1
    assert "Too many tries" in slowed.text
    assert browser.get("/wallet").status_code == 200, "who is signed in stays so"


def test_line_63_guesses_lock_nobody_out(make_live: Callable[..., Live], clock: list[float]) -> None:
    live = make_live(failures_per_person_s=0.01, trusted_proxies=("127.0.0.1",))
    ada, guesser = Browser(live).sign_up(), Browser(live)
    there = {"X-Forwarded-For": "203.0.113.7"}
    found = [guesser.post("/wallet/sign-in", there, email=ada.email, password=f"guess {n}") for n in range(12)]
    assert found[-1].status_code == 429
    assert ada.get("/wallet").status_code == 200, "sessions go on"
    fresh, elsewhere = Browser(live), {"X-Forwarded-For": "198.51.100.7"}
    assert fresh.post("/wallet/sign-in", elsewhere, email=ada.email, password="wrong").status_code == 401
    assert fresh.post("/wallet/sign-in", elsewhere, email=ada.email, password=PASSWORD).status_code == 303
    known = guesser.post("/wallet/sign-in", there, email=ada.email, password=PASSWORD)
    assert known.status_code == 303, "who was right within a day is let in beside who guesses"


def test_line_64_a_session_that_has_ended(browser: Browser) -> None:
    old = browser.cookies
    page = browser.get("/wallet/account")
    out = browser.submit(page, "/wallet/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/wallet/sign-in")
    again = httpx.get(f"{browser.live.url}/wallet", cookies=old)
    assert again.status_code == 401
    assert "Sign in to your wallet" in again.text


def test_line_64_another_password_ends_all_sessions_but_the_own(browser: Browser) -> None:
    elsewhere = Browser(browser.live)
    assert elsewhere.post("/wallet/sign-in", email=browser.email, password=PASSWORD).status_code == 303
    page = browser.get("/wallet/account")
    wrong = browser.submit(page, "/wallet/account/password", old="not it", new="another password")
    assert wrong.status_code == 422
    before = browser.cookies
    done = browser.submit(page, "/wallet/account/password", old=PASSWORD, new="another password")
    assert done.status_code == 303
    assert elsewhere.get("/wallet").status_code == 401
    assert httpx.get(f"{browser.live.url}/wallet", cookies=before).status_code == 401
    assert browser.get("/wallet").status_code == 200


def test_line_65_a_session_from_before_signing_in_is_not_taken_over(browser: Browser) -> None:
    (name, planted), *_ = browser.cookies.items()
    victim = Browser(browser.live)
    victim.http.cookies.set(name, planted, domain="127.0.0.1", path="/")
    assert victim.post("/wallet/sign-in", email=browser.email, password=PASSWORD).status_code == 303
    assert planted not in victim.cookies.values()
    assert httpx.get(f"{browser.live.url}/wallet", cookies={name: planted}).status_code == 401


CROSS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", CROSS, ids=str)
def test_line_66_a_post_from_another_site(browser: Browser, shop: Provider, headers: dict[str, str]) -> None:
    connection = approved(browser, shop, limit="0.4")
    csrf = Fields(browser.get(connection).text).forms[f"{connection}/revoke"]["csrf"]
    for path in (f"{connection}/revoke", "/wallet/scan", "/wallet/sign-out", "/wallet/sign-in", "/wallet/sign-up"):
        found = browser.post(path, headers, csrf=csrf, email=browser.email, password=PASSWORD)
        assert found.status_code == 403, path
    assert shop.charge(token_of(shop), amount=1).status_code == 201


@pytest.mark.parametrize("csrf", ["", "0" * 64, "ä"])
def test_line_66_a_form_without_the_sessions_mark(browser: Browser, shop: Provider, csrf: str) -> None:
    connection = approved(browser, shop, limit="0.4")
    for path in ("revoke", "change"):
        assert browser.post(f"{connection}/{path}", csrf=csrf, limit="0.1").status_code == 403
    other = Browser(browser.live).sign_up()
    theirs = Fields(other.get("/wallet/account").text).forms["/wallet/sign-out"]["csrf"]
    assert browser.post(f"{connection}/revoke", csrf=theirs).status_code == 403
    assert shop.charge(token_of(shop), amount=1).status_code == 201


def test_no_page_changes_anything_by_get(browser: Browser, shop: Provider) -> None:
    connection = approved(browser, shop, limit="0.4")
    path = browser.scanned(code(shop))
    for asked in (f"{connection}/revoke", f"{connection}/change?limit=0.1", f"{path}/approve", f"{path}/decline"):
        assert browser.get(asked).status_code == 405, asked
    assert shop.charge(token_of(shop), amount=1).status_code == 201


def test_line_67_and_68_no_other_site_reads_or_frames(browser: Browser) -> None:
    for path in ("/wallet", "/wallet/scan", "/wallet/sign-in", "/wallet/nothing", "/wallet/account"):
        found = browser.http.get(path, headers={"Origin": "https://evil.example"})
        assert not [name for name in found.headers if name.startswith("access-control-")]
        policy = found.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert "script-src 'self';" in policy
        assert found.headers["x-frame-options"] == "DENY"
        assert found.headers["cache-control"] == "no-store"


def test_line_69_a_forged_proxy_header_makes_nothing_secure(browser: Browser) -> None:
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil.example"}
    done = browser.post("/wallet/sign-in", forged, email=browser.email, password=PASSWORD)
    assert "__Host-" not in done.headers["set-cookie"]


def test_cookies_over_https_are_bound_to_the_host(make_live: Callable[..., Live]) -> None:
    live = make_live(trusted_proxies="127.0.0.1")
    browser = Browser(live)
    headers = {"X-Forwarded-Proto": "https", "Host": "pay.example", "Origin": "https://pay.example"}
    done = browser.post("/wallet/sign-up", headers, email=browser.email, password=PASSWORD)
    cookie = done.headers["set-cookie"].lower()
    assert cookie.startswith("__host-farebox-wallet=ws_")
    for told in ("secure", "httponly", "samesite=lax", "path=/"):
        assert told in cookie
    assert "domain=" not in cookie


def test_plain_http_from_elsewhere_takes_a_setting(live: Live, make_live: Callable[..., Live]) -> None:
    there = {"Host": "10.0.0.5:8080", "Origin": "http://10.0.0.5:8080"}
    refused = Browser(live)
    found = refused.post("/wallet/sign-up", there, email=refused.email, password=PASSWORD)
    assert found.status_code == 403
    assert "HTTPS" in found.text
    allowed = Browser(make_live(plain_http=True))
    assert allowed.post("/wallet/sign-up", there, email=allowed.email, password=PASSWORD).status_code == 303


def test_line_70_an_expired_request(make_live: Callable[..., Live]) -> None:
    live = make_live(connection_request_ttl_s=1)
    browser, shop = Browser(live).sign_up("1"), live.provider()
    path = browser.scanned(code(shop, limit=10))
    page = browser.get(path)
    while "Too late" not in browser.get(path).text:
        time.sleep(0.05)
    assert browser.submit(page, f"{path}/approve", period="day").status_code == 410
    assert token_of(shop) is None


def test_line_71_an_answer_counts_once(browser: Browser, shop: Provider) -> None:
    path = browser.scanned(code(shop, limit=10))
    page = browser.get(path)
    assert browser.submit(page, f"{path}/decline").status_code == 303
    assert "Declined" in browser.get(path).text
    assert browser.submit(page, f"{path}/approve", period="day").status_code == 409
    assert browser.submit(page, f"{path}/decline").status_code == 409


def test_line_72_terms_that_changed_after_they_were_shown(browser: Browser, shop: Provider) -> None:
    path = browser.scanned(code(shop, limit=10))
    page = browser.get(path)
    shop.live.admin.patch(f"/v1/providers/{shop.slug}", json={"name": "Somebody Else"})
    assert browser.submit(page, f"{path}/approve", period="day").status_code == 409
    assert token_of(shop) is None


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "Pay\u202elaP", "Аррӏе", "Ada\u200b"])
def test_line_73_names_that_mislead(browser: Browser, live: Live, name: str) -> None:
    shop = live.provider(name=name)
    page = browser.get(browser.scanned(code(shop, limit=10))).text
    assert "characters that can mislead" in page
    assert "<script>alert" not in page
    assert not {"\u202e", "\u200b"} & set(page), "what hides or turns text stands as its number"
    assert "has not verified" in page


def test_line_74_a_relayed_code_shows_who_how_much_and_for_how_long(browser: Browser, live: Live) -> None:
    shown = {}
    for name, verified in (("Ada’s Answers", True), ("Ada’s Answers!", False)):
        shop = live.provider(name=name, verified=verified)
        asking = code(shop, limit=50_000, provider_username="mallory", verified=True, provider_name="Your Bank")
        shown[verified] = browser.get(browser.scanned(asking)).text
        assert f"{name}</bdi>" in shown[verified] and f"<code>{shop.slug}</code>" in shown[verified]
        assert "Your Bank" not in shown[verified], "who it is, the directory says, and not the code"
        assert ">mallory<" in shown[verified] and "0.5 USD" in shown[verified]
        assert re.search(r'<option value="month" selected>30 days', shown[verified])
    assert "has verified this provider" in shown[True] and "has not verified" not in shown[True]
    assert "has verified this provider" not in shown[False] and "has not verified" in shown[False]


def test_line_75_nowhere_else_to_go_on_to(browser: Browser) -> None:
    for after in (
        "https://evil.example",
        "//evil.example",
        "/wallet//evil.example",
        "/\\evil",
        "javascript:alert(1)",
        "/v1/wallets",
        "/walletx",
        "/wallet/../v1",
    ):
        found = browser.post("/wallet/sign-in", email=browser.email, password=PASSWORD, next=after)
        assert found.status_code == 422, after
        assert browser.http.get("/wallet/sign-in", params={"next": after}).status_code == 422, after
    done = browser.post("/wallet/sign-in", email=browser.email, password=PASSWORD, next="/wallet/history")
    assert done.headers["location"] == "/wallet/history"


def test_line_76_a_flood_of_requests(browser: Browser, shop: Provider) -> None:
    page = browser.get("/wallet/scan")
    answers = [browser.submit(page, "/wallet/scan", code=code(shop)).status_code for _ in range(52)]
    assert answers == [303] * 50 + [429] * 2


def test_line_77_scanning_grants_nothing(browser: Browser, shop: Provider) -> None:
    browser.scanned(code(shop, limit=10))
    assert token_of(shop) is None
    assert "Nobody can draw" in browser.get("/wallet").text


def test_what_is_somebody_elses_is_not_there(browser: Browser, shop: Provider) -> None:
    connection, path = approved(browser, shop, limit="0.1"), browser.scanned(code(shop, limit=10))
    shop.charge(token_of(shop), amount=1)
    item = re.findall(r"/wallet/history/tr_\w+", browser.get("/wallet/history").text)[0]
    other = Browser(browser.live).sign_up()
    csrf = Fields(other.get("/wallet/account").text).forms["/wallet/sign-out"]["csrf"]
    for asked in (connection, f"{connection}/live", path, item):
        found = other.get(asked)
        assert found.status_code == 404
        assert found.text == other.get(re.sub(r"_\d+", "_999999", asked)).text
    for asked in (f"{connection}/revoke", f"{connection}/change", f"{path}/approve", f"{path}/decline"):
        assert other.post(asked, csrf=csrf, limit="0.01").status_code == 404
    assert "of 0.1 USD" in browser.get(connection).text


BAD_CODES = [
    "",
    "{",
    "[]",
    "null",
    "x",
    '{"provider_id": "p"}',
    '{"provider_id":"nobody-here","provider_username":"u"}',
]


BAD_CODES = ["", "{", "[]", "null", "x", '{"provider_id": "p"}', '{"a":1,"a":2}', "{" * 3000]
BAD_CODES += [f'{{"provider_id":{slug},"provider_username":"u"}}' for slug in ('"nobody-here"', "1", '"A B"')]


@pytest.mark.parametrize("text", BAD_CODES)
def test_codes_that_are_none(browser: Browser, text: str) -> None:
    found = browser.submit(browser.get("/wallet/scan"), "/wallet/scan", code=text)
    assert found.status_code == 422
    assert 'role="alert"' in found.text


@pytest.mark.parametrize("limit", ["0", "-5", "1e400", "NaN", '"x"', "0.0000001", "10000000000000000000000", "true"])
def test_limits_of_codes_that_are_none(browser: Browser, shop: Provider, limit: str) -> None:
    text = code(shop)[:-1] + f', "limit": {limit}}}'
    assert browser.submit(browser.get("/wallet/scan"), "/wallet/scan", code=text).status_code == 422


@pytest.mark.parametrize(
    "terms",
    [
        {"limit": ""},
        {"limit": "0"},
        {"limit": "0.0000001"},
        {"limit": "0.6"},
        {"limit": "1e99"},
        {"limit": "٣"},
        {"limit": "0.1", "charge_limit": "-1"},
        {"limit": "0.1", "period": "year"},
    ],
    ids=str,
)
def test_terms_that_are_none(browser: Browser, shop: Provider, terms: dict[str, str]) -> None:
    path = browser.scanned(code(shop, limit=50_000))
    found = browser.submit(browser.get(path), f"{path}/approve", **({"period": "day"} | terms))
    assert found.status_code == 422
    assert token_of(shop) is None


def test_forms_that_are_none(browser: Browser) -> None:
    bodies = {b"csrf=1&csrf=2": 400, b"a=%00": 422, b"a=%ff": 400, b"\xff": 400, b"&".join([b"a=1"] * 99): 400}
    for body, status in bodies.items():
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert browser.http.post("/wallet/scan", content=body, headers=headers).status_code == status, body
    assert browser.http.post("/wallet/scan", json={}).status_code == 415
    big = "x" * 1_100_000
    assert browser.post("/wallet/sign-in", email=browser.email, password=big).status_code == 413


def test_line_61_a_password_beyond_all_measure(browser: Browser) -> None:
    long = "x" * 900_000
    assert browser.post("/wallet/sign-in", email=browser.email, password=long).status_code == 401
    assert browser.post("/wallet/sign-up", email=f"x{browser.email}", password=long).status_code == 422


@pytest.mark.parametrize(("email", "password"), [("x", PASSWORD), ("", PASSWORD), ("a@example.org", "short")])
def test_sign_ups_that_are_none(live: Live, email: str, password: str) -> None:
    found = Browser(live).post("/wallet/sign-up", email=email, password=password)
    assert found.status_code == 422
    assert 'role="alert"' in found.text
