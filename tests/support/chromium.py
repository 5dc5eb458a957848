"""A real Chromium: Debian's, driven by Playwright, with an eye on everything a page must not do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.support.live import Live

PROGRAM = shutil.which("chromium")
WIDTHS = (360, 768, 1440)
SMALLEST = 320
_OUTSIDE = """() => [...document.querySelectorAll("body > *, .bar nav a, button, .button, .item, .facts > *")]
    .filter(one => one.checkVisibility() && !one.closest(".wide, .bar.top nav, .skip"))
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => one.outerHTML.slice(0, 80))"""
_SERIOUS = ("serious", "critical")
expect.set_options(timeout=20_000)  # a busy machine is no failure


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        yield launched(playwright, *arguments)


def launched(playwright: Playwright, *arguments: str) -> Browser:
    """A browser of a Playwright that runs."""
    # Root has no sandbox to put it into; where tests run, nothing but this project's pages is opened.
    return playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", *arguments])


def camera_on(picture: Image.Image, video: Path) -> tuple[str, ...]:
    """Arguments for a browser whose camera sees a picture: an uncompressed video of it, made here."""
    width, height = 640, 480
    frame = Image.new("L", (width, height), 255)
    small = picture.convert("L").resize((400, 400), Image.Resampling.NEAREST)
    frame.paste(small, ((width - 400) // 2, (height - 400) // 2))
    grey = bytes([128]) * (width * height // 2)
    one = b"FRAME\n" + frame.tobytes() + grey
    video.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + one * 5)
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    )


_BARS = (360, 768)
"""The widths of a bar at the bottom, and of one at the top."""
_COVERED = """() => {
    const bar = document.querySelector(".bar");
    if (!bar || !["fixed", "sticky"].includes(getComputedStyle(bar).position)) return [];
    const steps = [...document.querySelectorAll("main :is(a[href], button, input, select, textarea, summary)")]
        .filter(one => one.type !== "hidden" && one.checkVisibility());
    const covered = [];
    for (const order of [steps, steps.toReversed()]) {
        for (const one of order) {
            one.focus();
            const [at, behind] = [one.getBoundingClientRect(), bar.getBoundingClientRect()];
            if (at.top >= behind.top && at.bottom <= behind.bottom) covered.push(one.outerHTML.slice(0, 80));
        }
    }
    document.activeElement.blur();
    scrollTo(0, 0);
    return covered;
}"""


class Watched:
    """A page, and what it did that it must not: errors, blocked content, requests to anybody else."""

    def __init__(self, live: Live, context: BrowserContext, host: str = "127.0.0.1") -> None:
        self.url = live.url.replace("127.0.0.1", host)
        self.wrong: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._asked)

    def open(self, path: str) -> Page:
        """Goes to a page of the server."""
        self.page.goto(self.url + path)
        return self.page

    def check(self, name: str, folder: Path | None = None, *, dark: bool = False) -> None:
        """Holds the page that is shown to it: nothing went wrong, no barrier, no break at any width; `dark`, too."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 800})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} wide at {width}"
            if folder is not None:
                self.page.screenshot(path=folder / f"{name}-{width}.png", full_page=width != WIDTHS[0])
            if width in _BARS:
                self._check_focus(name)
        self._check_large_letters(name)
        self._check_barriers(name, Axe().run(self.page).response)
        if dark:
            self.page.emulate_media(color_scheme="dark")
            self._check_barriers(
                f"{name}, dark", self.page.evaluate("axe.run(document, {runOnly: ['color-contrast']})")
            )
            if folder is not None:
                self.page.screenshot(path=folder / f"dark-{name}.png")
            self.page.emulate_media(color_scheme="light")
        assert not self.wrong, f"{name}: {self.wrong}"

    def _check_focus(self, name: str) -> None:
        """Nothing that is gone to by keyboard lies behind the bar (WCAG 2.4.11)."""
        covered = self.page.evaluate(_COVERED)
        assert not covered, f"{name}: behind the bar when they are gone to: {covered}"

    def _check_large_letters(self, name: str) -> None:
        """On the smallest phone, as it is and with letters of twice the size, nothing leaves the page."""
        self.page.set_viewport_size({"width": SMALLEST, "height": 800})
        for size in ("", "200%"):
            self.page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
            outside = self.page.evaluate(_OUTSIDE)
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert (outside, wide <= SMALLEST) == ([], True), f"{name} is {wide} wide, letters {size}: {outside}"
        self.page.evaluate("document.documentElement.style.fontSize = ''")

    def _check_barriers(self, name: str, told: Any) -> None:
        found = told["violations"]
        barriers = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found if one["impact"] in _SERIOUS]
        assert not barriers, f"{name}: {barriers}"

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.wrong.append(f"a request to {request.url}")
