"""The examples of `docs/dialects`, run as they stand with the published clients: they print what is printed there."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from farebox.consent import qr
from tests.support.live import ADMIN_KEY, Live, made
from tests.support.published import ROOT, environment

URL = "http://127.0.0.1:8080"
SLUG = "acme-chat"
USER = "ada@example.org"


def example(dialect: str) -> tuple[str, str]:
    """The page's program and what it prints."""
    text = (ROOT / "docs" / "dialects" / f"{dialect}.md").read_text("utf-8")
    found = re.search(r"```python\n(.*?)```.*?```text\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1], found[2]


def started(release: str, program: str, live: Live, key: str, directory: Path) -> "subprocess.Popen[str]":
    """Runs a page's program in a client's environment."""
    assert URL in program
    return subprocess.Popen(
        [environment(release), "-c", program.replace(URL, live.url)],
        cwd=directory,
        env=os.environ | {"PROVIDER_KEY": key},
        stdout=subprocess.PIPE,
        text=True,
    )


def scanned(picture: Path, running: "subprocess.Popen[str]") -> dict[str, object]:
    """What the code says, once the program has drawn it."""
    while True:
        try:
            return qr.read(str(picture))
        except qr.UnreadableCode:
            assert running.poll() is None
            time.sleep(0.05)


def test_the_example_for_conxa(make_live: Callable[..., Live], tmp_path: Path) -> None:
    live = make_live()
    provider = live.provider(SLUG)
    live.price("gpt-4o", asset="USD", input_token="0.0000025", output_token="0.00001")
    wallet = live.wallet(100_000_000)
    program, printed = example("conxa")
    running = started("conxa-sdk-1.3.4", program, live, provider.key, tmp_path)
    code = scanned(tmp_path / "code.png", running)
    request = made(live.admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": code}))
    made(live.admin.post(f"/v1/connection-requests/{request['id']}/approve", json={"terms": request["terms"]}))
    assert running.communicate(timeout=60)[0] == printed


def test_the_example_for_syftbox(make_live: Callable[..., Live], tmp_path: Path) -> None:
    program, printed = example("syftbox")
    live = make_live()
    assert URL in program
    ran = subprocess.run(
        [environment("syft-hub-0.1.32"), "-c", program.replace(URL, live.url)],
        cwd=tmp_path,
        env=os.environ | {"ADMIN_KEY": ADMIN_KEY},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert ran.stdout == printed


def test_the_example_for_x402tools(make_live: Callable[..., Live], tmp_path: Path) -> None:
    program, printed = example("x402tools")
    live = make_live()
    made(live.admin.post("/v1/organizations", json={"id": "acme", "name": "Acme"}))
    key = made(live.admin.post("/v1/organizations/acme/keys", json={"name": "first"}))["key"]
    assert URL in program
    ran = subprocess.run(
        [environment("x402tools-1.0.0"), "-c", program.replace(URL, live.url)],
        cwd=tmp_path,
        env=os.environ | {"ORGANIZATION_KEY": key},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert ran.stdout == printed


def test_the_example_for_knai(make_live: Callable[..., Live], tmp_path: Path) -> None:
    live = make_live()
    provider = live.provider(SLUG)
    wallet = live.wallet(100_000_000)
    program, printed = example("knai")
    running = started("knai-provider-0.1.0", program, live, provider.key, tmp_path)
    provider.grant(wallet, USER)
    assert running.communicate(timeout=60)[0] == printed
