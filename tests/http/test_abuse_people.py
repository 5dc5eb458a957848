"""Bad inputs of people who pay people: bodies, keys asked twice, and who may (lines 15 to 41 and 52 to 69)."""

import asyncio
import base64
import gzip
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest

from tests.http.test_abuse_races import at_once, statuses
from tests.http.test_syftbox import refused, transaction
from tests.support.databases import Databases
from tests.support.live import Live, live_server, made, ok, settings_for
from tests.support.people import PASSWORD, Somebody, administrator, anyone, credit
from tests.support.racing import waiting_for_locks
from tests.support.rawhttp import Answer, Wire

CREATE = "/transaction/create"


@pytest.fixture(scope="module")
def pair(live: Live) -> tuple[Somebody, Somebody]:
    """A sender with 1,000 dollars, and a recipient."""
    return Somebody(live, "1000"), Somebody(live)


Pair = tuple[Somebody, Somebody]


def body_of(pair: Pair, amount: float = 1, **more: Any) -> dict[str, Any]:
    return {"senderEmail": pair[0].email, "recipientEmail": pair[1].email, "amount": amount} | more


def authorization(somebody: Somebody, password: str | None = None) -> str:
    text = f"{somebody.email}:{somebody.password if password is None else password}"
    return "Basic " + base64.b64encode(text.encode()).decode()


def posts(somebody: Somebody, path: str, body: object, **headers: str) -> Callable[[Wire], Any]:
    given = {"Authorization": authorization(somebody)} | headers
    return lambda wire: wire.post(f"/syftbox{path}", body, **given)


ADDRESSES = {
    CREATE: {"senderEmail": "a@example.org", "recipientEmail": "b@example.org", "amount": 1},
    "/transaction/confirm": {"transactionId": "tx_1"},
    "/token/create": {"recipientEmail": "b@example.org"},
    "/token/revoke": {"tokenId": "dg_1"},
}
EACH = pytest.mark.parametrize("path", ADDRESSES)
BODIES = [
    ("15 a member twice", b'{@, "x": 1, "x": 2}', {400}),
    ("17 deep", b'{@, "x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", {400}),
    ("20 a lone surrogate", rb'{@, "x": "\ud800"}', {400}),
    ("22 not UTF-8", b'{@, "x": "\xff"}', {400}),
    ("22 with a BOM", b"\xef\xbb\xbf{@}", {400}),
    ("32 null", b"null", {422}),
    ("32 a list", b"[{@}]", {422}),
    ("32 a text", b'"x"', {422}),
    ("nothing in it", b"{}", {422}),
    ("no JSON", b"{", {400}),
    ("nothing", b"", {400, 422}),
]


@EACH
@pytest.mark.parametrize(("case", "content", "wanted"), BODIES, ids=[case for case, _, _ in BODIES])
def test_a_body_that_is_none(pair: Pair, path: str, case: str, content: bytes, wanted: set[int]) -> None:
    good = json.dumps(ADDRESSES[path]).strip("{}").encode()
    plain = {"Content-Type": "application/json"}
    answer = pair[0].api.post(
        path, content=content.replace(b"@}", good + b"}").replace(b"@,", good + b","), headers=plain
    )
    assert answer.status_code in wanted, answer.text
    assert answer.json().keys() >= {"message", "code"}


@EACH
def test_a_body_in_a_wrong_form(live: Live, pair: Pair, path: str) -> None:
    api, body = pair[0].api, ADDRESSES[path]
    text = {"Content-Type": "text/plain"}
    refused(api.post(path, json=body, headers=text), 415, "unsupported_media_type")
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused(api.post(path, content=gzip.compress(b" " * 10_000_000), headers=packed), 415, "unsupported_media_type")
    most = live.services.settings.max_body_bytes
    plain = {"Content-Type": "application/json"}
    refused(api.post(path, content=b" " * (most + 1), headers=plain), 413, "too_large")
    refused(api.get(path), 405, "method_not_allowed")
    refused(api.get(path, headers={"X-HTTP-Method-Override": "POST"}), 405, "method_not_allowed")
    refused(api.post(f"{path}?a=1&a=2", json=body), 400, "repeated_parameter")


def test_line_21_a_nul(pair: Pair) -> None:
    refused(pair[0].api.post(CREATE, json=body_of(pair, appName="a\0b")), 422, "invalid_request")
    for name in ("a\0b@example.org", "\0"):
        refused(
            anyone(pair[0].live).post("/user/create", json={"email": name, "password": PASSWORD}),
            422,
            "invalid_request",
        )


def test_line_16_an_unknown_member_sets_nothing(pair: Pair) -> None:
    more = {"status": "COMPLETED", "createdBy": "SYSTEM", "wallet_id": 1, "asked_by": "recipient", "ttl_s": 1}
    found = transaction(pair[0].api.post(CREATE, json=body_of(pair) | more))
    assert (found["status"], found["createdBy"]) == ("PENDING", "SENDER")


@pytest.mark.parametrize("key", ["k" * 256, "tab\tin", "auto:0123456789abcdef"])
def test_line_34_a_key_that_is_none(pair: Pair, key: str) -> None:
    refused(pair[0].create(pair[1], "1", key=key), 400, "idempotency_key_invalid")


async def test_line_35_the_same_creation_1000_times_at_once(live: Live, pair: Pair) -> None:
    before = pair[0].balance
    call = posts(pair[0], CREATE, body_of(pair), Idempotency_Key="a-thousand")
    answers = await at_once(live.port, [call] * 1000)
    assert statuses(answers) == {200: 1000}
    assert len({answer.body for answer in answers}) == 1
    assert pair[0].balance == before - 1


async def test_line_35_the_same_confirmation_1000_times_at_once(live: Live, pair: Pair) -> None:
    number, before = pair[0].sent(pair[1], "1"), pair[1].balance
    answers = await at_once(live.port, [posts(pair[0], "/transaction/confirm", {"transactionId": number})] * 1000)
    assert statuses(answers) == {200: 1000}
    assert len({answer.body for answer in answers}) == 1
    assert pair[1].balance == before + 1


def test_line_37_the_same_key_of_another_person(live: Live, pair: Pair) -> None:
    other = Somebody(live, "10")
    assert transaction(pair[0].create(pair[1], "1", key="shared"))
    assert transaction(other.create(pair[1], "2", key="shared"))["amount"] == 2


def test_line_38_an_administrators_key_for_another_call(live: Live, pair: Pair) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    made(live.admin.post(f"/v1/wallets/{live.wallet()}/deposits", json={"amount": 1}, headers=key))
    body = {"recipientEmail": pair[0].email, "amount": 1}
    refused(administrator(live).post("/user/add-balance", json=body, headers=key), 422, "idempotency_key_reused")


def test_line_39_a_retry_after_a_decline_and_a_credit(live: Live) -> None:
    ada, bob = Somebody(live), Somebody(live)
    for _ in range(2):
        refused(ada.create(bob, "1", key="declined"), 402, "insufficient_balance")
        credit(live, ada.email, "1")
    assert transaction(ada.create(bob, "1", key="another"))


def test_line_40_a_retry_after_the_password_was_changed(live: Live) -> None:
    ada, bob = Somebody(live, "10"), Somebody(live)
    first = transaction(ada.create(bob, "1", key="mine"))
    change(ada, "another password")
    refused(ada.create(bob, "1", key="mine"), 401, "invalid_credentials")
    ada.api = ada.client("another password")
    assert transaction(ada.create(bob, "1", key="mine")) == first


async def test_line_41_a_caller_that_leaves_and_asks_again(live: Live, pair: Pair) -> None:
    before = pair[0].balance
    calls = [posts(pair[0], CREATE, body_of(pair), Idempotency_Key=f"leaving-{number}") for number in range(20)]

    async def leave(call: Callable[[Wire], Any], after_s: float) -> None:
        wire = Wire(live.port)
        asking = asyncio.ensure_future(call(wire))
        await asyncio.sleep(after_s)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    await asyncio.gather(*(leave(call, number % 3 / 500) for number, call in enumerate(calls)))
    assert statuses(await at_once(live.port, calls)) == {200: 20}
    assert pair[0].balance == before - 20


def test_line_54_a_key_that_may_only_read(live: Live, pair: Pair) -> None:
    key = made(live.admin.post("/v1/keys", json={"name": "reader", "scopes": ["read"]}))["key"]
    reader = live.client(key, "/syftbox")
    assert ok(reader.get(f"/user/{pair[0].email}"))
    body = {"recipientEmail": pair[0].email, "amount": 1}
    refused(reader.post("/user/add-balance", json=body), 403, "scope_missing")
    refused(reader.post("/user/create", json={"email": "x@example.org"}), 403, "scope_missing")


@pytest.fixture(scope="module")
def two(postgres: Databases) -> Iterator[tuple[Live, Live]]:
    """Two servers on one database, which believe a proxy on this machine."""
    name = postgres.fresh()
    settings = settings_for(trusted_proxies="127.0.0.1", failures_per_person_s=0.001)
    with live_server(postgres.url(name), settings) as one, live_server(postgres.url(name), settings) as other:
        yield one, other


def test_line_55_a_revoked_key_on_every_worker(two: tuple[Live, Live]) -> None:
    key = made(two[0].admin.post("/v1/keys", json={"name": "short"}))
    for live in two:
        assert ok(live.client(key["key"], "/syftbox").get("/users"))["users"] is not None
    assert two[0].admin.delete(f"/v1/keys/{key['id']}").status_code == 204
    for live in two:
        refused(live.client(key["key"], "/syftbox").get("/users"), 401, "invalid_api_key")


def change(somebody: Somebody, password: str) -> None:
    """Another password."""
    body = {"oldPassword": somebody.password, "newPassword": password}
    ok(somebody.api.put("/user/update-password", json=body))


def test_line_64_a_changed_password_ends_the_old_one_on_every_worker(two: tuple[Live, Live]) -> None:
    ada, bob = Somebody(two[0], "10"), Somebody(two[0])
    elsewhere = httpx.Client(base_url=f"{two[1].url}/syftbox", auth=(ada.email, PASSWORD))
    assert ok(elsewhere.get("/user/my-info"))["user"]["balance"] == 10
    assert transaction(elsewhere.post(CREATE, json=body_of((ada, bob))))
    pending = ada.sent(bob, "1")
    change(ada, "another password")
    confirm = "/transaction/confirm"
    calls: list[tuple[str, dict[str, Any]]] = [
        (CREATE, body_of((ada, bob))),
        (confirm, {"transactionId": pending}),
        ("/token/create", {"recipientEmail": bob.email}),
        (CREATE, body_of((ada, bob), recipientEmail="nobody@example.org")),
        (confirm, {"transactionId": "tx_1"}),
        (CREATE, {}),
    ]
    for api, asked in ((ada.api, calls), (elsewhere, calls[::-1])):  # what comes first is from memory
        for path, body in asked:
            refused(api.post(path, json=body), 401, "invalid_credentials")
        refused(api.get("/user/my-info"), 401, "invalid_credentials")
    elsewhere.auth = httpx.BasicAuth(ada.email, "another password")
    assert transaction(elsewhere.post(confirm, json={"transactionId": pending}))


async def test_a_password_change_during_calls(two: tuple[Live, Live]) -> None:
    """Callers on both servers go on with the old password: none that starts after the answer is served."""
    ada, bob = Somebody(two[0], "1000"), Somebody(two[0])
    changed = asyncio.Event()
    found: list[list[int]] = [[], []]

    async def calling(live: Live) -> None:
        async with Wire(live.port) as wire:
            for _ in range(400):
                after = changed.is_set()
                answer: Answer = await posts(ada, CREATE, body_of((ada, bob), 0.01))(wire)
                found[after].append(answer.status)
                if after:
                    return

    async def changing() -> None:
        await asyncio.sleep(0.1)
        await asyncio.to_thread(change, ada, "another password")
        changed.set()

    async with asyncio.timeout(60):
        await asyncio.gather(*(calling(two[number % 2]) for number in range(8)), changing())
    during, after = found
    assert set(after) == {401}
    assert set(during) <= {200, 401, 429}
    ada.api = ada.client("another password")
    assert ada.balance == round(1000 - during.count(200) / 100, 2), "every answer of 200 is in the books"


@pytest.mark.parametrize("call", ["POST /token/create", "PUT /user/update-organization"])
def test_a_password_changed_in_the_middle_of_a_call(live: Live, call: str) -> None:
    """The call has passed the door; what it is to write waits for the change, and is not written after it."""
    ada, bob = Somebody(live), Somebody(live)
    method, path = call.split()
    body = {"recipientEmail": bob.email, "organization": "written"}

    async def changed_meanwhile() -> httpx.Response:
        async with live.services.pool.acquire() as conn:
            change = conn.transaction()
            await change.start()
            query = "UPDATE people SET password_version = password_version + 1 WHERE email = $1"
            await conn.execute(query, ada.email)
            asked = asyncio.create_task(asyncio.to_thread(ada.api.request, method, path, json=body))
            await waiting_for_locks(live.services, 1)
            await change.commit()
            return await asked

    refused(live.call(changed_meanwhile()), 401, "invalid_credentials")
    assert ok(ada.api.get("/user/my-info"))["user"]["organization"] is None
    assert ok(ada.api.get("/tokens"))["tokens"] == []


def test_line_61_a_password_of_a_megabyte(live: Live, pair: Pair) -> None:
    long = "x" * 1_000_000
    refused(
        anyone(live).post("/user/create", json={"email": "l@example.org", "password": long}), 422, "invalid_request"
    )
    body = {"oldPassword": PASSWORD, "newPassword": long}
    refused(pair[0].api.put("/user/update-password", json=body), 422, "invalid_request")
    body = {"oldPassword": long, "newPassword": "another password"}
    refused(pair[0].api.put("/user/update-password", json=body), 401, "wrong_password")


def test_line_62_a_flood_of_logins(make_live: Callable[..., Live]) -> None:
    """People who are unknown cost as much as others: the queue is full of them, and memory is not."""
    live = make_live(password_threads=1)
    before = psutil.Process().memory_info().rss

    def guess(number: int) -> Callable[[Wire], Any]:
        pair = base64.b64encode(f"nobody{number}@example.org:{number}".encode()).decode()
        return lambda wire: wire.post(f"/syftbox{CREATE}", {}, Authorization=f"Basic {pair}")

    answers = asyncio.run(at_once(live.port, [guess(number) for number in range(600)], connections=300))
    found = statuses(answers)
    assert found.keys() == {401, 503}, found
    assert all("retry-after" in answer.headers for answer in answers if answer.status == 503)
    assert psutil.Process().memory_info().rss - before < 150 * 2**20


def test_line_63_guesses_lock_nobody_out(two: tuple[Live, Live]) -> None:
    ada = Somebody(two[0])
    wrong, elsewhere = ada.client("a guess"), {"X-Forwarded-For": "203.0.113.7"}
    answers = [wrong.get("/user/my-info") for _ in range(14)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 4
    assert int(answers[-1].headers["retry-after"]) > 0
    assert ok(ada.api.get("/user/my-info")), "known here"
    fresh = httpx.Client(base_url=f"{two[1].url}/syftbox", auth=(ada.email, "a guess"))
    for _ in range(10):
        refused(fresh.get("/user/my-info"), 401, "invalid_credentials")
    fresh.auth = httpx.BasicAuth(ada.email, PASSWORD)
    refused(fresh.get("/user/my-info"), 429, "rate_limited")
    assert ok(fresh.get("/user/my-info", headers=elsewhere)), "from another network"
    assert ok(fresh.get("/user/my-info")), "and then known there, too"


def test_line_69_a_forged_forwarded_for(make_live: Callable[..., Live]) -> None:
    live = make_live(failures_per_person_s=0.001)
    wrong = Somebody(live).client("a guess")
    answers = [wrong.get("/user/my-info", headers={"X-Forwarded-For": f"198.51.{n}.1"}) for n in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2


def test_sign_ups_beyond_the_limit(make_live: Callable[..., Live]) -> None:
    live = make_live(sign_ups_per_address_s=0.001)

    def sign_up(api: httpx.Client) -> int:
        return api.post("/user/create", json={"email": f"{uuid.uuid4().hex}@example.org"}).status_code

    assert [sign_up(anyone(live)) for _ in range(12)] == [200] * 10 + [429] * 2
    assert sign_up(administrator(live)) == 200


@pytest.mark.parametrize(
    ("address", "limited"),
    [("2001:db8:1:1:{:x}::1", True), ("2001:db8:1:{:x}::1", False), ("::ffff:198.51.100.{}", False)],
)
def test_addresses_of_one_holder_count_as_one(make_live: Callable[..., Live], address: str, limited: bool) -> None:
    """Of IPv6, somebody with one address has 2^64."""
    live = make_live(sign_ups_per_address_s=0.001, trusted_proxies="127.0.0.1")
    api, found = anyone(live), []
    for number in range(1, 13):
        headers = {"X-Forwarded-For": address.format(number)}
        body = {"email": f"{uuid.uuid4().hex}@example.org"}
        found.append(api.post("/user/create", json=body, headers=headers).status_code)
    assert found == ([200] * 10 + [429] * 2 if limited else [200] * 12)


def test_lines_64_to_68_nothing_for_a_browser(live: Live, pair: Pair) -> None:
    """No cookie, no leave for another origin: a page elsewhere can neither use nor read a login."""
    hostile = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for answer in (
        pair[0].api.get("/user/my-info", headers=hostile),
        pair[0].create(pair[1], "1"),
        anyone(live).options(CREATE, headers=hostile | {"Access-Control-Request-Method": "POST"}),
    ):
        assert "set-cookie" not in answer.headers
        assert not any(name.startswith("access-control-") for name in answer.headers)


NOBODYS = [
    *("", "a", "a@", "@b.org", "a@b", "a b@example.org", "a@exam ple.org", "a@-b.org", "a..b@example.org"),
    *("a@b..org", "a:b@example.org", "a@b@example.org", "a\u202eb@example.org", "<a@example.org>"),
    *(
        "x" * 65 + "@example.org",
        "a@" + "b" * 64 + ".org",
        "a@example.org,b@example.org",
        "a@example.org b@example.org",
    ),
]


@pytest.mark.parametrize("email", NOBODYS)
def test_an_address_that_is_none(live: Live, email: str) -> None:
    answer = anyone(live).post("/user/create", json={"email": email, "password": PASSWORD})
    refused(answer, 422, "invalid_request")
    assert len(email) < 4 or email not in answer.text


def test_spellings_of_one_address(live: Live) -> None:
    name = uuid.uuid4().hex
    ada = Somebody(live, "5", email=f"Ada.{name}@Example.ORG")
    assert ok(ada.api.get("/user/my-info"))["user"]["email"] == f"ada.{name}@example.org"
    for other in (f"ada.{name}@example.org", f"ＡDA.{name}@example.org", f" ada.{name}@EXAMPLE.org "):
        refused(anyone(live).post("/user/create", json={"email": other, "password": PASSWORD}), 409, "email_taken")
        with httpx.Client(base_url=f"{live.url}/syftbox", auth=(other, PASSWORD)) as api:
            assert ok(api.get("/user/my-info"))["user"]["balance"] == 5
