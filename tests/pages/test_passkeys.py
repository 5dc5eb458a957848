"""Passkeys in a browser, with Chromium's virtual authenticator."""

import json

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from tests.support.browsing import PASSWORD, Browser
from tests.support.chromium import Watched
from tests.support.live import Live
from tests.support.shops import ConxaShop

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_authenticator(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def test_made_once_and_used_from_then_on(live: Live, browser: Chromium, watched: Watched) -> None:
    page, ada = watched.page, Browser(live)
    here = live.url.replace("127.0.0.1", "localhost")  # an address is no name that a passkey can be bound to
    live_url, watched.live.url = live.url, here
    try:
        with_authenticator(page)
        watched.open("/wallet/sign-up")
        page.get_by_label("E-mail address").fill(ada.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Open the wallet").click()
        page.get_by_role("link", name="Account").click()
        page.get_by_label("Name of a new one").fill("laptop")
        page.get_by_role("button", name="Make a passkey").click()
        expect(page.get_by_role("button", name="Remove laptop")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()

        sent: list[str] = []
        page.on("request", lambda asked: sent.append(asked.post_data or "") if asked.method == "POST" else None)
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_role("heading", name="Available")).to_be_visible()
        assert not watched.wrong
        replayed = page.request.post(
            f"{here}/wallet/sign-in/passkey",
            data=sent[-1],
            headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": here},
        )
        assert replayed.status == 401, "an answer counts once"

        check_charge(live, page, ada)
        page.get_by_role("link", name="Account").click()
        page.get_by_role("button", name="Remove laptop").click()
        page.get_by_role("button", name="Sign out").click()
        with page.expect_response(lambda answer: answer.request.method == "POST") as refused:
            page.get_by_role("button", name="Sign in with a passkey").click()
        assert refused.value.status == 401
        assert page.request.get(f"{here}/wallet").status == 401
    finally:
        live.url = live_url


def check_charge(live: Live, page: Page, ada: Browser) -> None:
    """With a passkey as with a password: a link with a code, less approved, charged, revoked."""
    ada.live, shop = live, ConxaShop(live, "conxa-sdk-1.3.4")
    ada.credit("5")
    code = json.dumps({"provider_id": shop.provider.slug, "provider_username": shop.user, "limit": 50_000})
    page.goto(f"{live.url}/wallet/scan")
    page.get_by_label("Or what the code says").fill(code)
    page.get_by_role("button", name="Look at what is asked for").click()
    page.get_by_label("At most, in all").fill("0.02")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Used 0 of 0.02 USD")).to_be_visible()
    token = shop.client.returned("get_session_status", provider_username=shop.user)["session_token"]
    assert shop.charge(token, 500, 0)["returned"]["approved"]
    expect(page.get_by_text("Used 0.005 of 0.02 USD")).to_be_visible()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("This connection is revoked")).to_be_visible()
    assert not shop.charge(token, 1, 0)["returned"]["approved"]
    shop.client.close()


def test_answers_that_are_none(live: Live) -> None:
    ada = Browser(live).sign_up()
    asked = ada.get("/wallet/sign-in/passkey").json()["challenge"]
    for challenge in ("", "x", asked, asked[:-2] + "AA"):
        for credential in ("", "{}", "[]", "null", '{"id":"AA","rawId":"AA","type":"public-key","response":{}}'):
            found = ada.post("/wallet/sign-in/passkey", challenge=challenge, credential=credential)
            assert found.status_code == 401, (challenge, credential, found.text)
    page = ada.get("/wallet/account")
    for challenge in (asked, ada.get("/wallet/passkeys/creation").json()["challenge"]):
        found = ada.submit(page, "/wallet/passkeys", name="x", challenge=challenge, credential="{}")
        assert found.status_code == 422
    again = ada.submit(page, "/wallet/passkeys", name="x", challenge=challenge, credential="{}")
    assert "answered before" in again.text
    cross = ada.post("/wallet/sign-in/passkey", {"Origin": "https://evil.example"}, challenge=asked, credential="{}")
    assert cross.status_code == 403
    assert ada.submit(page, "/wallet/sign-out").status_code == 303
