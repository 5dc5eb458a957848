"""Cursors, limits and other parameters of lists (lines 85 and 86), and holds that expire once (line 88)."""

import asyncio
import base64
import time
from typing import Any

import httpx
import pytest

from tests.support.doors import Doors, check_error
from tests.support.ledgers import owner
from tests.support.live import Live, fresh_key, live_server, made, ok, settings_for

LISTS = ["/v1/wallets", "/v1/providers", "/v1/organizations", "/v1/charges?provider={slug}"]
LISTS += [f"/v1/wallets/{{wallet}}/{what}" for what in ("history", "statement", "holds", "grants")]
EACH = pytest.mark.parametrize("path", LISTS)


@pytest.fixture(scope="module")
def filled(live: Live) -> dict[str, str]:
    """A wallet and a provider with more in every list than fits a page of one; other things beside them."""
    doors = Doors(live)
    for number in range(3):
        made(doors.hold_of(1))
        made(doors.provider.charge(doors.token, amount=1))
        doors.provider.grant(doors.wallet)
        identity = f"listed-{doors.provider.slug}-{number}"
        made(live.admin.post("/v1/organizations", json={"id": identity, "name": "n"}))
        live.provider()
    return {"slug": doors.provider.slug, "wallet": doors.wallet, "payee": doors.payee}


def page(live: Live, path: str, known: dict[str, str], **query: str | int) -> httpx.Response:
    address = httpx.URL(path.format(**known))
    return live.admin.get(address.copy_merge_params(query))


def cursor_of(live: Live, path: str, known: dict[str, str]) -> str:
    found: str | None = ok(page(live, path, known, limit=1))["next_cursor"]
    assert found is not None, path
    return found


@EACH
def test_a_cursor_goes_on_where_the_page_ended(live: Live, filled: dict[str, str], path: str) -> None:
    whole = ok(page(live, path, filled, limit=1000))["data"]
    cursor, found = None, []
    for _ in whole:
        part = ok(page(live, path, filled, limit=1, **({} if cursor is None else {"cursor": cursor})))
        found += part["data"]
        cursor = part["next_cursor"]
    assert found == whole
    assert cursor is None


@EACH
def test_line_85_an_altered_cursor(live: Live, filled: dict[str, str], path: str) -> None:
    good = cursor_of(live, path, filled)
    raw = bytearray(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)))
    raw[-1] ^= 1
    flipped = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    bad = [
        flipped,
        good[:-2],
        good[1:],
        good + "AAAA",
        good * 50,
        "",
        "a",
        "====",
        "null",
        "0",
        "-1",
        "\u0661",
        "\U0001f600",
    ]
    bad += [base64.urlsafe_b64encode(body).decode() for body in (b"", b"\0" * 12, b"\0" * 13, b"\xc1" * 40, b"[" * 100)]
    for cursor in bad:
        answer = page(live, path, filled, limit=1, cursor=cursor)
        check_error("native", answer, 400, code="bad_cursor", secret=cursor if len(cursor) > 8 else "")


@EACH
def test_line_85_a_foreign_cursor(live: Live, filled: dict[str, str], path: str) -> None:
    """A cursor is for one list of one thing: of any other list it is none."""
    for other in LISTS:
        if other != path:
            answer = page(live, path, filled, limit=1, cursor=cursor_of(live, other, filled))
            check_error("native", answer, 400, code="bad_cursor")
    if "{wallet}" in path and not path.endswith("grants"):
        others = filled | {"wallet": filled["payee"]}
        check_error("native", page(live, path, others, cursor=cursor_of(live, path, filled)), 400, code="bad_cursor")


def test_line_85_a_cursor_of_another_tenant(live: Live, filled: dict[str, str]) -> None:
    identity = f"cursor-{filled['slug']}"
    made(live.admin.post("/v1/organizations", json={"id": identity, "name": "n"}))
    key = made(live.admin.post(f"/v1/organizations/{identity}/keys", json={"name": "n"}))["key"]
    with live.client(key) as api:
        answer = api.get("/v1/wallets", params={"cursor": cursor_of(live, "/v1/wallets", filled)})
        check_error("native", answer, 400, code="bad_cursor")


LIMITS = [
    "-1",
    "0",
    "1001",
    str(10**9),
    str(10**30),
    "1.5",
    "abc",
    "",
    "NaN",
    "true",
    "+5",
    " 5",
    "0x10",
    "\u0665",
    "5_0",
]


@EACH
@pytest.mark.parametrize("limit", LIMITS)
def test_line_86_a_limit_that_is_none(live: Live, filled: dict[str, str], path: str, limit: str) -> None:
    answer = page(live, path, filled, limit=limit)
    check_error("native", answer, 422, secret=limit if len(limit) > 4 else "")


@EACH
def test_line_86_the_largest_limit(live: Live, filled: dict[str, str], path: str) -> None:
    assert page(live, path, filled, limit=1000).status_code == 200
    assert len(ok(page(live, path, filled, limit=1))["data"]) == 1


MOMENTS = [
    "yesterday",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01",
    "",
]
MOMENTS += [
    "9999999-01-01T00:00:00Z",
    "2026-01-01T25:00:00Z",
    "2026-01-01T00:00:00+99:00",
    "\u0662\u0660\u0662\u0666-01-01T00:00:00Z",
]


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_period_that_is_none(live: Live, filled: dict[str, str], name: str, moment: str) -> None:
    answer = page(live, "/v1/wallets/{wallet}/statement", filled, **{name: moment})
    check_error("native", answer, 422, secret=moment if len(moment) > 8 else "")


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_a_period_at_the_ends_of_time(live: Live, filled: dict[str, str], moment: str) -> None:
    for name in ("since", "until"):
        answer = page(live, "/v1/wallets/{wallet}/statement", filled, **{name: moment})
        assert answer.status_code in (200, 422), answer.text


VALUES = ["%00", "%ff", "%ed%a0%80", "%f0%9f%98%80", "a" * 8000, "'--", "%25s", "%0d%0a", "%E2%80%AE", "\\", "%5Cu0000"]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "path",
    ["wallets?owner={}", "charges?provider={}", "prices?model={}", "wallets?no_such={}", "wallets?{}=1",
     "wallets/{{wallet}}/history?kind={}", "wallets?cursor={}"],
)  # fmt: skip
def test_values_of_every_kind(live: Live, filled: dict[str, str], path: str, value: str) -> None:
    answer = live.admin.get(f"/v1/{path.format(value).format(**filled)}")
    assert answer.status_code in (200, 400, 404, 422), answer.text
    if answer.status_code != 200:
        check_error("native", answer, answer.status_code, secret=value if len(value) > 8 else "")


@pytest.mark.parametrize("value", [*VALUES, ""])
@pytest.mark.parametrize("dialect", ["conxa", "knai"])
def test_users_of_every_kind(live: Live, filled: dict[str, str], dialect: str, value: str) -> None:
    provider = live.provider()
    client = provider.conxa() if dialect == "conxa" else provider.knai()
    answer = client.get(f"/providers/session/status?provider_username={value}")
    if answer.status_code == 200:
        assert answer.json()["status"] == "not_found"
    else:
        check_error(dialect, answer, 422)


async def _move_back(url: str) -> None:
    conn = await owner(url)
    try:
        # The database's clock can't be set back, so that the moments are: the same, seen from the other side.
        await conn.execute("UPDATE holds SET expires_at = expires_at + interval '1 hour' WHERE state = 'pending'")
    finally:
        await conn.close()


def test_line_88_a_clock_that_is_set_back_an_hour(database: str) -> None:
    """Expired and freed is for good: with the clock an hour back, no hold comes to life or expires again."""
    with live_server(database, settings_for()) as live:
        check_clock(live, database)


def check_clock(live: Live, database: str) -> None:
    provider, wallet = live.provider(), live.wallet(1000)
    token = provider.grant(wallet)["session_token"]

    def hold(ttl_s: int) -> dict[str, Any]:
        body = {"session_token": token, "amount": 100, "expires_in_s": ttl_s}
        found: dict[str, Any] = made(provider.api.post("/v1/holds", json=body, headers=fresh_key()))
        return found

    def state(of: dict[str, Any]) -> str:
        found: str = ok(provider.api.get(f"/v1/holds/{of['id']}"))["state"]
        return found

    short, long = hold(1), hold(2)
    while state(short) != "expired":
        time.sleep(0.05)
    made(provider.charge(token, amount=1))  # frees it
    asyncio.run(_move_back(database))
    for _ in range(3):
        made(provider.charge(token, amount=1))
    assert (state(short), state(long)) == ("expired", "pending")
    assert live.read_wallet(wallet)["held"] == 100
    late = provider.api.post(f"/v1/holds/{short['id']}/capture", json={}, headers=fresh_key())
    check_error("capture", late, 410, code="hold_expired")
    made(provider.api.post(f"/v1/holds/{long['id']}/capture", json={}, headers=fresh_key()))
    assert live.read_wallet(wallet)["balance"] == 1000 - 4 - 100
    rows = "SELECT count(*) FROM transfers WHERE wallet_id = $1 AND kind = 'release'"
    assert live.call(live.services.pool.fetchval(rows, int(wallet))) == 1
