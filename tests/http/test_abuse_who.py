"""Who may (lines 52 to 59 and 69): what is not yours is not there, and a key is what it is and no more."""

import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.support.databases import Databases
from tests.support.doors import DIALECTS, EVERY, NATIVE, Doors, check_error
from tests.support.live import Live, fresh_key, live_server, made, ok, settings_for

ABSENT = {
    "wallet": "1000000000000008",
    "grant": "gr_999999999",
    "request": "cr_999999999",
    "charge": "ch_038d7ea4c6800899999",
    "hold": "hd_038d7ea4c6800899999",
    "organization": "no-such-organization",
    "provider": "no-such-provider",
    "key": "key_999999999",
}
ODD = [
    "0",
    "-1",
    "gr_0",
    "gr_-1",
    "gr_1e3",
    "gr_٣",
    "gr_9223372036854775808",
    "%00",
    "..%2f..",
    "%2e%2e",
    "%ff",
    "null",
]
ODD += ["a" * 5000, "'%20OR%201=1--", "<script>", "ch_", "ch_g", "ch_" + "f" * 30, "9999999999999999", "%0d%0aX-A:%20b"]

READS = {
    "/v1/wallets/{wallet}": None,
    "/v1/wallets/{wallet}/history": None,
    "/v1/wallets/{wallet}/statement": None,
    "/v1/wallets/{wallet}/holds": None,
    "/v1/wallets/{wallet}/grants": None,
    "/v1/grants/{grant}": None,
    "/v1/connection-requests/{request}": None,
    "/v1/charges/{charge}": None,
    "/v1/charges/{charge}/explanation": None,
    "/v1/holds/{hold}": None,
    "/v1/organizations/{organization}": None,
    "/v1/organizations/{organization}/keys": None,
    "/v1/providers/{provider}": None,
    "/v1/providers/{provider}/keys": None,
    "/v1/providers/{provider}/revenue": None,
}
TERMS = {"terms": "0" * 64}
WRITES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/wallets/{wallet}/grants"): {"provider": "{provider}", "provider_username": "u"},
    ("POST", "/v1/connection-requests"): {
        "wallet": "{wallet}",
        "qr": {"provider_id": "{provider}", "provider_username": "u"},
    },
    ("POST", "/v1/connection-requests/{request}/approve"): TERMS,
    ("POST", "/v1/connection-requests/{request}/decline"): None,
    ("POST", "/v1/transfers"): {"from_wallet": "{wallet}", "to_wallet": "{payee}", "amount": 1},
    ("POST", "/v1/charges/{charge}/refunds"): {"amount": 1},
    ("POST", "/v1/holds/{hold}/capture"): {},
    ("POST", "/v1/holds/{hold}/release"): None,
    ("DELETE", "/v1/grants/{grant}"): None,
    ("POST", "/v1/organizations/{organization}/keys"): {"name": "n"},
    ("DELETE", "/v1/organizations/{organization}/keys/{key}"): None,
    ("POST", "/v1/providers/{provider}/keys"): {"name": "n"},
    ("DELETE", "/v1/providers/{provider}/keys/{key}"): None,
}
CALLS = [("GET", path, None) for path in READS] + [(*call, body) for call, body in WRITES.items()]
CALL = pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=[f"{method} {path}" for method, path, _ in CALLS])


class Tenant:
    """An organization with a key, a wallet, and all that comes of using it."""

    def __init__(self, live: Live, name: str) -> None:
        organization = made(live.admin.post("/v1/organizations", json={"id": name, "name": name}))["id"]
        key = made(live.admin.post(f"/v1/organizations/{organization}/keys", json={"name": "k"}))
        self.api = live.client(key["key"])
        self.provider = live.provider()
        wallet, payee = live.wallet(1000, organization=organization), live.wallet(1000, organization=organization)
        grant = self.provider.grant(wallet)
        token = grant["session_token"]
        drawn = {"session_token": token, "amount": 10}
        qr = {"provider_id": self.provider.slug, "provider_username": "someone"}
        request = made(live.admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": qr}))
        keys = ok(live.admin.get(f"/v1/organizations/{organization}/keys"))
        self.ids = {
            "wallet": wallet,
            "payee": payee,
            "grant": grant["id"],
            "request": request["id"],
            "charge": made(self.provider.charge(token, amount=10))["id"],
            "hold": made(self.provider.api.post("/v1/holds", json=drawn, headers=fresh_key()))["id"],
            "organization": organization,
            "provider": self.provider.slug,
            "key": keys[0]["id"],
        }


class Tenants:
    """Two tenants of one server."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.first, self.second = Tenant(live, "first"), Tenant(live, "second")

    def standing(self) -> tuple[Any, ...]:
        """What strangers could change of the first tenant."""
        found = [self.live.admin.get(path.format(**self.first.ids)) for path in READS if "key" not in path]
        return tuple(answer.text for answer in found if '"until"' not in answer.text)


@pytest.fixture(scope="module")
def tenants(postgres: Databases) -> Iterator[Tenants]:
    name = postgres.fresh()
    with live_server(postgres.url(name), settings_for()) as live:
        yield Tenants(live)


def filled(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: filled(inner, known) for name, inner in value.items()}
    return value.format(**known) if isinstance(value, str) else value


def ask(api: httpx.Client, method: str, path: str, body: Any, known: dict[str, str]) -> httpx.Response:
    return api.request(method, path.format(**known), json=filled(body, known), headers=fresh_key())


def told(answer: httpx.Response) -> tuple[int, Any]:
    """Status and body without what is different each time."""
    return answer.status_code, {name: value for name, value in answer.json().items() if name != "request_id"}


@CALL
@pytest.mark.parametrize("caller", ["organization", "provider", "own provider"])
def test_lines_52_and_53_what_is_another_tenants(
    tenants: Tenants, caller: str, method: str, path: str, body: Any
) -> None:
    """It answers exactly as what was never there."""
    api = tenants.second.api if caller == "organization" else tenants.second.provider.api
    before = tenants.standing()
    # The wallet that a transfer goes to, and the provider that a grant is for, may be anybody's.
    own = {name: tenants.second.ids[name] for name in ("provider", "payee") if f"{{{name}}}" not in path}
    answer = ask(api, method, path, body, tenants.first.ids | own)
    if caller != "organization" and path == "/v1/transfers":
        check_error("native", answer, 403)
    else:
        check_error("native", answer, 404, code="not_found")
        assert told(answer) == told(ask(api, method, path, body, ABSENT | {"payee": "1000000000000008"} | own))
    assert tenants.standing() == before
    for secret in (tenants.first.ids["organization"], "someone"):
        assert secret not in answer.text


def test_what_is_ones_own_is_there(tenants: Tenants) -> None:
    """Else the tests above would say nothing."""
    for path in READS:
        api = tenants.first.api if "/providers/" not in path else tenants.first.provider.api
        assert api.get(path.format(**tenants.first.ids)).status_code == 200, path


@CALL
def test_line_53_ids_that_can_not_be(tenants: Tenants, method: str, path: str, body: Any) -> None:
    """Odd ids are absent ids, whoever asks; never a 500."""
    names = re.findall(r"\{(\w+)\}", path)
    for odd in ODD if names else ():
        known = tenants.first.ids | dict.fromkeys(names, odd)
        for api in (tenants.live.admin, tenants.first.api, tenants.first.provider.api):
            answer = ask(api, method, path, body, known)
            assert answer.status_code in (404, 405, 400, 422), (odd, answer.text)
            check_error("native", answer, answer.status_code, secret=odd if len(odd) > 6 else "")
            assert "x-a" not in answer.headers


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd != "..%2f.."])
def test_line_53_odd_wallets_and_models_of_the_dialects_and_prices(tenants: Tenants, odd: str) -> None:
    with tenants.live.client(None) as client:
        check_error("conxa", client.get(f"/conxa/wallet/{odd}"), 404)
    admin = tenants.live.admin
    for path in (f"/v1/prices/{odd}/m", f"/v1/prices/*/{odd}", f"/v1/assets/{odd}", f"/v1/providers/{odd}/keys"):
        for method in ("GET", "DELETE", "PUT"):
            answer = admin.request(method, path, json={})
            assert answer.status_code in (200, 400, 404, 405, 422), (path, answer.text)


@CALL
def test_line_54_a_reading_key_may_not_write(tenants: Tenants, method: str, path: str, body: Any) -> None:
    """And a writing key may not read."""
    live = tenants.live
    for scopes, wanted in ((["read"], method != "GET"), (["write"], method == "GET")):
        made_key = made(live.admin.post("/v1/keys", json={"name": "half", "scopes": scopes}))
        with live.client(made_key["key"]) as api:
            answer = ask(api, method, path, body, tenants.first.ids | {"key": "key_999999999"})
        if wanted:
            check_error("native", answer, 403, code="scope_missing")
        else:
            assert answer.status_code != 403, answer.text
            if method != "GET":
                break  # it was done, and can't be done again


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("door", EVERY)
def test_line_54_a_reading_key_may_not_move_money(doors: Doors, door: str) -> None:
    live = doors.live
    admin = door in ("deposit", "transfer", "usage")
    path = "/v1/keys" if admin else f"/v1/providers/{doors.provider.slug}/keys"
    key = made(live.admin.post(path, json={"name": "reads", "scopes": ["read"]}))["key"]
    header = {"X-Provider-API-Key": key} if door in DIALECTS else {"Authorization": f"Bearer {key}"}
    check_error(door, doors[door].good(**header), 403, secret=key)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("door", NATIVE)
def test_an_organizations_key_may_only_move_its_own(doors: Doors, tenants: Tenants, door: str) -> None:
    live = doors.live
    slug = f"org-of-{doors.provider.slug}-{door}"
    made(live.admin.post("/v1/organizations", json={"id": slug, "name": "o"}))
    key = made(live.admin.post(f"/v1/organizations/{slug}/keys", json={"name": "k"}))["key"]
    answer = doors[door].good(Authorization=f"Bearer {key}")
    assert answer.status_code in (403, 404)
    check_error(door, answer, answer.status_code)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("door", ["deposit", "transfer", "usage"])
def test_a_providers_key_moves_nothing_but_charges(doors: Doors, door: str) -> None:
    check_error(door, doors[door].good(Authorization=f"Bearer {doors.provider.key}"), 403)


ADMIN_ONLY = [
    ("POST", "/v1/providers", {"slug": "mine", "name": "Mine"}),
    ("GET", "/v1/providers", None),
    ("PATCH", "/v1/providers/{provider}", {"verified": True}),
    ("PATCH", "/v1/providers/{provider}", {"markup": "0.5"}),
    ("POST", "/v1/organizations", {"id": "mine", "name": "Mine"}),
    ("GET", "/v1/organizations", None),
    ("POST", "/v1/keys", {"name": "mine"}),
    ("GET", "/v1/keys", None),
    ("DELETE", "/v1/keys/key_1", None),
    ("PUT", "/v1/assets/MINE", {"name": "Mine", "scale": 100}),
    ("PUT", "/v1/prices/*/m", {"asset": "TOKEN", "input_token": "0"}),
    ("POST", "/v1/wallets/{wallet}/deposits", {"amount": 1}),
]


@pytest.mark.parametrize(("method", "path", "body"), ADMIN_ONLY, ids=[f"{call[0]} {call[1]}" for call in ADMIN_ONLY])
def test_what_only_administrators_may(tenants: Tenants, method: str, path: str, body: Any) -> None:
    for api in (tenants.first.api, tenants.first.provider.api):
        answer = ask(api, method, path, body, tenants.first.ids)
        assert answer.status_code in (403, 404), answer.text
        check_error("native", answer, answer.status_code)


def test_line_55_a_revoked_key_ends_at_once_on_every_worker(postgres: Databases) -> None:
    """Two servers on one database, both of which have just seen the key."""
    name = postgres.fresh()
    url = postgres.url(name)
    with live_server(url, settings_for()) as one, live_server(url, settings_for()) as other:
        doors = Doors(one)
        path = f"/v1/providers/{doors.provider.slug}/keys"
        made_key = made(one.admin.post(path, json={"name": "to be revoked"}))
        doors.provider.key = made_key["key"]
        headers = {"Authorization": f"Bearer {made_key['key']}", "X-Provider-API-Key": made_key["key"]}

        def everywhere() -> Iterator[tuple[str, httpx.Response]]:
            for live in (one, other):
                for door in ("charge", "hold", "conxa", "knai"):
                    found = doors[door]
                    client = live.client(
                        None, httpx.URL(found.client.base_url).path.rstrip("/"), **found.client.headers
                    )
                    yield door, client.post(found.path, json=found.body, headers=headers | fresh_key())
                with live.client(made_key["key"]) as client:
                    yield "native", client.get("/v1/charges")

        assert {answer.status_code for _, answer in everywhere()} <= {200, 201}
        assert one.admin.delete(f"{path}/{made_key['id']}").status_code == 204
        before = doors.standing()
        for door, answer in everywhere():
            check_error(door, answer, 401, secret=made_key["key"])
        assert doors.standing() == before


def altered(secret: str) -> list[str]:
    """The secret with one thing changed."""
    last = "0" if secret[-1] != "0" else "1"
    return [
        secret[:-1] + last,
        secret[:-1],
        secret + "0",
        secret.upper(),
        f"{secret}\t0",
        secret.replace("_", "-", 1),
        secret[1:],
        secret + "%00",
        "ps_",
        "ps_" + "0" * 48,
        "undefined",
        secret * 3,
    ]


@pytest.mark.usefixtures("unchanged")
def test_line_59_an_altered_session_token(doors: Doors) -> None:
    for token in altered(doors.token):
        check_error("conxa", doors["conxa"].good(**{"X-Provider-Session": token}), 401, secret=token)
        check_error("knai", doors["knai"].good(**{"X-Session-Token": token}), 403, secret=token)
        for path in ("/v1/charges", "/v1/holds"):
            body = {"session_token": token, "amount": 1}
            answer = doors.provider.api.post(path, json=body, headers=fresh_key())
            check_error("native", answer, 404, code="grant_unknown", secret=token)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("door", EVERY)
def test_line_59_an_altered_key(doors: Doors, door: str) -> None:
    header = "X-Provider-API-Key" if door in DIALECTS else "Authorization"
    right = doors[door].client.headers[header].removeprefix("Bearer ")
    for key in [*altered(right), "x", doors.token]:
        value = key if door in DIALECTS else f"Bearer {key}"
        check_error(door, doors[door].good(**{header: value}), 401, secret=key if len(key) > 12 else "")


@pytest.mark.usefixtures("unchanged")
def test_a_key_counts_where_it_belongs_only(doors: Doors) -> None:
    """A session token is no key, a key no session, another provider's slug not one's own."""
    check_error("conxa", doors["conxa"].good(**{"X-Provider-Session": doors.provider.key}), 401)
    check_error("knai", doors["knai"].good(**{"X-Provider-Slug": doors.live.provider().slug}), 401)
    check_error("charge", doors["charge"].good(Authorization=doors.provider.key), 401)
    check_error("charge", doors["charge"].good(Authorization=f"Basic {doors.provider.key}"), 401)


@pytest.mark.usefixtures("unchanged")
def test_a_session_of_another_provider(doors: Doors) -> None:
    """CONXA says 403, KNAI too, the native API does not know it; and none of them says whose it is."""
    other = doors.live.provider()
    headers = {"X-Provider-API-Key": other.key, "X-Provider-Slug": other.slug}
    for door in DIALECTS:
        check_error(door, doors[door].good(**headers), 403, secret=doors.provider.slug)
    for door in ("charge", "hold"):
        answer = doors[door].good(Authorization=f"Bearer {other.key}")
        check_error(door, answer, 404, code="grant_unknown", secret=doors.provider.slug)
    for door in ("capture", "refund"):
        check_error(door, doors[door].good(Authorization=f"Bearer {other.key}"), 404)


def test_expired_keys_are_no_keys(live: Live) -> None:
    made_key = made(live.admin.post("/v1/keys", json={"name": "short", "expires_in_s": 1}))
    with live.client(made_key["key"]) as api:
        while (answer := api.get("/v1/assets")).status_code == 200:
            pass
        check_error("native", answer, 401)


@pytest.mark.parametrize(("trusted", "limited"), [("", True), ("127.0.0.1", False), ("192.0.2.1", True)])
def test_line_69_a_forged_forwarded_for(make_live: Callable[..., Live], trusted: str, limited: bool) -> None:
    """Guesses of one address are counted as one address's, unless a trusted proxy says whose they are."""
    live = make_live(failures_per_address_s=0.1, trusted_proxies=trusted)
    found = []
    with live.client("fbx_admin_wrong") as api:
        for number in range(5):
            headers = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}
            ask = api.get("/v1/assets", headers=headers) if number % 2 else api.post("/v1/charges", headers=headers)
            found.append(ask.status_code)
    assert (429 in found) is limited


def test_a_proxy_is_trusted_that_comes_by_a_socket_for_both_kinds_of_addresses(make_live: Callable[..., Live]) -> None:
    """Such a socket shows IPv4 addresses as ones of IPv6."""
    with socket.socket(socket.AF_INET6) as found:
        try:
            found.bind(("::", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    live = make_live(host="::", failures_per_address_s=0.1, trusted_proxies="127.0.0.1")
    with live.client("fbx_admin_wrong") as api:
        for number in range(4):
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            ask = api.get("/v1/assets", headers=headers) if number % 2 else api.post("/v1/charges", headers=headers)
            assert ask.status_code == 401


@pytest.mark.parametrize(("method", "path", "body"), ADMIN_ONLY, ids=[f"{call[0]} {call[1]}" for call in ADMIN_ONLY])
def test_who_may_not_is_told_so_before_what_is_wrong_with_the_body(
    tenants: Tenants, method: str, path: str, body: Any
) -> None:
    for api in (tenants.first.api, tenants.first.provider.api):
        answer = ask(api, method, path, body and {"no such member": 1}, tenants.first.ids)
        check_error("native", answer, 403)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("door", ["charge", "hold", "transfer", "deposit", "usage"])
@pytest.mark.usefixtures("unchanged")
def test_who_may_not_is_told_so_before_a_key_is_missed(doors: Doors, tenants: Tenants, door: str, slash: str) -> None:
    wrong = tenants.first.api if door in ("charge", "hold") else doors.provider.api
    for body in (doors[door].body, {}):
        check_error("native", wrong.post(doors[door].path + slash, json=body), 403)
