"""Pages that move: told by the stream, by asking where there is none, and not at all while nobody looks."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.pages.story import sign_in
from tests.support.browsing import Browser
from tests.support.chromium import Watched
from tests.support.live import Live

HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


class Asked:
    """What a page asks the server for."""

    def __init__(self, page: Page) -> None:
        self.paths: list[str] = []
        page.on("request", lambda asked: self.paths.append(asked.url.rpartition("/wallet/")[2]))

    def count(self, path: str) -> int:
        return self.paths.count(path)


@pytest.fixture
def ada(live: Live, watched: Watched) -> Browser:
    """Somebody with 5 USD, who looks at her first page."""
    found = Browser(live).sign_up("5")
    sign_in(watched, found.email)
    return found


def test_the_stream_tells(ada: Browser, watched: Watched) -> None:
    page = watched.page
    page.add_init_script("window.setInterval = () => 0")  # it never asks by itself: only the stream can move it
    asked = Asked(page)
    with page.expect_response(lambda answer: answer.url.endswith("/wallet/events")):
        watched.open("/wallet")
    ada.credit("1")
    expect(page.get_by_text("6 USD", exact=True).first).to_be_visible()
    assert asked.count("events") == 1
    assert not watched.wrong


def test_without_a_stream_it_asks_and_the_stream_comes_back(ada: Browser, watched: Watched) -> None:
    page, asked = watched.page, Asked(watched.page)

    def broken(route: Route) -> None:
        route.abort()

    page.route("**/wallet/events", broken)
    watched.open("/wallet")
    ada.credit("1")
    expect(page.get_by_text("6 USD", exact=True).first).to_be_visible()
    page.unroute("**/wallet/events", broken)
    with page.expect_response(lambda answer: answer.url.endswith("/wallet/events")) as again:
        pass
    assert again.value.status == 200
    assert asked.count("events") >= 2
    ada.credit("1")
    expect(page.get_by_text("7 USD", exact=True).first).to_be_visible()


def test_a_hidden_page_does_nothing_and_catches_up(ada: Browser, watched: Watched) -> None:
    page = watched.open("/wallet")
    expect(page.get_by_text("5 USD", exact=True).first).to_be_visible()
    page.evaluate(HIDE, True)
    page.wait_for_timeout(500)  # what was on its way
    asked = Asked(page)
    ada.credit("1")
    page.wait_for_timeout(2500)  # longer than it waits between two questions
    assert asked.paths == []
    page.evaluate(HIDE, False)
    expect(page.get_by_text("6 USD", exact=True).first).to_be_visible()
    assert {"events", "live"} <= set(asked.paths)


def test_signing_out_elsewhere_ends_what_is_shown(ada: Browser, watched: Watched) -> None:
    page = watched.open("/wallet/account")
    csrf = page.locator("form[action='/wallet/sign-out'] input[name=csrf]").get_attribute("value") or ""
    watched.open("/wallet")
    answer = page.request.post(
        f"{watched.url}/wallet/sign-out", form={"csrf": csrf}, headers={"Origin": watched.url}, max_redirects=0
    )
    assert answer.status == 303
    expect(page.get_by_role("heading", name="Sign in to your wallet")).to_be_visible()


def test_numbers_that_are_not_of_now_say_so(ada: Browser, watched: Watched) -> None:
    page = watched.open("/wallet")
    expect(page.get_by_text("5 USD", exact=True).first).to_be_visible()
    said = page.get_by_role("status").filter(has_text="No connection")
    expect(said).to_have_count(0)
    page.route("**/wallet/events", lambda route: route.abort())
    page.route("**/wallet/live", lambda route: route.abort())
    page.evaluate(HIDE, True)
    page.evaluate(HIDE, False)
    expect(said).to_be_visible()
    ada.credit("1")
    page.unroute("**/wallet/live")
    expect(page.get_by_text("6 USD", exact=True).first).to_be_visible()
    expect(said).to_have_count(0)


def test_what_moves_is_read_out(ada: Browser, watched: Watched) -> None:
    """By a region that was there before: one that is replaced with its words is not."""
    page = watched.open("/wallet")
    region = page.locator("[role=status].hearable")
    expect(region).to_have_text("")
    region.evaluate("one => { window.first = one }")
    ada.credit("1")
    expect(region).to_have_text("Available 6 USD")
    assert region.evaluate("one => one === window.first")
