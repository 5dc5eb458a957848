"""The console as somebody with a key sees it."""

import re

from tests.support.browsing import Browser, Fields
from tests.support.live import ADMIN_KEY, Live
from tests.support.processes import until


def signed_in(live: Live, key: str = ADMIN_KEY) -> Browser:
    """A browser that is signed in to the console."""
    found = Browser(live)
    done = found.post("/console/sign-in", key=key)
    assert done.status_code == 303, done.text
    return found


def with_scopes(owner: Browser, scopes: str) -> Browser:
    """A browser that is signed in with a new administrator's key that may do so much."""
    made = owner.submit(owner.get("/console/keys"), "/console/keys", name="desk", scopes=scopes)
    return signed_in(owner.live, re.findall(r"fbx_admin_[0-9a-f]{48}", made.text)[0])


def viewer_of(owner: Browser) -> Browser:
    """Somebody who only looks on."""
    return with_scopes(owner, "read only (viewer)")


def operator_of(owner: Browser) -> Browser:
    """Somebody who works in the console."""
    return with_scopes(owner, "work in the console (operator)")


def csrf_of(browser: Browser, path: str = "/console/charges") -> str:
    """What stands in every form of this session."""
    return Fields(browser.get(path).text).forms["/console/sign-out"]["csrf"]


def proved(browser: Browser) -> None:
    """The books are audited from the page, and found right."""
    assert browser.submit(browser.get("/console/books"), "/console/books/prove").status_code == 303
    until(lambda: "The books are right" in browser.get("/console/books/live").text)
