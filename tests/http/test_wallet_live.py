"""What tells a wallet's pages that something has moved: everything that they show, and nothing to anybody else."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from farebox.events.pages import PER_WALLET
from tests.support.browsing import PASSWORD, Browser, approved, token_of
from tests.support.live import Live, Provider
from tests.support.processes import until

STREAM = "/wallet/events"


class Watcher:
    """A page's stream, read in a thread of its own."""

    def __init__(self, browser: Browser) -> None:
        self.told = 0
        self.text = ""
        self.ended = threading.Event()
        self._client = httpx.Client(timeout=30, cookies=browser.http.cookies)
        self._stream = self._client.stream("GET", browser.live.url + STREAM)
        self.response = self._stream.__enter__()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(httpx.HTTPError):
            for line in self.response.iter_lines():
                self.text += line + "\n"
                self.told += line.startswith("data:")
        self.ended.set()

    def after(self, act: Callable[[], object]) -> None:
        """Holds it to it that it is told of what `act` does."""
        before = self.told
        act()
        until(lambda: self.told > before)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._client.close()


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watcher]]:
    """Opens streams of the browser's person, or of somebody else."""
    opened: list[Watcher] = []

    def open_(whose: Browser = browser) -> Watcher:
        opened.append(Watcher(whose))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def test_everything_that_pages_show_is_told(browser: Browser, shop: Provider, watch: Callable[..., Watcher]) -> None:
    seen = watch()
    assert seen.response.status_code == 200
    assert seen.response.headers["content-type"].startswith("text/event-stream")
    until(lambda: seen.told == 1)
    connection: list[str] = []
    seen.after(lambda: connection.append(approved(browser, shop, limit="0.4")))
    token = token_of(shop)
    seen.after(lambda: shop.charge(token, amount=100))
    seen.after(lambda: shop.charge(token, amount=9_000_000))  # refused: it changes no balance
    seen.after(lambda: browser.credit("1"))
    limits = browser.get("/wallet/limits")
    seen.after(lambda: browser.submit(limits, "/wallet/limits", period="DAILY", amount="3"))
    page = browser.get(connection[0])
    seen.after(lambda: browser.submit(page, f"{connection[0]}/change", limit="0.3"))
    seen.after(lambda: browser.submit(page, f"{connection[0]}/revoke"))
    assert set(seen.text.split()) <= {"retry:", "2000", "data:", "{}", ":"}, "nothing of the wallet stands in it"


def test_others_are_told_nothing(browser: Browser, shop: Provider, live: Live, watch: Callable[..., Watcher]) -> None:
    stranger, own = watch(Browser(live).sign_up()), watch()
    until(lambda: stranger.told == own.told == 1)
    own.after(lambda: approved(browser, shop, limit="0.4"))
    own.after(lambda: browser.credit("1"))
    assert stranger.told == 1


def test_line_64_it_ends_with_the_session(browser: Browser, watch: Callable[..., Watcher]) -> None:
    here, elsewhere = watch(), Browser(browser.live)
    elsewhere.post("/wallet/sign-in", email=browser.email, password=PASSWORD)
    there = watch(elsewhere)
    browser.submit(browser.get("/wallet/account"), "/wallet/sign-out")
    until(here.ended.is_set)
    there.after(lambda: browser.credit("1"))
    assert not there.ended.is_set()
    third = Browser(browser.live)
    third.post("/wallet/sign-in", email=browser.email, password=PASSWORD)
    page = third.get("/wallet/account")
    done = third.submit(page, "/wallet/account/password", old=PASSWORD, new="another password")
    assert done.status_code == 303
    until(there.ended.is_set)


def test_without_a_session_there_is_none(live: Live, browser: Browser) -> None:
    assert httpx.get(live.url + STREAM).status_code == 401
    ((name, token),) = browser.cookies.items()
    for altered in ("", "x", token[:-1], token + "x"):
        assert httpx.get(live.url + STREAM, cookies={name: altered}).status_code == 401
    assert browser.post(STREAM).status_code == 405


def test_a_person_opens_so_many(browser: Browser, live: Live, watch: Callable[..., Watcher]) -> None:
    opened = [watch() for _ in range(PER_WALLET)]
    answer = browser.get(STREAM)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert watch(Browser(live).sign_up()).response.status_code == 200, "others are not concerned"
    opened[0].close()
    until(lambda: watch().response.status_code == 200)
