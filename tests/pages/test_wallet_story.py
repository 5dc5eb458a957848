"""The wallet in a browser, with the published client on the other side."""

import re
from pathlib import Path

import segno
from playwright.sync_api import expect

from tests.pages.story import before_a_code, sign_in, whole_story
from tests.support.browsing import PASSWORD, Browser
from tests.support.chromium import Watched
from tests.support.live import Live, Provider


def test_scan_approve_less_watch_and_revoke(live: Live, tmp_path: Path) -> None:
    ada = Browser(live).sign_up("5")
    with before_a_code(live, tmp_path) as (watched, shop):
        sign_in(watched, ada.email)
        whole_story(watched, shop)


def test_a_picture_is_read_in_the_browser(live: Live, shop: Provider, watched: Watched, tmp_path: Path) -> None:
    ada = Browser(live).sign_up("5")
    code = f'{{"provider_id":"{shop.slug}","provider_username":"ada","limit":100}}'
    segno.make(code).save(str(tmp_path / "code.png"), scale=6)
    sign_in(watched, ada.email)
    page = watched.open("/wallet/scan")
    page.get_by_label("A picture of the code").set_input_files(tmp_path / "code.png")
    expect(page.get_by_role("heading", name=re.compile("asks to draw"))).to_be_visible()
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_role("heading", name="Declined")).to_be_visible()
    assert not watched.wrong


def test_every_page_is_for_everybody(live: Live, shop: Provider, watched: Watched, folder: Path | None) -> None:
    page = watched.open("/wallet/sign-up")
    watched.check("sign-up", folder)
    ada = Browser(live)
    page.get_by_label("E-mail address").fill(ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open the wallet").click()
    expect(page.get_by_role("heading", name="Available")).to_be_visible()
    watched.check("home-empty", folder)
    ada.credit("25.50")
    ada.post("/wallet/sign-in", email=ada.email, password=PASSWORD)
    request = ada.scanned(f'{{"provider_id":"{shop.slug}","provider_username":"ada","limit":200000}}')
    watched.open(request)
    watched.check("request", folder)
    done = ada.submit(ada.get(request), f"{request}/approve", limit="2.00", period="month")
    connection = done.headers["location"]
    token = shop.conxa().get("/providers/session/status", params={"provider_username": "ada"}).json()["session_token"]
    for tokens in (1200, 3400, 15_000):
        usage = {"input_tokens": tokens, "output_tokens": tokens // 4}
        assert shop.charge(token, model="answers-large", usage=usage).status_code == 201
    shop.charge(token, amount=9_000_000)
    items = re.findall(r"/wallet/history/tr_\w+", ada.get("/wallet/history").text)
    paths = {"home": "/wallet", "scan": "/wallet/scan", "connection": connection, "connections": "/wallet/connections"}
    paths |= {
        "send": "/wallet/send",
        "ask": "/wallet/ask",
        "tokens": "/wallet/tokens",
        "statement": "/wallet/statement",
    }
    paths |= {"history": "/wallet/history", "refusal": items[0], "charge": items[1], "account": "/wallet/account"}
    for name, path in paths.items():
        watched.open(path)
        watched.check(name, folder)


def test_dark_is_readable_too(live: Live, shop: Provider, watched: Watched, folder: Path | None) -> None:
    ada = Browser(live).sign_up("25.50")
    watched.page.emulate_media(color_scheme="dark")
    sign_in(watched, ada.email)
    request = ada.scanned(f'{{"provider_id":"{shop.slug}","provider_username":"ada","limit":200000}}')
    for name, path in {"dark-home": "/wallet", "dark-request": request}.items():
        watched.open(path)
        watched.check(name, folder)
