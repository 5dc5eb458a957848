"""`farebox ingest` as a process of its own, and its looks at what was left lying."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.live import SECRET_KEY, live_server, settings_for
from tests.support.offices import Office
from tests.support.processes import until
from tests.support.redises import RedisProcess, redis_process


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    with redis_process() as found:
        yield found


class Command:
    """The command line beside a server that does not ingest itself."""

    def __init__(self, database_url: str, redis: RedisProcess) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
        own = {"DATABASE_URL": database_url, "REDIS_URL": redis.url, "SECRET_KEY": SECRET_KEY}
        self.environ = inherited | {f"FAREBOX_{name}": value for name, value in own.items()}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "farebox", "ingest", *arguments]
        return subprocess.Popen(command, env=self.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __call__(self, *arguments: str, status: int = 0) -> Any:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == status, out + err
        return json.loads(out) if out else err


@pytest.fixture
def office(database: str, redis: RedisProcess) -> Iterator[Office]:
    with live_server(database, settings_for()) as live, redis.client() as client:
        yield Office(live, client)


@pytest.fixture
def command(database: str, redis: RedisProcess) -> Command:
    return Command(database, redis)


def test_it_books_shows_and_replays(office: Office, command: Command) -> None:
    office.send("good", 5)
    office.client.xadd("usage_records", {"id": "bad", "note": "[red]\x1b[31m"})
    office.send("later", 7, model="tomorrow-1")
    process = command.start("--consumers", "2")
    until(lambda: office.balance() == 10_000 - 5 and office.reasons(), 90)
    process.terminate()
    assert process.wait(timeout=30) == 0

    found = command("inspect", "--json")
    assert (found["lag"], found["pending"], found["dead_letters"]) == (0, 0, 1)
    (letter,) = found["letters"]
    assert (letter["reason"], letter["fields"]["id"]) == ("missing_field:organization_id", "bad")
    assert [(item["model"], item["records"]) for item in found["parked"]] == [("tomorrow-1", 1)]
    shown = command.start("inspect").communicate(timeout=60)[0]
    assert "missing_field:organization_id" in shown
    assert "\x1b[31m" not in shown

    assert "Which dead letters?" in command("replay", status=1)
    assert "no such dead letter" in command("replay", "1-1", status=1)
    assert command("replay", "--all", "--json") == {"replayed": 1}
    assert office.reasons() == []
    again = command.start()
    until(lambda: office.reasons() == ["missing_field:organization_id"], 90)
    again.terminate()
    assert again.wait(timeout=30) == 0


def test_without_a_redis_it_says_what_is_missing(command: Command, redis: RedisProcess) -> None:
    redis.kill()
    assert "Redis does not answer" in command("inspect", status=1)
    command.environ["FAREBOX_REDIS_URL"] = "redis+sentinel://localhost:1"
    assert "a sentinel's address ends" in command("inspect", status=1)
    del command.environ["FAREBOX_REDIS_URL"]
    assert "Which Redis?" in command(status=1)
    assert "Which Redis?" in command("inspect", status=1)
