"""The story of one connection, however the person has signed in: scan, approve less, watch, revoke."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.browsing import PASSWORD
from tests.support.chromium import Watched, camera_on, chromium
from tests.support.live import Live
from tests.support.shops import ConxaShop

RELEASE = "conxa-sdk-1.3.4"


def sign_in(watched: Watched, email: str) -> None:
    """By password. A browser tells what is not 2xx as an error: signed out is 401, and nothing is wrong with that."""
    page = watched.open("/wallet")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Available")).to_be_visible()
    watched.wrong.clear()


@contextmanager
def before_a_code(live: Live, folder: Path, host: str = "127.0.0.1") -> Iterator[tuple[Watched, ConxaShop]]:
    """A page of a browser whose camera sees the code that a shop has made with the published client."""
    shop = ConxaShop(live, RELEASE)
    live.admin.patch(f"/v1/providers/{shop.provider.slug}", json={"name": "Story Shop", "verified": True})
    made = shop.client.returned("create_payment_qr", provider_username=shop.user, limit=50_000)
    picture = Image.open(io.BytesIO(base64.b64decode(made["qr_image"])))
    with chromium(*camera_on(picture, folder / "code.y4m")) as browser:
        context = browser.new_context(permissions=["camera"])
        yield Watched(live, context, host), shop
        context.close()
    shop.client.close()


def scan(page: Page, shop: ConxaShop) -> None:
    """By the camera; and it grants nothing."""
    page.get_by_role("link", name="Scan", exact=True).click()
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_role("heading", name="Story Shop asks to draw on your wallet")).to_be_visible()
    expect(page.get_by_text("has verified this provider")).to_be_visible()
    expect(page.get_by_text("0.5 USD").first).to_be_visible()
    assert shop.client.returned("get_session_status", provider_username=shop.user)["status"] == "pending"


def approve_less(page: Page, shop: ConxaShop) -> str:
    """Two cents of half a dollar; the token that the shop hears of."""
    page.get_by_label("At most, in all").fill("0.02")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Used 0 of 0.02 USD")).to_be_visible()
    token: str = shop.client.returned("get_session_status", provider_username=shop.user)["session_token"]
    return token


def charge_to_the_limit(page: Page, shop: ConxaShop, token: str) -> None:
    """Charges until the limit stops them; the page moves by itself."""
    page.evaluate("window.sameDocument = true")
    assert charge(shop, token, 500)["approved"]  # 500 tokens in: half a cent
    expect(page.get_by_text("Used 0.005 of 0.02 USD")).to_be_visible()
    assert charge(shop, token, 1500)["approved"]
    expect(page.get_by_text("Used 0.02 of 0.02 USD")).to_be_visible()
    refused = charge(shop, token, 1)
    assert (refused["approved"], refused["error_code"]) == (False, "HARD_CAP_VIOLATION")
    expect(page.get_by_text("refused")).to_be_visible()
    assert page.evaluate("window.sameDocument"), "the numbers moved without a reload"


def revoke(page: Page, shop: ConxaShop, token: str) -> None:
    """Ends it while it runs: the next charge is refused."""
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("This connection is revoked")).to_be_visible()
    ended = charge(shop, token, 1)
    assert (ended["approved"], ended["error_code"]) == (False, "NO_CHARGE_PERMISSION")
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_text("4.98 USD").first).to_be_visible()


def whole_story(watched: Watched, shop: ConxaShop) -> None:
    """From the code to the refusal after the revocation, for somebody who is signed in and has 5 USD."""
    page = watched.page
    scan(page, shop)
    token = approve_less(page, shop)
    charge_to_the_limit(page, shop, token)
    revoke(page, shop, token)
    assert not watched.wrong


def charge(shop: ConxaShop, token: str, tokens: int) -> dict[str, Any]:
    """What the published client says of a charge for so many tokens."""
    found: dict[str, Any] = shop.charge(token, tokens, 0)["returned"]
    return found
