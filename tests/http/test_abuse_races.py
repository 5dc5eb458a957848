"""Asking twice, and many at once (lines 33 to 51): one effect, one outcome, and no limit is passed."""

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import httpx
import pytest

from tests.support.doors import DIALECTS, EVERY, NATIVE, Door, Doors, check_error
from tests.support.live import ADMIN_KEY, Live, fresh_key, made, ok
from tests.support.rawhttp import Answer, Wire

Call = Callable[[Wire], Coroutine[Any, Any, Answer]]

EACH = pytest.mark.parametrize("door", EVERY)
CONNECTIONS = 64


async def at_once(port: int, calls: Sequence[Call], connections: int = CONNECTIONS) -> list[Answer]:
    """Makes calls over many connections; their answers, in the order of the calls."""
    found: list[Answer | None] = [None] * len(calls)
    waiting = iter(enumerate(calls))

    async def work() -> None:
        async with Wire(port) as wire:
            for place, call in waiting:
                found[place] = await call(wire)

    async with asyncio.timeout(90):
        await asyncio.gather(*(work() for _ in range(min(connections, len(calls)))))
    return [answer for answer in found if answer is not None]


def native(key: str, path: str, body: object, idempotency_key: str) -> Call:
    """A native call."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": idempotency_key}
    return lambda wire: wire.post(path, body, **headers)


def of_door(found: Door, **more: str) -> Call:
    """The good body of a door, with its own client's headers."""
    wanted = ("authorization", "x-provider-api-key", "x-provider-slug", "x-provider-session", "x-session-token")
    headers = {name: found.client.headers[name] for name in wanted if name in found.client.headers} | more
    path = httpx.URL(found.client.base_url).path.rstrip("/") + found.path
    return lambda wire: wire.post(path, found.body, **headers)


def statuses(answers: Iterable[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("door", NATIVE)
@pytest.mark.parametrize("key", [None, ""])
def test_line_33_a_missing_key(doors: Doors, door: str, key: str | None) -> None:
    found = doors[door]
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = found.client.post(found.path, json=found.body, headers=headers)
    check_error(door, answer, 400)
    assert answer.json()["code"] in ("idempotency_key_missing", "idempotency_key_invalid")


@pytest.mark.usefixtures("unchanged")
@EACH
@pytest.mark.parametrize(
    "key", ["k" * 256, "k" * 10_000, "tab\tin", "k\x7f", "k\x1b[31m", "clé", "ключ", "\x80", "auto:0123456789abcdef"]
)
def test_line_34_a_key_that_is_none(doors: Doors, door: str, key: str) -> None:
    found = doors[door]
    headers = {found.key_header.encode(): key.encode("latin-1" if key == "\x80" else "utf-8")}
    answer = found.client.post(found.path, json=found.body, headers=headers)
    check_error(door, answer, 400, secret=key if len(key) < 200 else "kkkkkkkk")


@pytest.mark.parametrize("door", [door for door in EVERY if door != "capture"])
@pytest.mark.parametrize("key", ["k" * 255, "a b", "!", '{"a":1}', "'; DROP TABLE transfers; --", "../..", "%00"])
def test_line_34_a_key_that_is_odd_but_one(doors: Doors, door: str, key: str) -> None:
    first, again = (doors[door].good(**{doors[door].key_header: f"{EVERY.index(door):x}{key[1:]}"}) for _ in range(2))
    assert first.status_code in (200, 201), first.text
    assert (again.status_code, again.json()) == (first.status_code, first.json())


@EACH
async def test_line_35_the_same_request_1000_times_at_once(doors: Doors, door: str) -> None:
    """All answers say the same, and one effect is in the books."""
    found = doors[door]
    if door == "capture":
        hold = made(doors.hold_of(50))
        found = Door(door, found.client, f"/v1/holds/{hold['id']}/capture", found.body, found.amount)
    before = doors.standing()
    call = of_door(found, **{found.key_header: f"a-thousand-{door}"})
    answers = await at_once(doors.live.port, [call] * 1000)
    assert statuses(answers).keys() <= {200, 201}, statuses(answers)
    assert len({answer.body for answer in answers}) == 1
    assert doors.standing()[-1] == before[-1] + 1
    if door in NATIVE:
        assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


@EACH
def test_line_36_the_same_key_for_another_body(doors: Doors, door: str) -> None:
    found, key = doors[door], {doors[door].key_header: f"line-36-{door}"}
    first = found.good(**key) if door != "capture" else captured(doors, key)
    assert first.status_code in (200, 201), first.text
    if door == "capture":
        found = Door(door, found.client, first.request.url.path, found.body, found.amount)
    before = doors.standing()
    other = found.send(found.text("6"), **key)
    check_error(door, other, 409 if door in DIALECTS else 422)
    assert doors.standing() == before
    for told in (first.json().get("id"), str(first.json().get("available")), first.json().get("charge_id")):
        assert not told or told not in other.text


def captured(doors: Doors, key: dict[str, str], amount: int = 7) -> httpx.Response:
    """A fresh hold of 50, captured."""
    hold = made(doors.hold_of(50))
    return doors.provider.api.post(f"/v1/holds/{hold['id']}/capture", json={"amount": amount}, headers=key)


@EACH
def test_line_36_members_in_another_order_are_the_same_request(doors: Doors, door: str) -> None:
    found = doors[door]
    if door == "capture":
        return  # has one member
    key = {found.key_header: f"order-{door}"}
    first = found.good(**key)
    text = json.dumps(dict(reversed(found.body.items())), indent=3)
    again = found.send(text, **key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())


def test_line_37_the_same_key_of_another_client(live: Live) -> None:
    wallet = live.wallet(100)
    key = f"of-two-{wallet}"
    done = []
    for provider in (live.provider(), live.provider()):
        token = provider.grant(wallet)["session_token"]
        done.append(made(provider.charge(token, key=key, amount=10)))
    assert done[0]["id"] != done[1]["id"]
    assert live.read_wallet(wallet)["available"] == 80


def test_line_38_the_same_key_for_another_call(doors: Doors) -> None:
    """One client, one key, each native call after the other: the first has it."""
    for names in (("charge", "hold"), ("hold", "charge"), ("charge", "refund"), ("deposit", "transfer")):
        key = {"Idempotency-Key": f"line-38-{'-'.join(names)}"}
        first, second = doors[names[0]], doors[names[1]]
        made(first.good(**key))
        before = doors.standing()
        check_error(second.name, second.good(**key), 422, code="idempotency_key_reused")
        assert doors.standing() == before


def test_line_38_the_same_key_in_another_dialect(doors: Doors) -> None:
    assert doors["conxa"].good(**{"X-Idempotency-Key": "line-38-dialects"}).status_code == 200
    check_error("knai", doors["knai"].good(**{"Idempotency-Key": "line-38-dialects"}), 409)
    check_error("charge", doors["charge"].good(**{"Idempotency-Key": "line-38-dialects"}), 422)


def test_line_39_a_retry_after_a_decline_and_a_deposit(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet(5)
    live.price("m39", provider.slug, input_token="1", output_token="1")
    token = provider.grant(wallet)["session_token"]
    calls: dict[str, Callable[[], httpx.Response]] = {
        "charge": lambda: provider.charge(token, key="n", amount=10),
        "conxa": lambda: provider.conxa().post(
            "/charge/authorize",
            json={"model_name": "m39", "input_tokens": 5, "output_tokens": 5},
            headers={"X-Provider-Session": token, "X-Idempotency-Key": "c"},
        ),
        "knai": lambda: provider.knai().post(
            "/charge/authorize",
            json={"model": "m39", "amount_tokens": 10},
            headers={"X-Session-Token": token, "Idempotency-Key": "k"},
        ),
    }
    first = {name: call() for name, call in calls.items()}
    assert {answer.status_code for answer in first.values()} == {402}
    live.deposit(wallet, 1_000_000)
    for name, call in calls.items():
        again = call()
        check_error(name, again, 402)
        assert again.json()["code"] == first[name].json()["code"]
    assert live.read_wallet(wallet)["available"] == 1_000_005


def test_line_40_a_retry_after_the_session_ended(live: Live) -> None:
    """The first answer, as long as the caller is who it was; after its key was revoked, a 401."""
    provider, wallet = live.provider(), live.wallet(100)
    grant = provider.grant(wallet)
    first = provider.charge(grant["session_token"], key="once", amount=10)
    assert live.admin.delete(f"/v1/grants/{grant['id']}").status_code == 204
    again = provider.charge(grant["session_token"], key="once", amount=10)
    assert (again.status_code, again.json()) == (201, first.json())
    check_error("charge", provider.charge(grant["session_token"], key="twice", amount=10), 403, code="grant_revoked")
    for key in ok(live.admin.get(f"/v1/providers/{provider.slug}/keys")):
        assert live.admin.delete(f"/v1/providers/{provider.slug}/keys/{key['id']}").status_code == 204
    check_error("charge", provider.charge(grant["session_token"], key="once", amount=10), 401)
    assert live.read_wallet(wallet)["available"] == 90


@EACH
async def test_line_41_a_caller_that_leaves_and_asks_again(doors: Doors, door: str) -> None:
    """Twenty callers send a request and hang up; a retry of each has one effect in all."""
    found = doors[door]
    if door == "capture":
        return  # of one hold, once only: see line 45
    before = doors.standing()
    calls = [of_door(found, **{found.key_header: f"leaving-{door}-{number}"}) for number in range(20)]

    async def leave(call: Call) -> None:
        wire = Wire(doors.live.port)
        asking = asyncio.create_task(call(wire))
        await asyncio.sleep(random.choice((0, 0.001, 0.003)))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    await asyncio.gather(*(leave(call) for call in calls))
    answers = await at_once(doors.live.port, calls)
    assert statuses(answers).keys() <= {200, 201}, statuses(answers)
    assert doors.standing()[-1] == before[-1] + 20


@pytest.mark.parametrize("limited", ["wallet", "cap"])
async def test_line_42_a_thousand_charges_for_the_last_unit(live: Live, limited: str) -> None:
    provider, wallet = live.provider(), live.wallet(1 if limited == "wallet" else 5000)
    token = provider.grant(wallet, limit=None if limited == "wallet" else 1)["session_token"]
    body = {"session_token": token, "amount": 1}
    calls = [native(provider.key, "/v1/charges", body, f"last-{number}") for number in range(1000)]
    answers = await at_once(live.port, calls)
    refused = 402 if limited == "wallet" else 403
    assert statuses(answers) == {201: 1, refused: 999}
    assert live.read_wallet(wallet)["available"] == (0 if limited == "wallet" else 4999)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_line_42_a_thousand_charges_for_the_last_token_of_a_dialect(live: Live, dialect: str) -> None:
    provider, wallet = live.provider(), live.wallet(1000)
    live.price("m42", provider.slug, input_token="1")
    token = provider.grant(wallet)["session_token"]
    headers = {"X-Provider-API-Key": provider.key, "X-Provider-Slug": provider.slug}
    headers |= {"X-Provider-Session": token, "X-Session-Token": token}
    body = {"model_name": "m42", "input_tokens": 1, "output_tokens": 0, "model": "m42", "amount_tokens": 1}

    def call(wire: Wire) -> Coroutine[Any, Any, Answer]:
        return wire.post(f"/{dialect}/charge/authorize", body, **headers)

    assert statuses(await at_once(live.port, [call] * 1000)) == {200: 1, 402: 999}
    assert live.read_wallet(wallet)["available"] == 0


async def test_line_43_confirm_against_cancel(live: Live) -> None:
    """Capture and release of one hold, approve and decline of one request: one wins, the other is told so."""
    provider, wallet = live.provider(), live.wallet(1000)
    token = provider.grant(wallet)["session_token"]
    for turn in range(10):
        hold = made(provider.api.post("/v1/holds", json={"session_token": token, "amount": 10}, headers=fresh_key()))
        path = f"/v1/holds/{hold['id']}"
        calls = [
            native(provider.key, f"{path}/{what}", {}, f"43-{turn}-{what}-{number}")
            for number in range(5)
            for what in ("capture", "release")
        ]
        answers = await at_once(live.port, calls)
        assert sorted(statuses(answers).values()) == [1, 9], statuses(answers)
        assert statuses(answers)[409] == 9
    wallet_now = live.read_wallet(wallet)
    assert wallet_now["held"] == 0
    assert (1000 - wallet_now["balance"]) % 10 == 0


async def test_line_43_approve_against_decline(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet()
    for turn in range(5):
        qr = {"provider_id": provider.slug, "provider_username": f"u{turn}"}
        found = made(live.admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": qr}))
        path = f"/v1/connection-requests/{found['id']}"
        approve = native(ADMIN_KEY, f"{path}/approve", {"terms": found["terms"]}, "x")
        decline = native(ADMIN_KEY, f"{path}/decline", {}, "x")
        answers = await at_once(live.port, [approve, decline] * 5)
        assert statuses(answers)[409] == 9, statuses(answers)
        state = ok(live.admin.get(path))["state"]
        grants = [
            grant
            for grant in ok(live.admin.get(f"/v1/wallets/{wallet}/grants"))["data"]
            if grant["provider_username"] == f"u{turn}"
        ]
        assert len(grants) == (1 if state == "approved" else 0)


@pytest.mark.usefixtures("unmoved")
@pytest.mark.parametrize("amount", ["101", "1000000", str(2**63 - 1)])
def test_line_44_a_capture_above_its_hold(doors: Doors, amount: str) -> None:
    check_error("capture", doors["capture"].send(doors["capture"].text(amount)), 422, code="capture_exceeds_hold")


@pytest.mark.usefixtures("unmoved")
@pytest.mark.parametrize("amount", ["10001", "1000000", str(2**63 - 1)])
def test_line_44_a_refund_above_its_charge(live: Live, doors: Doors, amount: str) -> None:
    check_error("refund", doors["refund"].send(doors["refund"].text(amount)), 422, code="refund_exceeds_charge")


def test_line_45_a_second_capture(doors: Doors) -> None:
    first = captured(doors, {"Idempotency-Key": "line-45"})
    made(first)
    path = first.request.url.path
    for what in (path, path.replace("capture", "release")):
        again = doors.provider.api.post(what, json={}, headers=fresh_key())
        check_error("capture", again, 409, code="hold_closed")


async def test_line_46_a_capture_at_the_instant_of_expiry(live: Live) -> None:
    """Thirty holds of a second, each captured about then: captured once, or expired and freed, and never both."""
    provider, wallet = live.provider(), live.wallet(3000)
    token = provider.grant(wallet)["session_token"]
    body = {"session_token": token, "amount": 100, "expires_in_s": 1}
    holds = [
        answer.json()
        for answer in await at_once(live.port, [native(provider.key, "/v1/holds", body, f"h46-{n}") for n in range(30)])
    ]

    async def capture(place: int, hold: dict[str, Any]) -> list[Answer]:
        await asyncio.sleep(0.85 + place * 0.01)
        path = f"/v1/holds/{hold['id']}/capture"
        return await at_once(live.port, [native(provider.key, path, {}, f"c46-{place}-{n}") for n in range(3)])

    outcomes = await asyncio.gather(*(capture(*pair) for pair in enumerate(holds)))
    taken = 0
    for hold, answers in zip(holds, outcomes, strict=True):
        found = statuses(answers)
        assert found in ({201: 1, 409: 2}, {410: 3}), found
        taken += found[201]
        state = ok(provider.api.get(f"/v1/holds/{hold['id']}"))["state"]
        assert state == ("captured" if found[201] else "expired")
    await asyncio.sleep(0)
    made(provider.charge(token, amount=1))  # any ask frees what has expired
    assert live.read_wallet(wallet) | {"balance": 3000 - taken * 100 - 1, "held": 0} == live.read_wallet(wallet)


async def test_line_47_revoke_against_charge(live: Live) -> None:
    """Charges are ordered with the revocation; none that was sent after its answer is taken."""
    provider, wallet = live.provider(), live.wallet(100_000)
    grant = provider.grant(wallet)
    body = {"session_token": grant["session_token"], "amount": 1}
    numbers = itertools.count()
    answered = asyncio.Event()
    late: list[int] = []
    taken = 0

    async def charging() -> None:
        nonlocal taken
        async with Wire(live.port) as wire:
            for _ in range(100):
                after = answered.is_set()
                answer = await native(provider.key, "/v1/charges", body, f"c47-{next(numbers)}")(wire)
                assert answer.status in (201, 403), answer
                taken += answer.status == 201
                if after:
                    late.append(answer.status)

    async def revoking() -> None:
        while not taken:
            await asyncio.sleep(0)
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        async with httpx.AsyncClient(base_url=live.url, headers=headers) as client:
            assert (await client.delete(f"/v1/grants/{grant['id']}")).status_code == 204
        answered.set()

    async with asyncio.timeout(60):
        await asyncio.gather(revoking(), *(charging() for _ in range(16)))
    assert late
    assert set(late) == {403}
    assert live.read_wallet(wallet)["available"] == 100_000 - taken


async def test_line_55_a_revoked_key_against_charge(live: Live) -> None:
    """As line 47, for the provider's key."""
    provider, wallet = live.provider(), live.wallet(100_000)
    other = made(live.admin.post(f"/v1/providers/{provider.slug}/keys", json={"name": "second"}))
    token = provider.grant(wallet)["session_token"]
    body = {"session_token": token, "amount": 1}
    before = await at_once(live.port, [native(other["key"], "/v1/charges", body, f"b55-{n}") for n in range(50)])
    assert statuses(before) == {201: 50}
    assert live.admin.delete(f"/v1/providers/{provider.slug}/keys/{other['id']}").status_code == 204
    after = await at_once(live.port, [native(other["key"], "/v1/charges", body, f"a55-{n}") for n in range(50)])
    assert statuses(after) == {401: 50}
    assert live.read_wallet(wallet)["available"] == 100_000 - 50


@pytest.mark.usefixtures("unchanged")
def test_line_48_a_transfer_to_itself(doors: Doors) -> None:
    body = {"from_wallet": doors.wallet, "to_wallet": doors.wallet, "amount": 1}
    check_error("transfer", doors.live.admin.post("/v1/transfers", json=body, headers=fresh_key()), 422)


async def test_line_49_storms_both_ways(live: Live) -> None:
    """2,000 transfers among 200 wallets, every pair in both directions at once: each is answered, none is lost."""
    wallets = [live.wallet(1000) for _ in range(200)]
    draw = random.Random(49)
    calls = []
    for number in range(1000):
        a, b = draw.sample(wallets, 2)
        for way, (source, target) in enumerate(((a, b), (b, a))):
            body = {"from_wallet": source, "to_wallet": target, "amount": 1 + way}
            calls.append(native(ADMIN_KEY, "/v1/transfers", body, f"storm-{number}-{way}"))
    answers = await at_once(live.port, calls)
    assert statuses(answers) == {201: 2000}
    balances = [live.read_wallet(wallet)["balance"] for wallet in wallets]
    assert sum(balances) == 200_000
    assert min(balances) >= 0


async def test_line_50_many_sessions_on_one_wallet(live: Live) -> None:
    """Twenty grants of one wallet, each limited, together more than it holds: every limit and the wallet's hold."""
    wallet = live.wallet(500)
    providers = [live.provider() for _ in range(20)]
    grants = [(provider, provider.grant(wallet, limit=40)) for provider in providers]
    calls = [
        native(provider.key, "/v1/charges", {"session_token": grant["session_token"], "amount": 5}, f"c50-{number}")
        for number in range(12)
        for provider, grant in grants
    ]
    answers = await at_once(live.port, calls)
    assert statuses(answers)[201] == 100
    assert statuses(answers).keys() <= {201, 402, 403}
    assert live.read_wallet(wallet)["available"] == 0
    for _, grant in grants:
        assert ok(live.admin.get(f"/v1/grants/{grant['id']}"))["spent"] <= 40


async def test_line_51_a_limit_cut_into_single_units(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet(10_000)
    grant = provider.grant(wallet, limit=300)
    body = {"session_token": grant["session_token"], "amount": 1}
    calls = [native(provider.key, "/v1/charges", body, f"c51-{number}") for number in range(600)]
    assert statuses(await at_once(live.port, calls)) == {201: 300, 403: 300}
    found = ok(live.admin.get(f"/v1/grants/{grant['id']}"))
    assert (found["spent"], found["remaining"]) == (300, 0)
    assert live.read_wallet(wallet)["available"] == 9700


async def test_line_51_holds_count_against_the_limit(live: Live) -> None:
    provider, wallet = live.provider(), live.wallet(10_000)
    token = provider.grant(wallet, limit=100)["session_token"]
    body = {"session_token": token, "amount": 1}
    calls = [
        native(provider.key, path, body, f"h51-{number}-{path}")
        for number in range(150)
        for path in ("/v1/holds", "/v1/charges")
    ]
    found = statuses(await at_once(live.port, calls))
    assert found == {201: 100, 403: 200}


async def test_the_books_balance_after_all_of_it(doors: Doors) -> None:
    rows = "SELECT coalesce(sum(amount), 0) FROM entries"
    assert doors.live.call(doors.live.services.pool.fetchval(rows)) == 0
