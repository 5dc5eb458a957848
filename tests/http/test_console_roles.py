"""Every route of the console, for everybody who may come: what is not allowed here is refused by the server."""

import pytest

from farebox.http.front import Front
from tests.support.browsing import Browser
from tests.support.consoles import csrf_of, operator_of, signed_in, viewer_of
from tests.support.live import Live, Provider

FOR_EVERYBODY = {"/console/sign-in"}
STAFF = {
    "/console/providers/{slug}",
    "/console/providers/{slug}/keys",
    "/console/providers/{slug}/keys/{key_id}/replace",
    "/console/providers/{slug}/keys/{key_id}/revoke",
    "/console/charges",
    "/console/charges/{number}",
    "/console/sign-out",
}
OWNERS = {"/console/keys", "/console/keys/{key_id}/replace", "/console/keys/{key_id}/revoke"}
"""Their forms; the page is for all administrators."""
ROLES = ("nobody", "person", "staff", "viewer", "operator", "owner")


def allowed(role: str, method: str, path: str) -> bool:
    """What the roles are, said once more."""
    if role in ("nobody", "person"):
        return False
    if role == "staff":
        return path in STAFF
    if method == "GET" or path == "/console/sign-out":
        return True
    return role == "owner" or (role == "operator" and path not in OWNERS)


def routes(live: Live) -> list[tuple[str, str]]:
    """Method and path of all that the console answers."""
    found = [
        (method, route.path_format)
        for route in Front(live.services).framework.routes  # type: ignore[attr-defined]  # the framework's own
        if route.path_format.startswith("/console")
        for method in route.methods
        if method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ]
    return sorted(set(found) - {(method, path) for method, path in found if path in FOR_EVERYBODY})


@pytest.fixture
def people(live: Live, shop: Provider) -> dict[str, Browser]:
    owner = signed_in(live)
    return {
        "nobody": Browser(live),
        "person": Browser(live).sign_up(),
        "staff": signed_in(live, shop.key),
        "viewer": viewer_of(owner),
        "operator": operator_of(owner),
        "owner": owner,
    }


def test_every_route_for_every_role(live: Live, shop: Provider, people: dict[str, Browser]) -> None:
    wallet = live.wallet(10**6, asset="USD")
    charged = shop.charge(shop.grant(wallet)["session_token"], amount=1000).json()["id"]
    live.admin.post("/v1/organizations", json={"id": "acme", "name": "Acme"})
    live.admin.post("/v1/organizations/acme/agents", json={"name": "bot"})
    window = {"name": "a", "limit": 5, "period": "DAILY", "organization": "acme"}
    given = {
        "slug": shop.slug,
        "key_id": live.admin.get(f"/v1/providers/{shop.slug}/keys").json()[0]["id"],
        "number": charged,
        "organization_id": "acme",
        "charge_id": charged,
        "grant_id": "gr_1",
        "hold_id": "hd_1",
        "letter_id": "1-1",
    }
    envelope = live.admin.post("/v1/envelopes", json=window).json()["id"]
    numbers = {"wallets": wallet, "agents": "1", "envelopes": envelope}
    found = routes(live)
    assert len(found) > 50
    for role in ROLES:
        csrf = "" if role in ("nobody", "person") else csrf_of(people[role])
        for method, path in [one for one in found if not one[1].endswith("/sign-out")]:
            area = path.split("/")[2] if path.count("/") > 1 else ""
            address = path.format(**given | {"number": numbers.get(area, charged)})
            answer = people[role].get(address) if method == "GET" else people[role].post(address, csrf=csrf)
            if role in ("nobody", "person"):
                assert answer.status_code == 401, (role, method, path)
            else:
                refused = answer.status_code == 403
                assert refused != allowed(role, method, path), (role, method, path, answer.status_code)
                assert answer.status_code < 500, (role, method, path, answer.text)
    for role in ROLES[:2]:
        assert people[role].get("/console/charges/events").status_code == 401
    for role in ROLES[2:]:
        assert people[role].post("/console/sign-out", csrf=csrf_of(people[role])).status_code == 303
        assert people[role].get("/console/charges").status_code == 401


def test_staff_can_guess_no_other_providers_ids(live: Live, shop: Provider) -> None:
    staff, other = signed_in(live, shop.key), live.provider()
    live.price("m-other", other.slug, asset="USD", input_token="0.001")
    wallet = live.wallet(10**6, asset="USD")
    theirs = other.charge(other.grant(wallet)["session_token"], amount=4321).json()["id"]
    own = shop.charge(shop.grant(wallet)["session_token"], amount=1234).json()["id"]
    for by in ("agent", "provider"):  # which are counted over all providers
        assert staff.get(f"/console/providers/{shop.slug}?by={by}").status_code == 422
    key = live.admin.get(f"/v1/providers/{other.slug}/keys").json()[0]["id"]
    csrf = csrf_of(staff)
    assert staff.get(f"/console/charges/{own}").status_code == 200
    assert staff.get(f"/console/charges/{theirs}").status_code == 404
    assert staff.get(f"/console/providers/{other.slug}?by=model&over=7").status_code == 404
    for path in ("/console/charges", f"/console/charges?provider={other.slug}"):
        page = staff.get(path).text
        assert own in page and theirs not in page
    for act in ("replace", "revoke"):
        for slug in (other.slug, shop.slug):  # another's key below one's own provider, too
            found = staff.post(f"/console/providers/{slug}/keys/{key}/{act}", csrf=csrf, key="k1", ends="at once")
            assert found.status_code == 404, (slug, act)
    assert other.charge(other.grant(wallet)["session_token"], amount=1).status_code == 201
    with staff.http.stream("GET", f"/console/charges/events?provider={other.slug}") as stream:
        told = next(line for line in stream.iter_lines() if line.startswith("data:"))
    assert own in told and theirs not in told
