"""Every page of the wallet, empty and overfull, refused and broken, light and dark: for everybody, at every width."""

import json
import re
from pathlib import Path

import pytest
from msgspec import Struct
from playwright.sync_api import Page, expect

from farebox.http.web.assets import assets
from tests.pages.story import sign_in
from tests.support.browsing import Browser, Fields, approved, code, token_of
from tests.support.chromium import Watched
from tests.support.live import Live, Provider, fresh_key, made

MOST_BYTES = 200_000
TOUCH = 44
LONG = "W" * 60 + "i" * 60
BENT = "\u202eevil\u202c <b>bold</b> 小さな店 ﷽"
EMPTY = {
    "home": "/wallet",
    "connections": "/wallet/connections",
    "limits": "/wallet/limits",
    "history": "/wallet/history",
    "nothing-found": "/wallet/history?q=nothing",
    "send": "/wallet/send",
    "ask": "/wallet/ask",
    "tokens": "/wallet/tokens",
    "statement": "/wallet/statement?month=2020-01",
    "account": "/wallet/account",
    "scan": "/wallet/scan",
}
SMALL = """least => [...document.querySelectorAll(
    "button, .button, input:not([type=hidden]), select, textarea, nav a, a.card, a.item, .alone a")]
    .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < least)
    .map(one => `${one.outerHTML.slice(0, 80)} is ${one.getBoundingClientRect().height} high`)"""


class Somebody(Struct):
    """A person who has everything, and the pages of it."""

    browser: Browser
    paths: dict[str, str]


@pytest.fixture(scope="module")
def ada(live: Live) -> Somebody:
    """Long names and bent ones, huge amounts, everything in each of its states."""
    browser = Browser(live).sign_up()
    paths: dict[str, str] = {}
    shop = live.provider(name=BENT)
    good = live.provider(name="Ada’s Answers", verified=True)
    for model in ("answers-large", LONG):
        live.price(model, good.slug, asset="USD", input_token="0.000003", output_token="0.000015", call="0.25")
    path = f"/v1/wallets/{browser.wallet}/deposits"
    made(live.admin.post(path, json={"amount": 2**62, "note": BENT}, headers=fresh_key()))
    paths |= requests(browser, shop, good)
    paths |= charges(browser, good)
    paths |= payments(browser, live)
    limit = browser.get("/wallet/limits")
    for period, amount in (("DAILY", "9223372036854"), ("YEARLY", "1")):
        browser.submit(limit, "/wallet/limits", period=period, amount=amount)
    browser.submit(browser.get("/wallet/ask"), "/wallet/ask", amount="4611686018427", reason=LONG)
    return Somebody(browser, paths | {f"full-{name}": path for name, path in EMPTY.items() if name != "scan"})


def requests(browser: Browser, shop: Provider, good: Provider) -> dict[str, str]:
    """What a code asks for: to be answered, declined, approved."""
    found = {}
    for name, provider, user in (("bent", shop, LONG), ("request", good, "ada"), ("declined", good, "b")):
        found[name] = browser.scanned(json.dumps({"provider_id": provider.slug, "provider_username": user}))
    browser.submit(browser.get(found["declined"]), f"{found['declined']}/decline")
    found["answered"] = browser.scanned(json.dumps({"provider_id": good.slug, "provider_username": LONG}))
    page = browser.get(found["answered"])
    done = browser.submit(page, f"{found['answered']}/approve", limit="4611686018427.387903", period="month")
    return found | {"connection": done.headers["location"]}


def charges(browser: Browser, shop: Provider) -> dict[str, str]:
    """A charge that explains itself, one that is given back, a refusal, a connection that has ended."""
    ended = browser.scanned(json.dumps({"provider_id": shop.slug, "provider_username": "ended", "limit": 100}))
    done = browser.submit(browser.get(ended), f"{ended}/approve", period="hour")
    revoked = done.headers["location"]
    browser.submit(browser.get(revoked), f"{revoked}/revoke")
    status = shop.conxa().get("/providers/session/status", params={"provider_username": LONG}).json()
    token = status["session_token"]
    made(shop.charge(token, amount=2**61))
    usage = {"input_tokens": 123_456_789, "output_tokens": 4_000_000, "calls": 3}
    made(shop.charge(token, model=LONG, usage=usage))
    back = made(shop.charge(token, model="answers-large", usage={"input_tokens": 1, "output_tokens": 0}))
    shop.api.post(f"/v1/charges/{back['id']}/refunds", json={"amount": 1}, headers=fresh_key()).raise_for_status()
    assert shop.charge(token, amount=2**62).status_code == 403
    items = re.findall(r"/wallet/history/tr_\w+", browser.get("/wallet/history").text)
    return {"revoked": revoked} | dict(zip(("refusal", "refund", "given-back", "charge"), items, strict=False))


def payments(browser: Browser, live: Live) -> dict[str, str]:
    """One that waits for a confirmation, and a token."""
    bob = Browser(live).sign_up()
    page = browser.get("/wallet/send")
    sent = browser.submit(page, "/wallet/send", recipient=bob.email, amount="1234567.891", note=BENT)
    terms = {"recipient": bob.email, "limit": "4611686", "period": "day"}
    assert browser.submit(browser.get("/wallet/tokens"), "/wallet/tokens", **terms).status_code == 200
    return {"payment": sent.headers["location"]}


def check(watched: Watched, name: str, folder: Path | None) -> None:
    """As every page is held to it; and what is pressed is large enough for a finger."""
    watched.check(name, folder, dark=True)
    watched.page.set_viewport_size({"width": 360, "height": 800})
    small = watched.page.evaluate(SMALL, TOUCH)
    assert not small, f"{name}: {small}"


def test_the_door(live: Live, watched: Watched, folder: Path | None) -> None:
    page = watched.open("/wallet/sign-up")
    check(watched, "sign-up", folder)
    fill_in(page, "nobody@example.org", "short but valid")
    watched.open("/wallet/sign-in")
    check(watched, "sign-in", folder)
    fill_in(page, "nobody@example.org", "it is not")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    watched.wrong.clear()  # a browser tells what is not 2xx as an error
    check(watched, "sign-in-wrong", folder)


def fill_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)


def test_empty_pages_say_what_to_do(live: Live, watched: Watched, folder: Path | None) -> None:
    sign_in(watched, Browser(live).sign_up().email)
    for name, path in EMPTY.items():
        watched.open(path)
        watched.check(f"empty-{name}", folder)


def test_full_pages(ada: Somebody, watched: Watched, folder: Path | None) -> None:
    sign_in(watched, ada.browser.email)
    for name, path in ada.paths.items():
        watched.open(path)
        expect(watched.page.locator("h1")).to_be_visible()
        check(watched, name, folder)


def test_an_ordinary_wallet(live: Live, shop: Provider, watched: Watched, folder: Path | None) -> None:
    """What most people see; the pictures of the documentation."""
    ada = Browser(live).sign_up("25.50")
    paths = {"home": "/wallet", "limits": "/wallet/limits"}
    paths["connection"] = approved(ada, shop, limit="0.40", period="month")
    ada.submit(ada.get("/wallet/limits"), "/wallet/limits", period="DAILY", amount="1")
    for tokens in (1200, 3400, 15_000):
        usage = {"input_tokens": tokens, "output_tokens": tokens // 4}
        made(shop.charge(token_of(shop), model="answers-large", usage=usage))
    assert shop.charge(token_of(shop), amount=950_000).status_code == 403
    paths["request"] = ada.scanned(code(shop, limit=200_000, provider_username="ada-2"))
    sign_in(watched, ada.email)
    for name, path in paths.items():
        watched.open(path)
        check(watched, name, folder)
        watched.page.emulate_media(color_scheme="dark")
        if folder is not None:
            watched.page.screenshot(path=folder / f"dark-{name}-360.png")
        watched.page.emulate_media(color_scheme="light")


def test_what_goes_wrong_looks_right(ada: Somebody, watched: Watched, folder: Path | None) -> None:
    sign_in(watched, ada.browser.email)
    for name, path in {
        "not-there": "/wallet/nothing",
        "no-connection": "/wallet/connections/gr_1",
        "no-month": "/wallet/statement?month=x",
    }.items():
        watched.open(path)
        watched.wrong.clear()
        check(watched, name, folder)
    for name, (path, fields, button) in {
        "scan-wrong": ("/wallet/scan", {"Or what the code says": LONG}, "Look at what"),
        "send-wrong": ("/wallet/send", {"To (e-mail": "nobody@example.org", "Amount": "1"}, "Go on"),
        "limit-wrong": ("/wallet/limits", {"At most": "0.0000000001"}, "Set it"),
    }.items():
        page = watched.open(path)
        for label, text in fields.items():
            page.get_by_label(label).fill(text)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("alert")).to_be_visible()
        watched.wrong.clear()
        check(watched, name, folder)


def test_the_heaviest_page_is_light(ada: Somebody) -> None:
    """With all its style, scripts and icons, as they cross the wire."""
    every = ("style.css", "app.js", "icon.svg", "worker.js")
    own = {"scan": ("scan.js", "vendor/qr/decode.js"), "account": ("passkey.js",)}
    for name, path in (ada.paths | EMPTY).items():
        with ada.browser.http.stream("GET", path) as answer:
            size = sum(len(part) for part in answer.iter_raw())
        size += sum(len(assets()[one].zipped) for one in (*every, *own.get(name.removeprefix("full-"), ())))
        assert size < MOST_BYTES, f"{name} takes {size} bytes"


def test_forms_keep_what_was_typed(ada: Somebody) -> None:
    page = ada.browser.get("/wallet/send")
    again = ada.browser.submit(page, "/wallet/send", recipient="nobody@example.org", amount="1", note="for lunch")
    assert again.status_code == 404
    assert Fields(again.text).forms["/wallet/send"]["recipient"] == "nobody@example.org"
