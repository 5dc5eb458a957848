"""Usage records from a real Redis into the ledger of a real server: each has one effect, and none is lost."""

import html
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis as redis_client

from farebox.ingest.service import Ingest
from farebox.services import Services
from tests.support.consoles import signed_in
from tests.support.live import Live, ok
from tests.support.offices import DEAD, GROUP, MODEL, STREAM, Office
from tests.support.processes import until
from tests.support.redises import RedisProcess, record, redis_process


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisProcess]:
    with redis_process() as found:
        yield found


@pytest.fixture
def client(redis: RedisProcess) -> "Iterator[redis_client.Redis]":
    with redis.client() as found:
        found.flushall()
        yield found


@pytest.fixture
def office(make_live: Callable[..., Live], client: "redis_client.Redis", redis: RedisProcess) -> Office:
    return Office(make_live(redis_url=redis.url, ingest_claim_idle_s=1), client)


def test_records_are_booked_once_and_the_clients_memory_is_cleared(office: Office) -> None:
    office.client.set(f"credit_balance:{office.id}", "12345")
    for number in range(300):
        office.send(f"r{number}", 2, completion_tokens=1)
    for number in range(100):
        office.send(f"r{number}", 2, completion_tokens=1, timestamp=int(time.time()))
    office.idle()
    assert office.balance() == 10_000 - 300 * 4
    assert office.booked() == 300
    assert office.client.get(f"credit_balance:{office.id}") is None
    row = office.live.call(
        office.live.services.pool.fetchrow(
            "SELECT m.name AS member, a.name AS agent, t.model, t.input_tokens, t.output_tokens FROM transfers t "
            "JOIN members m ON m.id = t.member_id JOIN agents a ON a.grant_id = t.grant_id WHERE t.kind = 'usage'"
        )
    )
    assert tuple(row) == ("ada", "agent-1", MODEL, 2, 1)


def test_usage_that_has_happened_is_debt_and_the_next_recharge_pays_it(office: Office) -> None:
    office.send("dear", 10_500)
    office.idle()
    assert office.balance() == -500
    office.recharge(7)
    assert office.balance() == 200


def test_malformed_records_are_buried_with_their_reason_and_neighbours_go_on(office: Office) -> None:
    office.send("good-1", 1)
    office.client.xadd(STREAM, {"x": "y"})
    office.send("old", timestamp=int(time.time()) - 366 * 86_400)
    office.send("early", timestamp=int(time.time()) + 3600)
    office.send("negative", -1)
    office.client.xadd(STREAM, {b"id": b"\xff\xfe", b"organization_id": b"acme", b"timestamp": b"%d" % time.time()})
    office.send("good-2", 1)
    office.idle()
    assert office.balance() == 10_000 - 2
    assert sorted(office.reasons()) == [
        "bad_field:id",
        "bad_field:prompt_tokens",
        "in_the_future",
        "missing_field:organization_id",
        "too_old",
    ]


def test_an_id_again_with_another_payload_is_kept_for_a_person(office: Office) -> None:
    sent = int(time.time())
    office.send("r1", 5, timestamp=sent)
    office.idle()
    office.send("r1", 6, timestamp=sent)
    office.send("unpriced", 1, model="nobody's", timestamp=sent)
    office.send("unpriced", 2, model="nobody's", timestamp=sent)
    office.idle()
    assert office.balance() == 10_000 - 5
    assert office.reasons() == ["id_reused", "id_reused"]


def test_what_can_not_be_put_aside_is_not_lost(office: Office) -> None:
    office.client.set(DEAD, "something else that somebody keeps there")
    office.client.xadd(STREAM, {"x": "y"})
    office.client.xadd(STREAM, {f"field-{number}": "x" for number in range(9000)})
    until(lambda: office.client.xpending(STREAM, GROUP)["pending"] == 2)
    time.sleep(0.5)
    assert office.client.xpending(STREAM, GROUP)["pending"] == 2
    office.client.delete(DEAD)
    office.idle()
    assert sorted(office.reasons()) == ["missing_field:organization_id", "too_many_fields"]


def test_what_waited_while_its_id_was_booked_waits_for_a_person(office: Office) -> None:
    office.send("r1", 5, model="tomorrow-1")
    office.idle()
    office.send("r1", 7)
    office.idle()
    office.live.price("tomorrow-1", asset="CREDIT", input_token="1")
    operator = signed_in(office.live)
    until(lambda: "a person: id_reused" in operator.get("/console/ingestion").text)
    assert office.balance() == 10_000 - 7


def parked(office: Office) -> dict[str, bool]:
    """Whether each record that waits was dismissed."""
    rows = office.live.services.pool.fetch("SELECT record_id, dismissed_at IS NOT NULL AS gone FROM parked_usage")
    return {row["record_id"]: row["gone"] for row in office.live.call(rows)}


def test_what_never_comes_is_dismissed_and_taken_up_again(office: Office) -> None:
    operator, dismiss, resume = signed_in(office.live), "/console/waiting/dismiss", "/console/waiting/resume"
    ingest = office.live.services.ingest
    assert ingest is not None
    unpriced = {"waits_for": "unknown_model", "model": "never & 1", "organization": office.id}
    nobodys = {"waits_for": "unknown_organization", "model": MODEL, "organization": "nobody"}
    for number in (1, 2):
        office.send(f"r{number}", 7, model="never & 1")
    office.send("r3", 5, model="tomorrow-1")
    office.client.xadd(STREAM, record("nobody", "r4", 1))
    until(lambda: len(parked(office)) == 4)
    for kind, counted in ((unpriced, "2 records"), (nobodys, "1 record")):
        told = operator.submit(operator.get("/console/ingestion"), dismiss, **kind)
        assert (
            f"<li>{counted} of model “{html.escape(kind['model'])}” for organization “{kind['organization']}”"
            in told.text
        )
        assert operator.submit(told, dismiss, reason="").status_code == 422
        assert [operator.submit(told, dismiss, reason="a typo").status_code for _ in range(2)] == [303, 404]
    assert parked(office) == {"r1": True, "r2": True, "r3": False, "r4": True}
    office.send("r1", 7, model="never & 1")  # the same again is no other record
    office.send("r5", 7, model="never & 1")
    until(lambda: "r5" in parked(office))
    office.live.price("never & 1", asset="CREDIT", input_token="1")
    office.open("nobody", 1)
    until(lambda: "r5" not in parked(office))
    assert office.live.call(ingest.books.unpark(whole=True)) == 0
    assert (office.balance(), office.balance("nobody")) == (10_000 - 7, 100)
    assert operator.confirm(operator.get("/console/ingestion"), resume, "it was none", **unpriced).status_code == 303
    office.live.call(ingest.books.unpark(whole=True))
    until(lambda: office.balance() == 10_000 - 3 * 7)
    assert (parked(office), office.balance("nobody")) == ({"r3": False, "r4": True}, 100)
    log = operator.get("/console/log?q=usage.").text
    assert (log.count("a typo"), log.count("it was none")) == (2, 1)


def test_unknown_models_wait_for_their_price(office: Office) -> None:
    office.send("r1", 7, model="tomorrow-1")
    office.send("r2", 8, model="tomorrow-2")
    office.idle()
    assert office.balance() == 10_000
    office.live.price("tomorrow-1", asset="CREDIT", input_token="10", output_token="0")
    until(lambda: office.balance() == 10_000 - 70)
    left = office.live.call(office.live.services.pool.fetch("SELECT record_id, reason FROM parked_usage"))
    assert [tuple(row) for row in left] == [("r2", "unknown_model")]


def test_unknown_organizations_wait_for_their_registration(office: Office) -> None:
    other = f"org-{uuid.uuid4().hex[:8]}"
    office.client.xadd(STREAM, record(other, "early", 3))
    office.idle()
    office.open(other, 0)
    until(lambda: office.balance(other) == -3)


def test_what_a_dead_consumer_has_read_is_claimed(office: Office) -> None:
    office.send("first")
    office.idle()
    services = office.live.services
    assert services.ingest is not None
    office.live.call(services.ingest.close())
    office.send("stuck", 10)
    assert office.client.xreadgroup("farebox", "died", {STREAM: ">"})
    another = office.live.call(started(services))
    office.idle()
    assert office.balance() == 10_000 - 11
    office.live.call(another.close())


def test_what_was_deleted_under_a_dead_consumer_keeps_nothing(office: Office) -> None:
    office.send("first")
    office.idle()
    services = office.live.services
    assert services.ingest is not None
    office.live.call(services.ingest.close())
    for number in range(5):
        office.send(f"stuck-{number}", 10)
    read: Any = office.client.xreadgroup(GROUP, "died", {STREAM: ">"})
    office.client.xdel(STREAM, *[id_ for id_, _ in read[0][1][:3]])
    another = office.live.call(started(services))
    office.idle()
    assert office.balance() == 10_000 - 21
    office.send("after")
    until(lambda: int(office.client.xlen(STREAM)) == 1)
    office.live.call(another.close())


async def started(services: Services) -> Ingest:
    """Other consumers, as of another process."""
    ingest = Ingest(services, services.settings)
    ingest.start()
    return ingest


def test_a_lost_group_is_made_anew_from_the_beginning(office: Office) -> None:
    for number in range(20):
        office.send(f"r{number}")
    office.idle()
    office.client.xgroup_destroy(STREAM, "farebox")
    office.send("after")
    until(lambda: office.balance() == 10_000 - 21)
    office.client.delete(STREAM)
    office.send("and again")
    until(lambda: office.balance() == 10_000 - 22)
    assert office.booked() == 22


def test_only_what_every_group_has_acknowledged_is_trimmed(office: Office) -> None:
    office.client.xgroup_create(STREAM, "analytics", id="0", mkstream=True)
    for number in range(50):
        office.send(f"r{number}")
    office.idle()
    time.sleep(2)
    assert office.client.xlen(STREAM) == 50, "another group has not read them"
    read: Any = office.client.xreadgroup("analytics", "a", {STREAM: ">"}, count=30)
    ids = [id_ for id_, _ in read[0][1]]
    office.client.xack(STREAM, "analytics", *ids[:10], *ids[11:])
    until(lambda: office.client.xlen(STREAM) == 40)
    office.client.xack(STREAM, "analytics", ids[10])
    until(lambda: office.client.xlen(STREAM) == 21)
    office.client.xgroup_destroy(STREAM, "analytics")
    until(lambda: int(office.client.xlen(STREAM)) <= 1)


def test_redis_goes_and_comes_back(office: Office, redis: RedisProcess) -> None:
    office.send("before", 1)
    office.idle()
    redis.kill()
    assert ok(office.admin.get(f"/v1/balance/organizations/{office.id}"))["balance"] == 9_999
    redis.start()
    office.send("after", 1)
    until(lambda: office.balance() == 9_998)


def test_what_became_of_the_records_is_measured(office: Office) -> None:
    office.send("r1")
    office.client.xadd(STREAM, {"x": "y"})
    office.idle()

    def told() -> bool:
        text = office.live.admin.get("/metrics").text
        lines = ('farebox_ingest_records_total{fate="booked"} 1.0', "farebox_ingest_dead_letters 1.0")
        return all(line in text for line in (*lines, "farebox_ingest_lag 0.0", "farebox_ingest_pending 0.0"))

    until(told)


def test_metadata_is_kept_with_the_usage(office: Office) -> None:
    office.send("r1", metadata=json.dumps({"ticket": 7}))
    office.idle()
    note = office.live.call(office.live.services.pool.fetchval("SELECT note FROM transfers WHERE kind = 'usage'"))
    assert json.loads(note) == {"ticket": 7}


def test_dead_letters_in_the_console(office: Office) -> None:
    for number in range(3):
        office.send(f"bad-{number}", tokens=-1)
    until(lambda: len(office.reasons()) == 3)
    operator = signed_in(office.live)
    page = operator.get("/console/ingestion")
    first, second, third = re.findall(r"/console/ingestion/([\d-]+)", page.text)
    assert page.text.count("<td><time datetime=") == 3
    letter = operator.get(f"/console/ingestion/{first}")
    assert "bad-0" in letter.text and "bad_field" in letter.text
    assert "Put aside</dt><dd><time datetime=" in letter.text
    put_by_hand = office.client.xadd(DEAD, {"farebox_reason": "by hand", "farebox_buried_at": "once"})
    assert "<td>once</td>" in operator.get("/console/ingestion").text
    office.client.xdel(DEAD, put_by_hand)
    path = f"/console/ingestion/{first}/dismiss"
    assert "It is never booked" in operator.submit(letter, path).text
    assert operator.confirm(letter, path, "a test of theirs").status_code == 303
    assert operator.submit(letter, path, confirmed="yes", reason="again").status_code == 404
    told = operator.get("/console/log?q=letter.dismiss").text
    assert told.count("a test of theirs") == 1 and "bad-0" in told
    retried = operator.submit(operator.get(f"/console/ingestion/{second}"), f"/console/ingestion/{second}/retry")
    assert retried.status_code == 303
    until(
        lambda: len(office.reasons()) == 2 and second not in operator.get("/console/ingestion").text
    )  # put aside anew
    assert third in operator.get("/console/ingestion").text
    office.send("r-1", model="not-priced-yet")
    until(lambda: "not-priced-yet" in operator.get("/console/ingestion").text)
    for wrong in ("1-1", "x", "0", "-", "+"):
        assert operator.get(f"/console/ingestion/{wrong}").status_code == 404
