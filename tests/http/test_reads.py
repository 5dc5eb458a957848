"""A wallet and its statement are read before the framework: with the answers that it gives."""

from typing import Any

import httpx
import pytest

from tests.support.live import Live, fresh_key, made, ok
from tests.support.organizations import Organization

ELSEWHERE = "?elsewhere=1"
"""What sends a request to the framework; the call has no such parameter."""
VARIES = {"date", "x-request-id", "content-length"}
NONE, MISSPELT = "4532015112830366", "4532015112830367"


def told(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """An answer, but for what differs from one to the next."""
    headers = {name: value for name, value in answer.headers.items() if name not in VARIES}
    return answer.status_code, headers, answer.json() | {"request_id": None, "until": None, "next_cursor": None}


def both_ways(client: httpx.Client, address: str) -> tuple[httpx.Response, httpx.Response]:
    """What is answered before the framework, and by it."""
    elsewhere = ELSEWHERE.replace("?", "&") if "?" in address else ELSEWHERE
    return client.get(address), client.get(address + elsewhere)


@pytest.fixture(scope="module")
def organization(live: Live) -> Organization:
    return Organization(live)


@pytest.mark.parametrize("what", ["", "/statement", "/statement?limit=2"])
@pytest.mark.parametrize("key", ["admin", "organization", "reads only", "writes only", "provider", "nobody", "none"])
def test_both_ways_answer_the_same(live: Live, organization: Organization, key: str, what: str) -> None:
    keys = {
        "organization": organization.key,
        "reads only": organization.new_key(scopes=["read"]),
        "writes only": organization.new_key(scopes=["write"]),
        "nobody": "ok_live_nobody",
    }
    clients = {name: live.client(secret) for name, secret in keys.items()}
    clients |= {"admin": live.admin, "provider": live.provider().api, "none": httpx.Client(base_url=live.url)}
    statuses = []
    for number in (organization.wallet(70), live.wallet(7), NONE, MISSPELT):
        for _ in range(2):  # before a key is known, and after
            ours, theirs = both_ways(clients[key], f"/v1/wallets/{number}{what}")
            assert told(ours) == told(theirs)
            statuses.append(ours.status_code)
    own = {"admin": [200] * 4, "organization": [200, 200, 404, 404], "reads only": [200, 200, 404, 404]}
    refused = {"provider": 404, "writes only": 403}.get(key, 401)
    assert statuses == own.get(key, [refused] * 4) + [refused if key not in own else 404] * 4


def test_the_next_page_follows_the_first(live: Live) -> None:
    wallet = live.wallet(7)
    for _ in range(3):
        made(live.admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": 5}, headers=fresh_key()))
    address = f"/v1/wallets/{wallet}/statement?limit"
    first, whole = ok(live.admin.get(f"{address}=2")), ok(live.admin.get(f"{address}=100"))
    ours, theirs = both_ways(live.admin, f"{address}=2&cursor={first['next_cursor']}")
    assert told(ours) == told(theirs)
    second = ok(ours)
    assert (first["data"] + second["data"], whole["entries"]) == (whole["data"], 4)
    ours, theirs = both_ways(live.admin, f"/v1/wallets/{wallet}/statement?cursor={first['next_cursor']}")
    assert (told(ours), len(ok(ours)["data"])) == (told(theirs), 2)
    for unknown in ("x", first["next_cursor"][:-1]):
        ours, theirs = both_ways(live.admin, f"/v1/wallets/{wallet}/statement?cursor={unknown}")
        assert (told(ours), ours.status_code) == (told(theirs), 400)
    assert {live.admin.get(f"{address}={limit}").status_code for limit in ("0", "1001", "-1", "x", "")} == {422}


def test_a_key_that_is_revoked_reads_no_more(live: Live, organization: Organization) -> None:
    address = f"/v1/wallets/{organization.wallet(7)}"
    reader = live.client(organization.new_key())
    assert [reader.get(address).status_code for _ in range(2)] == [200, 200]
    newest = live.admin.get(f"/v1/organizations/{organization.id}/keys").json()[0]
    assert live.admin.delete(f"/v1/organizations/{organization.id}/keys/{newest['id']}").is_success
    assert [reader.get(address).status_code for _ in range(2)] == [401, 401]


def test_other_methods_are_the_frameworks(live: Live) -> None:
    address = f"/v1/wallets/{live.wallet(7)}"
    assert live.admin.head(address).status_code == live.admin.head(address + ELSEWHERE).status_code
    assert live.admin.post(address).status_code == 405
