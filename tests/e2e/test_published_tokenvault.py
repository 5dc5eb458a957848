"""The published `tokenvault-sdk` 1.0.2, unchanged: with a real Redis and a real server, both stopped and started."""

import contextlib
import math
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.databases import Databases
from tests.support.interpreter import Interpreter
from tests.support.live import ADMIN_KEY, Live, live_server, made, ok, settings_for
from tests.support.processes import free_port, until
from tests.support.redises import RedisProcess, redis_process

RELEASE = "tokenvault-sdk-1.0.2"
ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT.parent / "shared" / "seeds" / "tokenvault-sdk.md"
MODEL = "llama-3.3-70b-versatile"

START = """
import asyncio, logging, os
logging.disable(logging.CRITICAL)
from tokenvault_sdk import (
    InsufficientBalanceError, SDKConfig, SDKConfigurationError, TrackingError, UsageTracker, quickstart,
)
loop = asyncio.new_event_loop()
run = loop.run_until_complete
os.environ |= {"TOKENVAULT_REDIS_URL": redis, "TOKENVAULT_API_URL": api}
config = SDKConfig.from_env()
trackers = []

def tracker_of(**more):
    made = UsageTracker(redis_url=config.redis_url, tokenvault_api_url=config.tokenvault_api_url, **more)
    trackers.append(made)
    return made

def response(prompt, completion, model):
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {"id": "chatcmpl-1", "model": model, "usage": usage, "choices": [{"message": {"content": "Hello"}}]}

tracker = tracker_of()
"""


class Office:
    """A server that can be stopped, a Redis that can be killed, an organization, and its agents' client."""

    def __init__(self, postgres: Databases, redis: RedisProcess) -> None:
        self.redis = redis
        self._url = postgres.url(postgres.fresh())
        self._settings = settings_for(port=free_port(), redis_url=redis.url, ingest_claim_idle_s=1)
        self._stack = contextlib.ExitStack()
        self.live = self.start()
        self.id = f"org-{uuid.uuid4().hex[:8]}"
        self.admin = self.live.client(ADMIN_KEY, "/tokenvault")
        ok(self.admin.post("/v1/wallet/organizations", json={"id": self.id, "name": "Mine"}))
        self.key = made(self.live.admin.post(f"/v1/organizations/{self.id}/keys", json={"name": "agents"}))["key"]
        self.live.price(MODEL, asset="CREDIT", input_token="0.01", output_token="0.02")
        self.clients: list[Interpreter] = []

    def start(self) -> Live:
        """Starts the server, on the port that it had."""
        return self._stack.enter_context(live_server(self._url, self._settings))

    def stop(self) -> None:
        """Stops the server."""
        self._stack.close()

    def api(self, organization: str | None = None, key: str | None = None) -> str:
        """The address that the client is given, with the key in its user part."""
        return f"http://{organization or self.id}:{key or self.key}@127.0.0.1:{self.live.port}/tokenvault"

    def recharge(self, money: float) -> None:
        ok(self.admin.post("/v1/recharge", json={"organization_id": self.id, "money_amount": money}))

    def balance(self, organization: str | None = None) -> Any:
        return ok(self.admin.get(f"/v1/balance/organizations/{organization or self.id}"))["balance"]

    def program(self, directory: Path) -> Interpreter:
        """An environment with the client, and a `tracker` in it."""
        found = Interpreter(RELEASE, directory)
        self.clients.append(found)
        found(START, redis=self.redis.url, api=self.api())
        return found


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisProcess]:
    with redis_process() as found:
        yield found


@pytest.fixture(scope="module")
def offices(postgres: Databases, redis: RedisProcess) -> Iterator[Office]:
    found = Office(postgres, redis)
    yield found
    for client in found.clients:
        client.close()
    found.stop()


@pytest.fixture(scope="module")
def program(offices: Office, tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    return offices.program(tmp_path_factory.mktemp("home"))


@pytest.fixture
def office(offices: Office, program: Interpreter) -> Office:
    """The office with nothing remembered and 100 credits."""
    with offices.redis.client() as client:
        client.flushall()
    offices.recharge(max(0.01, float(100 - offices.balance()) / 100))
    program("run(tracker.check_credit_balance(org, force_refresh=True))", org=offices.id)
    return offices


def test_the_balance_is_read_and_remembered(office: Office, program: Interpreter) -> None:
    assert program("answer = run(tracker.check_credit_balance(organization_id=org))", org=office.id) == office.balance()
    with office.redis.client() as client:
        assert float(str(client.get(f"credit_balance:{office.id}"))) == office.balance()
        client.set(f"credit_balance:{office.id}", "7.5")
    assert program("answer = run(tracker.check_credit_balance(org))", org=office.id) == 7.5
    fresh = program("answer = run(tracker.check_credit_balance(org, force_refresh=True))", org=office.id)
    assert fresh == office.balance()


def test_usage_is_tracked_while_the_agent_goes_on(office: Office, program: Interpreter) -> None:
    before = office.balance()
    program(
        """
async def agent():
    tasks = [
        asyncio.create_task(tracker.track_usage(
            groq_response=response(100, 50, model), organization_id=org, profile_id="agent-7", user_id="ada",
            metadata={"ticket": number},
        ))
        for number in range(20)
    ]
    await asyncio.gather(*tasks)
run(agent())
""",
        org=office.id,
        model=MODEL,
    )
    until(lambda: office.balance() == before - 20 * 2)
    with office.redis.client() as client:
        assert client.get(f"credit_balance:{office.id}") is None
    assert program("answer = run(tracker.check_credit_balance(org))", org=office.id) == before - 40
    profile = ok(office.live.client(office.key, "/tokenvault").get("/v1/balance/profiles/agent-7"))
    assert profile["spent"] == 40


def test_images_are_taken_at_once(office: Office, program: Interpreter) -> None:
    before = office.balance()
    given = {"org": office.id, "gen": uuid.uuid4().hex}
    call = """
run(tracker.track_bfl_consumption(
    organization_id=org, profile_id="painter", model="flux-2-pro", bfl_credits=4.5, record_id=gen))
"""
    program(call, **given)
    program(call, **given)
    assert office.balance() == before - 4.5


def test_an_image_for_more_than_there_is(office: Office, program: Interpreter) -> None:
    before = office.balance()
    call = 'run(tracker.track_bfl_consumption(org, "painter", "flux-2-pro", 1e6, gen))'
    found = program.raised(call, org=office.id, gen=uuid.uuid4().hex)
    assert (found["raised"], "Insufficient" in found["text"]) == ("InsufficientBalanceError", True)
    assert office.balance() == before


def test_what_can_not_be_taken_is_a_tracking_error(office: Office, program: Interpreter) -> None:
    call = 'run(tracker.track_bfl_consumption("no-such-organization", "painter", "flux-2-pro", 1.0, "gen"))'
    assert program.raised(call)["raised"] == "TrackingError"


def test_quickstart_registers_the_organization(office: Office, tmp_path: Path) -> None:
    new = f"my-company-{uuid.uuid4().hex[:6]}"
    program = Interpreter(RELEASE, tmp_path)
    office.clients.append(program)
    program(START, redis=office.redis.url, api=office.api(new, ADMIN_KEY))
    agent = program(
        """
async def main():
    tracker, agent_id = await quickstart(organization_id=org, agent_name="customer-support-pro")
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))
    await tracker.track_usage(groq_response=response(100, 0, model), organization_id=org, profile_id=agent_id)
    await tracker.close()
    return agent_id
answer = run(main())
""",
        org=new,
        model=MODEL,
    )
    assert agent.startswith("agent_customer-support-pro_")
    until(lambda: office.balance(new) == -1)
    found = program.raised("run(tracker_of().check_credit_balance(org))", org=new)
    assert found["raised"] == "InsufficientBalanceError"


def test_no_server_no_redis_and_both_again(office: Office, program: Interpreter) -> None:
    program("closed, opened = tracker_of(fail_open=False), tracker_of(fail_open=True)")
    check = "answer = run(%s.check_credit_balance(org, force_refresh=True))"
    standing = office.balance()
    office.stop()
    with office.redis.client() as client:
        client.flushall()
    assert program(check % "opened", org=office.id) == math.inf
    assert program.raised(check % "closed", org=office.id)["raised"] == "InsufficientBalanceError"
    image = 'run(%s.track_bfl_consumption(org, "painter", "flux-2-pro", 1.0, "gen-away"))'
    program(image % "opened", org=office.id)
    assert program.raised(image % "closed", org=office.id)["raised"] == "TrackingError"
    track = 'run(%s.track_usage(response(100, 0, model), org, "agent-7"))'
    program(track % "closed", org=office.id, model=MODEL)
    office.live = office.start()
    until(lambda: office.balance() == standing - 1)

    office.redis.kill()
    assert program(check % "closed", org=office.id) == standing - 1, "the server tells without Redis"
    program(track % "opened", org=office.id, model=MODEL)
    publish = 'run(closed._publish_usage_record({"id": "x"}))'
    assert program.raised(publish)["raised"] == "TrackingError"
    office.redis.start()
    program(track % "closed", org=office.id, model=MODEL)
    until(lambda: office.balance() == standing - 2)
    assert program(check % "closed", org=office.id) == standing - 2


CLIENT = "import httpx\nasync with httpx.AsyncClient() as client:\n"


def test_the_example_of_the_docs_runs(office: Office, program: Interpreter) -> None:
    text = (ROOT / "docs" / "dialects" / "tokenvault.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (printed,) = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ok(office.admin.post("/v1/wallet/organizations", json={"id": "acme", "name": "Acme"}))
    ok(office.admin.post("/v1/recharge", json={"organization_id": "acme", "money_amount": 20}))
    office.live.price("gpt-4o", asset="USD", input_token="0.0000025", output_token="0.00001")
    address = {"api": office.api("acme", ADMIN_KEY)}
    ran = program.run(f'os.environ["TOKENVAULT_API_URL"] = api\n{example}', **address)
    assert ran["printed"] == printed, ran
    until(lambda: office.balance("acme") == 2000 - 0.6)


def blocks(heading: str) -> list[str]:
    """The Python of a section of the seed."""
    section = SEED.read_text("utf-8").partition(f"### {heading}")[2].partition("\n##")[0]
    found: list[str] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return found


@pytest.mark.skipif(not SEED.exists(), reason="the description of the client is not beside the checkout")
def test_the_bootstrap_and_both_recharges_run_as_written(office: Office, program: Interpreter) -> None:
    (bootstrap,) = blocks("Bootstrap Your Organization")
    address = office.api("org_mycompany_001", ADMIN_KEY)
    for _ in range(2):  # again is no error
        program(in_a_coroutine("import uuid\n" + bootstrap), api=address)
    assert office.balance("org_mycompany_001") == 2 * 2000
    ok(office.admin.post("/v1/wallet/organizations", json={"id": "acme", "name": "Acme"}))
    before = office.balance("acme")
    (recharges,) = blocks("Add Funds (Free Trial or Real Payment)")
    here = recharges.replace("https://api.tokenvault.io", address)
    assert here.count(address) == 2
    for _ in range(2):
        program(in_a_coroutine(CLIENT + indented(here)), api=address)
    assert office.balance("acme") - before == 5_000 + 2 * 10_000, "the trial once, payments as often as they come"


def indented(code: str) -> str:
    return "".join(f"    {line}\n" for line in code.splitlines())


def in_a_coroutine(code: str) -> str:
    """Code with `await` at its top level, as something to run."""
    return f'os.environ["TOKENVAULT_API_URL"] = api\nasync def written():\n{indented(code)}\nrun(written())'


def test_configuration_errors_are_told(program: Interpreter) -> None:
    call = 'del os.environ["TOKENVAULT_API_URL"]\nSDKConfig.from_env()'
    assert program.raised(call)["raised"] == "SDKConfigurationError"
    program('os.environ["TOKENVAULT_API_URL"] = api', api="http://127.0.0.1")


def test_it_closes(program: Interpreter) -> None:
    close: Callable[..., Any] = program
    close("for one in trackers:\n    run(one.close())")
