"""The page for people: whole, self-contained, and every example on it works."""

import functools
import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from farebox.http.docs.dialect import Dialect, Route
from farebox.http.docs.dialects import dialects
from farebox.http.docs.examples import EXAMPLES, STORY
from farebox.http.docs.fields import field_of, fields_of
from farebox.http.docs.page import prose
from farebox.http.framework import DIALECTS
from farebox.http.front import Front
from farebox.http.openapi.codes import CODES
from tests.support.documents import Document
from tests.support.live import ADMIN_KEY, Live, fresh_key, made

DOCS = Path(__file__).parents[2] / "docs" / "dialects"
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


def every_route() -> list[Route]:
    return [route for dialect in dialects() for route in dialect.routes]


def served(live: Live, prefixes: tuple[str, ...]) -> set[tuple[str, str]]:
    """Method and nameless path of all that the server answers below these, the hot routes and the streams too."""
    front = Front(live.services)
    methods = {"GET", "POST", "PUT", "PATCH", "DELETE"}
    found = {
        (method, route.path_format)
        for route in front.framework.routes  # type: ignore[attr-defined]  # the framework's own
        for method in route.methods & methods
    }
    found |= {("POST", path) for path in front.hot}
    found |= {("GET", path) for pattern, _ in front.streams for path in addresses(pattern.pattern)}
    return {(method, nameless(path)) for method, path in found if path.startswith(prefixes)}


def addresses(pattern: str) -> list[str]:
    """The paths of a stream's pattern, in which words stand side by side and names are whatever is no slash."""
    parts = [part.split("|") for part in re.split(r"\((\w+(?:\|\w+)+)\)", pattern.replace("([^/]+)", "{name}"))]
    return ["".join(path) for path in itertools.product(*parts)]


def nameless(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def described(dialect: Dialect) -> set[tuple[int, str]]:
    """Status and code of every error in the table of the dialect's own document."""
    rows = re.findall(r"^\| ([45]\d\d) \| ([^|]+)", (DOCS / f"{dialect.name.lower()}.md").read_text(), re.MULTILINE)
    return {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}


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
    assert {route.id for route in every_route()} <= set(page.names)


def test_a_problem_points_at_its_line(live: Live, page: Page) -> None:
    problem = live.admin.get("/v1/grants/gr_0").json()
    assert problem["type"] == "/docs#not_found"
    assert problem["type"].removeprefix("/docs#") in page.names


def test_every_route_of_a_dialect_has_its_place(live: Live) -> None:
    prefixes = tuple(f"{dialect.prefix}/" for dialect in dialects())
    assert set(prefixes) == {prefix for prefix in DIALECTS if prefix.endswith("/")}
    assert {(route.method, nameless(route.path)) for route in every_route()} == served(live, prefixes)


@pytest.mark.parametrize("dialect", dialects(), ids=lambda dialect: dialect.name)
def test_a_dialect_tells_all_its_codes(dialect: Dialect) -> None:
    told = {(answer.status, answer.code) for answer in dialect.answers}
    assert told == described(dialect)
    assert len(dialect.answers) == len(set(dialect.answers))


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
    routes = {route.id for route in every_route()}
    assert set(EXAMPLES) == set(document.operations) | routes
    assert len(EXAMPLES) == len(STORY)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl, which the examples are for")
def test_every_example_works_and_is_answered_as_documented(told: dict[str, str], document: Document) -> None:
    routes = {route.id: route.method for route in every_route()}
    statuses = {route.id: route.status for route in every_route()}
    for example in STORY:
        if example.operation == "holds.release":
            told["OTHER_HOLD"] = another_hold(told)
        if example.operation == "syftbox.cancel":
            told["OTHER_PAYMENT"] = another_payment(told)
        if example.streams:
            assert "data: {" in heard(example.curl("GET"), told)
            continue
        body, status = ran(example.curl((document.methods | routes)[example.operation]), told)
        if example.operation in statuses:
            assert status == statuses[example.operation], body
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


def heard(command: str, told: dict[str, str]) -> str:
    """What an example that does not end prints until its first message is whole; empty where none comes."""
    watched = command.replace("curl ", "exec curl --silent --show-error --fail --max-time 60 ", 1)
    with subprocess.Popen(["bash", "-euc", watched], env=os.environ | told, stdout=subprocess.PIPE, text=True) as done:
        assert done.stdout is not None
        found = next((line for line in done.stdout if line.startswith("data:")), "")
        done.terminate()
    return found


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
