"""The wallet in a browser, with the published client on the other side: scan, approve less, watch, revoke."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import segno
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.browsing import PASSWORD, Browser
from tests.support.chromium import Watched, camera_on, chromium
from tests.support.live import Live, Provider
from tests.support.shops import ConxaShop

RELEASE = "conxa-sdk-1.3.4"


def sign_in(page: Page, live: Live, email: str) -> None:
    page.goto(f"{live.url}/wallet")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Available")).to_be_visible()


def test_scan_approve_less_watch_and_revoke(live: Live, tmp_path: Path) -> None:
    shop = ConxaShop(live, RELEASE)
    live.admin.patch(f"/v1/providers/{shop.provider.slug}", json={"name": "Story Shop", "verified": True})
    ada = Browser(live).sign_up("5")
    made = shop.client.returned("create_payment_qr", provider_username=shop.user, limit=50_000)
    picture = Image.open(io.BytesIO(base64.b64decode(made["qr_image"])))
    with chromium(*camera_on(picture, tmp_path / "code.y4m")) as browser:
        context = browser.new_context(permissions=["camera"])
        watched = Watched(live, context)
        page = watched.page
        # A browser tells what is not 2xx as an error: signed out is 401, and nothing is wrong with that.
        sign_in(page, live, ada.email)
        watched.wrong.clear()
        check_story(page, shop)
        assert not watched.wrong
        context.close()
    shop.client.close()


def check_story(page: Page, shop: ConxaShop) -> None:
    page.get_by_role("link", name="Scan", exact=True).click()
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_role("heading", name="Story Shop asks to draw on your wallet")).to_be_visible()
    expect(page.get_by_text("has verified this provider")).to_be_visible()
    expect(page.get_by_text("0.5 USD").first).to_be_visible()
    assert shop.client.returned("get_session_status", provider_username=shop.user)["status"] == "pending"
    page.get_by_label("At most, in all").fill("0.02")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Used 0 of 0.02 USD")).to_be_visible()

    status = shop.client.returned("get_session_status", provider_username=shop.user)
    token = status["session_token"]
    page.evaluate("window.sameDocument = true")
    assert charge(shop, token, 500)["approved"]  # 500 tokens in: half a cent
    expect(page.get_by_text("Used 0.005 of 0.02 USD")).to_be_visible()
    assert charge(shop, token, 1500)["approved"]
    expect(page.get_by_text("Used 0.02 of 0.02 USD")).to_be_visible()
    refused = charge(shop, token, 1)
    assert (refused["approved"], refused["error_code"]) == (False, "HARD_CAP_VIOLATION")
    expect(page.get_by_text("refused")).to_be_visible()
    assert page.evaluate("window.sameDocument"), "the numbers moved without a reload"

    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("This connection is revoked")).to_be_visible()
    ended = charge(shop, token, 1)
    assert (ended["approved"], ended["error_code"]) == (False, "NO_CHARGE_PERMISSION")
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_text("4.98 USD").first).to_be_visible()


def charge(shop: ConxaShop, token: str, tokens: int) -> dict[str, Any]:
    found: dict[str, Any] = shop.charge(token, tokens, 0)["returned"]
    return found


def test_a_picture_is_read_in_the_browser(live: Live, shop: Provider, watched: Watched, tmp_path: Path) -> None:
    ada = Browser(live).sign_up("5")
    code = f'{{"provider_id":"{shop.slug}","provider_username":"ada","limit":100}}'
    segno.make(code).save(str(tmp_path / "code.png"), scale=6)
    sign_in(watched.page, live, ada.email)
    watched.wrong.clear()
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
    sign_in(watched.page, live, ada.email)
    watched.wrong.clear()
    request = ada.scanned(f'{{"provider_id":"{shop.slug}","provider_username":"ada","limit":200000}}')
    for name, path in {"dark-home": "/wallet", "dark-request": request}.items():
        watched.open(path)
        watched.check(name, folder)
