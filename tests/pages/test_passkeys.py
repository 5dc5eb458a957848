"""Passkeys in a browser, with Chromium's virtual authenticator."""

from pathlib import Path

from playwright.sync_api import Page, Request, expect

from tests.pages.story import before_a_code, whole_story
from tests.support.browsing import PASSWORD, Browser
from tests.support.chromium import Watched
from tests.support.live import Live

HOST = "localhost"  # an address is no name that a passkey can be bound to
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


def test_the_whole_story_with_a_passkey(live: Live, tmp_path: Path) -> None:
    ada = Browser(live)
    with before_a_code(live, tmp_path, HOST) as (watched, shop):
        with_authenticator(watched.page)
        make_passkey(watched, ada)
        sent = sign_in_by_passkey(watched)
        check_replay(watched, sent)
        ada.credit("5")
        whole_story(watched, shop)
        check_removal(watched)


def make_passkey(watched: Watched, ada: Browser) -> None:
    """Signs up, makes a passkey, signs out."""
    page = watched.open("/wallet/sign-up")
    page.get_by_label("E-mail address").fill(ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open the wallet").click()
    page.get_by_role("link", name="Account").click()
    page.get_by_label("Name of a new one").fill("laptop")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("button", name="Remove laptop")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()


def sign_in_by_passkey(watched: Watched) -> str:
    """Signs in; what the browser has sent."""
    sent: list[str] = []

    def keep(asked: Request) -> None:
        if asked.method == "POST":
            sent.append(asked.post_data or "")

    watched.page.on("request", keep)
    watched.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(watched.page.get_by_role("heading", name="Available")).to_be_visible()
    watched.page.remove_listener("request", keep)
    assert not watched.wrong
    return sent[-1]


def check_replay(watched: Watched, sent: str) -> None:
    """An answer counts once."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": watched.url}
    replayed = watched.page.request.post(f"{watched.url}/wallet/sign-in/passkey", data=sent, headers=headers)
    assert replayed.status == 401


def check_removal(watched: Watched) -> None:
    """A passkey that was removed opens nothing."""
    page = watched.page
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Remove laptop").click()
    page.get_by_role("button", name="Sign out").click()
    with page.expect_response(lambda answer: answer.request.method == "POST") as refused:
        page.get_by_role("button", name="Sign in with a passkey").click()
    assert refused.value.status == 401
    assert page.request.get(f"{watched.url}/wallet").status == 401


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
