"""The wallet in a browser, with the published client on the other side."""

import re
from pathlib import Path

import segno
from playwright.sync_api import expect

from tests.pages.story import before_a_code, sign_in, whole_story
from tests.support.browsing import Browser
from tests.support.chromium import Watched
from tests.support.live import Live, Provider


def test_scan_approve_less_watch_and_revoke(live: Live, tmp_path: Path) -> None:
    ada = Browser(live).sign_up("5")
    with before_a_code(live, tmp_path) as (watched, shop):
        sign_in(watched, ada.email)
        whole_story(watched, shop)


def test_a_picture_is_read_in_the_browser(live: Live, shop: Provider, watched: Watched, tmp_path: Path) -> None:
    ada = Browser(live).sign_up("5")
    code = f'{{"provider_id":"{shop.slug}","provider_username":"ada","limit":100}}'
    segno.make(code).save(str(tmp_path / "code.png"), scale=6)
    sign_in(watched, ada.email)
    page = watched.open("/wallet/scan")
    page.get_by_label("A picture of the code").set_input_files(tmp_path / "code.png")
    expect(page.get_by_role("heading", name=re.compile("asks to draw"))).to_be_visible()
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_role("heading", name="Declined")).to_be_visible()
    assert not watched.wrong
