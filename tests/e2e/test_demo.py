"""`farebox demo --once`, as a newcomer runs it."""

import html
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image

from farebox.consent import qr
from tests.support.processes import until
from tests.support.published import environment

ROOT = Path(__file__).resolve().parents[2]
TRACE = ROOT.parent / "shared" / "data" / "azure_llm_trace_2023_conv.csv"


def demo(*words: str) -> "subprocess.CompletedProcess[str]":
    """The demo on a free port, its output piped."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
    command = [sys.executable, "-m", "farebox", "demo", "--once", "--port", "0", *words]
    nowhere = {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "socks5://127.0.0.1:9",
    }
    return subprocess.run(command, check=False, capture_output=True, text=True, env=inherited | nowhere, timeout=180)


def test_it_tells_the_whole_story(tmp_path: Path) -> None:
    picture = tmp_path / "demo.svg"
    done = demo("--picture", str(picture))
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    for part in (
        "ready in",
        "5,000,000 TOKEN were deposited",
        "asks for up to 2,000,000 TOKEN",
        "1,000,000 TOKEN",
        "403 HARD_CAP_VIOLATION",
        "nothing was taken",
        "0 TOKEN in all, as it has to be",
        "proofs hold: the books are clean",
        "/openapi.json",
        "admin key fbx_admin_",
    ):
        assert part in said
    assert "\x1b" not in done.stdout
    assert "HARD_CAP_VIOLATION" in picture.read_text().replace("&#160;", " ")
    assert "http" not in picture.read_text().replace("http://www.w3.org", "").replace("http://127.0.0.1", "")


def test_the_code_in_the_terminal_can_be_scanned(tmp_path: Path) -> None:
    done = demo("--requests", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.split("\n") if re.fullmatch(r"   [ ▀▄█]{30,}", line.rstrip("\n"))]
    size = max(len(line) for line in lines)
    image = Image.new("L", (size, len(lines) * 2), 255)
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            if character in "▀█":
                image.putpixel((column, row * 2), 0)
            if character in "▄█":
                image.putpixel((column, row * 2 + 1), 0)
    path = tmp_path / "code.png"
    image.resize((image.width * 8, image.height * 8), Image.Resampling.NEAREST).save(path)
    assert qr.read(str(path)) == {
        "provider_id": "acme-chat",
        "provider_type": "api",
        "provider_username": "ada",
        "limit": 2_000_000.0,
    }


def test_its_snippets_work_as_they_are_printed(tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
    log = tmp_path / "demo.log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "farebox", "demo", "--port", "0", "--requests", "20"],
            stdout=output,
            stderr=output,
            env=inherited | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        until(lambda: "The server runs on" in log.read_text(), 120)
        said = log.read_text()
        curl = said[said.index("curl -s") : said.index("   And by Python:")]
        done = subprocess.run(["bash", "-c", curl], check=True, capture_output=True, text=True)
        assert json.loads(done.stdout)["amount"] == 36_000
        snippet = said[said.index("import uuid") : said.index("   The server runs on")]
        done = subprocess.run([sys.executable, "-c", snippet], check=True, capture_output=True, text=True)
        assert done.stdout.startswith("201 {")
        server = re.search(r"listens on (http://\S+)", said)
        assert server is not None
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=60) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server[1]}/health")
    finally:
        running.kill()
        running.wait()


def test_a_phone_opens_a_wallet_with_money_in_it(tmp_path: Path) -> None:
    log = tmp_path / "demo.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
    command = [sys.executable, "-m", "farebox", "demo", "--host", "0.0.0.0", "--port", "0", "--requests", "1"]
    with log.open("w") as output:
        env = inherited | {"PYTHONUNBUFFERED": "1"}
        running = subprocess.Popen(command, stdout=output, stderr=output, env=env)
    try:
        until(lambda: "The server runs on" in log.read_text(), 120)
        told = dict(re.findall(r"^   (address|e-mail|password) +(\S+)$", log.read_text(), re.MULTILINE))
        base = told["address"].partition("/wallet")[0]
        assert not base.startswith(("http://0.0.0.0", "http://127."))
        with httpx.Client(headers={"Origin": base}, timeout=30) as phone:
            door = phone.get(told["address"])
            after = html.unescape(re.findall(r'name="next" value="([^"]+)"', door.text)[0])
            given = {"email": told["e-mail"], "password": told["password"], "next": after}
            entered = phone.post(f"{base}/wallet/sign-in", data=given)
            assert entered.status_code == 303
            shown = phone.get(base + entered.headers["location"])
            assert '"provider_id":"acme-chat"' in html.unescape(shown.text)
            assert "10 USD" in phone.get(f"{base}/wallet").text
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(timeout=60)


def test_the_story_of_teams() -> None:
    python = environment("tokenvault-sdk-1.0.2")
    done = demo("--tokenvault", "--client", str(python), "--users", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    for part in (
        "20 USD are 2,000 credits",
        "60 agents report what they use",
        "Organization acme has insufficient credit balance",
        "are owed",
        "10 USD are 1,000 credits",
        "0 CREDIT in all, as it has to be",
        "proofs hold: the books are clean",
    ):
        assert part in said


@pytest.mark.skipif(not TRACE.exists(), reason="the recorded trace is not beside the checkout")
def test_a_trace_is_charged() -> None:
    done = demo("--trace", str(TRACE), "--requests", "200")
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "requests of azure_llm_trace_2023_conv.csv" in said
    assert "was not reached: 2" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read"),
        ("a,b\n1,2\n", "needs the columns"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "has no requests"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\nt,1,2\nt,1.5,2\n", "line 3"),
    ],
)
def test_a_bad_trace_is_told_before_anything_starts(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "trace.csv"
    if content is not None:
        path.write_text(content)
    done = demo("--trace", str(path))
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
    assert "A server" not in done.stdout


def test_the_picture_in_the_readme_is_of_this_demo() -> None:
    shown = (ROOT / "docs" / "images" / "demo.svg").read_text("utf-8").replace("&#160;", " ")
    for part in ("A server", "HARD_CAP_VIOLATION", "the books are clean"):
        assert part in shown
