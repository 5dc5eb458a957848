"""A browser without a screen: cookies, forms and their hidden fields, over plain HTTP."""

import json
import re
import uuid
from html.parser import HTMLParser
from typing import Any

import httpx

from tests.support.live import Live, Provider

MODEL = "pages-1"
PASSWORD = "correct horse battery"


class Fields(HTMLParser):
    """The hidden and filled-in fields of the forms of a page, by the form's action."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._action = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = given.get("action", "")
            self.forms[self._action] = {}
        elif tag == "input" and self._action and given.get("type") not in ("file", "checkbox"):
            self.forms[self._action][given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._action = ""


class Browser:
    """Goes from page to page as a person's browser does."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.http = httpx.Client(base_url=live.url, timeout=30, headers={"Origin": live.url})
        self.email = f"p{uuid.uuid4().hex[:12]}@example.org"

    def get(self, path: str, **asked: str) -> httpx.Response:
        """A page."""
        return self.http.get(path, params=asked or None)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """A form, as it is given here."""
        return self.http.post(path, data=fields, headers=headers)

    def submit(self, page: httpx.Response, action: str, **fields: str) -> httpx.Response:
        """The form of a page with this action, with some of its fields filled in."""
        return self.http.post(action, data=Fields(page.text).forms[action] | fields)

    def confirm(self, page: httpx.Response, action: str, reason: str = "as agreed", **fields: str) -> httpx.Response:
        """The same, and then the form that says what will happen, with the reason."""
        asked = self.submit(page, action, reason=reason, **fields)
        assert asked.status_code == 200 and "This will happen" in asked.text, asked.text
        return self.submit(asked, action)

    def sign_up(self, dollars: str = "0", password: str = PASSWORD) -> "Browser":
        """A new person, who is signed in."""
        done = self.post("/wallet/sign-up", email=self.email, password=password)
        assert (done.status_code, done.headers.get("location")) == (303, "/wallet"), done.text
        if dollars != "0":
            self.credit(dollars)
        return self

    def credit(self, dollars: str) -> None:
        """Money into the person's wallet."""
        body = f'{{"recipientEmail": "{self.email}", "amount": {dollars}}}'
        headers = {"Content-Type": "application/json"}
        assert self.live.admin.post("/syftbox/user/add-balance", content=body, headers=headers).status_code == 200

    @property
    def wallet(self) -> str:
        """The number of the person's wallet."""
        found = re.search(r"\d{4} \d{4} \d{4} \d{4}", self.get("/wallet").text)
        assert found
        return found[0].replace(" ", "")

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name."""
        return {str(cookie.name): str(cookie.value) for cookie in self.http.cookies.jar}

    def scanned(self, code: Any) -> str:
        """Where the page about what a code asks for is."""
        done = self.submit(self.get("/wallet/scan"), "/wallet/scan", code=code)
        assert done.status_code == 303, done.text
        return str(done.headers["location"])


def code(provider: Provider, **more: Any) -> str:
    """What a provider's QR code says."""
    return json.dumps({"provider_id": provider.slug, "provider_type": "api", "provider_username": "ada"} | more)


def approved(browser: Browser, provider: Provider, **terms: str) -> str:
    """The path of a new connection, approved in the wallet."""
    path = browser.scanned(code(provider, limit=50_000))
    done = browser.submit(browser.get(path), f"{path}/approve", **({"period": "day"} | terms))
    assert done.status_code == 303, done.text
    return str(done.headers["location"])


def token_of(provider: Provider, user: str = "ada") -> Any:
    """The session token that the provider hears of; None where nothing was granted."""
    found = provider.conxa().get("/providers/session/status", params={"provider_username": user}).json()
    return found.get("session_token")
