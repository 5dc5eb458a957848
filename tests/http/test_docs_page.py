"""The page for people: whole, self-contained, and every example on it works."""

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from farebox.http.dialects.conxa import answers as conxa
from farebox.http.dialects.knai import answers as knai
from farebox.http.dialects.syftbox import answers as syftbox
from farebox.http.docs.dialect import CHARGE_REFUSALS
from farebox.http.docs.dialects import dialects
from farebox.http.docs.examples import EXAMPLES, STORY
from farebox.http.docs.fields import field_of, fields_of
from farebox.http.docs.page import prose
from farebox.http.openapi.codes import CODES
from tests.support.documents import Document
from tests.support.live import ADMIN_KEY, Live, fresh_key, made

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.names.append(str(value))
            if name in ("href", "src"):
                self.links.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"


@pytest.fixture(scope="module")
def answer(live: Live) -> httpx.Response:
    return httpx.get(f"{live.url}/docs")


@pytest.fixture(scope="module")
def page(answer: httpx.Response) -> Page:
    return Page(answer.text)


@pytest.fixture(scope="module")
def document(live: Live) -> Document:
    return Document(live.url)


def test_it_is_well_formed_and_names_nothing_twice(page: Page) -> None:
    assert page.open == []
    assert len(set(page.names)) == len(page.names)


def test_every_link_leads_somewhere_here(live: Live, page: Page) -> None:
    for link in set(page.links):
        if link.startswith("#"):
            assert link[1:] in page.names, link
        elif link != "data:,":
            assert link.startswith("/"), f"{link} is not ours"
            assert httpx.get(live.url + link).status_code == 200, link


def test_it_runs_no_script_and_has_no_style_of_its_own(answer: httpx.Response, page: Page) -> None:
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert not page.tags & {"script", "style", "iframe", "form", "object", "embed"}
    assert not {name for name in page.attributes if name.startswith("on") or name == "style"}


def test_headers_keep_browsers_from_guessing(live: Live, answer: httpx.Response) -> None:
    private = live.admin.get("/v1/wallets")
    wrong = live.client(None).get("/v1/wallets")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for found in (answer, private, wrong):
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"
    assert private.headers["cache-control"] == wrong.headers["cache-control"] == "no-store"
    assert wrong.headers["www-authenticate"] == "Bearer"
    assert httpx.get(f"{live.url}/docs", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_the_style_names_no_other_place(live: Live) -> None:
    style = httpx.get(f"{live.url}/docs/style.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in style.text
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_every_code_and_every_operation_has_its_place(page: Page, document: Document) -> None:
    assert set(CODES) <= set(page.names)
    assert set(document.operations) <= set(page.names)
    assert {route.id for dialect in dialects() for route in dialect.routes} <= set(page.names)


def test_a_problem_points_at_its_line(live: Live, page: Page) -> None:
    problem = live.admin.get("/v1/grants/gr_0").json()
    assert problem["type"] == "/docs#not_found"
    assert problem["type"].removeprefix("/docs#") in page.names


@pytest.mark.parametrize(
    ("name", "refusals"), [("CONXA", conxa.REFUSALS), ("KNAI", knai.REFUSALS), ("SyftBox", syftbox.REFUSALS)]
)
def test_a_dialect_tells_all_its_codes(name: str, refusals: dict[Any, Any]) -> None:
    (dialect,) = [each for each in dialects() if each.name == name]
    told = {(answer.status, answer.code) for answer in dialect.answers}
    assert {refusals[refusal][:2] for refusal in CHARGE_REFUSALS} <= told
    assert {401, 402, 403, 409, 422, 429, 503} <= {status for status, _ in told}


def test_what_stands_in_a_description_is_text() -> None:
    assert prose("`<b>` & <i>") == "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"


def test_fields_are_told_with_their_bounds() -> None:
    components = {"Inner": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "default": 0}}}}
    schema = {
        "type": "object",
        "required": ["many"],
        "properties": {
            "many": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}, "maxItems": 3},
            "maybe": {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 9}, {"type": "null"}]},
        },
    }
    many, inner, maybe = fields_of(schema, components)
    assert (many.name, many.kind, many.required, many.rules) == ("many", "list of objects", True, ("at most 3",))
    assert (inner.name, inner.rules) == ("many[].n", ("from 0", "default `0`"))
    assert (maybe.kind, maybe.required, maybe.rules) == ("string or null", False, ("1 to 9 characters",))
    assert field_of("x", {"enum": ["a", "b"]}, {}, required=False).rules == ("one of `a`, `b`",)


@pytest.fixture
def told(make_live: Callable[..., Live]) -> dict[str, str]:
    """A server at the story's beginning, and what the story takes as given."""
    live = make_live()
    admin = live.admin
    made(admin.post("/v1/providers", json={"slug": "other", "name": "Other"}))
    wallet = live.wallet(5_000_000, "USD")
    code = {"provider_id": "other", "provider_username": "grace"}
    request = made(admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": code}))["id"]
    return {"FAREBOX": live.url, "ADMIN_KEY": ADMIN_KEY, "OTHER_REQUEST": request, "OTHER_WALLET": wallet}


def test_every_operation_has_one_example(document: Document) -> None:
    routes = {route.id for dialect in dialects() for route in dialect.routes}
    assert set(EXAMPLES) == set(document.operations) | routes
    assert len(EXAMPLES) == len(STORY)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl, which the examples are for")
def test_every_example_works_and_is_answered_as_documented(told: dict[str, str], document: Document) -> None:
    routes = {route.id: route.method for dialect in dialects() for route in dialect.routes}
    for example in STORY:
        if example.operation == "holds.release":
            told["OTHER_HOLD"] = another_hold(told)
        if example.operation == "syftbox.cancel":
            told["OTHER_PAYMENT"] = another_payment(told)
        body, status = ran(example.curl((document.methods | routes)[example.operation]), told)
        if example.operation in routes:
            assert status == 200, body
        elif status != 204 and example.operation != "operations.metrics":
            document.allows(example.operation, status, "application/json", json.loads(body))
        assert status < 300, body
        for variable, member in example.keeps:
            told[variable] = functools.reduce(lambda found, name: found[name], member.split("."), json.loads(body))


def ran(command: str, told: dict[str, str]) -> tuple[str, int]:
    """What an example prints, and the status that it gets."""
    measured = command.replace("curl ", "curl --silent --show-error --write-out '\\n%{http_code}' ", 1)
    done = subprocess.run(["bash", "-euc", measured], env=os.environ | told, capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return body, int(status)


def another_payment(told: dict[str, str]) -> str:
    body = {"senderEmail": "ada@example.org", "recipientEmail": "chat@example.org", "amount": 0.1}
    ada = ("ada@example.org", told["PASSWORD"])
    made = httpx.post(f"{told['FAREBOX']}/syftbox/transaction/create", json=body, auth=ada).json()
    number: str = made["transaction"]["id"]
    return number


def another_hold(told: dict[str, str]) -> str:
    headers = {"Authorization": f"Bearer {told['PROVIDER_KEY']}"} | fresh_key()
    body = {"session_token": told["SESSION_TOKEN"], "amount": 1}
    hold: str = made(httpx.post(f"{told['FAREBOX']}/v1/holds", json=body, headers=headers))["id"]
    return hold
