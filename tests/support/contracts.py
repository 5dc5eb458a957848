"""The recorded exchanges of `contracts/`: reading them, sending them, comparing what comes back."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.support.databases import OWNER, Databases
from tests.support.live import ADMIN_KEY, Live

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
HEADERS = ("retry-after", "allow", "link")
"""The headers of answers that a contract speaks of."""

VARYING = ("seconds", "time", "unix")
"""Placeholders that may stand for another value each time."""


def placeholders() -> dict[str, dict[str, str]]:
    """What may stand in a contract for what differs from run to run, by name."""
    found: dict[str, dict[str, str]] = json.loads((CONTRACTS / "placeholders.json").read_text("utf-8"))
    return found


def contracts() -> list[Path]:
    """Every recorded contract."""
    return sorted(path for path in CONTRACTS.glob("*/*.json"))


def filled(value: Any, known: dict[str, str]) -> Any:
    """A part of a request with its placeholders filled in."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: known[found[1]], value)
    if isinstance(value, dict):
        return {name: filled(inner, known) for name, inner in value.items()}
    return value


def matches(wanted: Any, found: Any, known: dict[str, str]) -> bool:
    """Whether an answer is the recorded one; a placeholder stands for one and the same value throughout."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return wanted.keys() == found.keys() and all(matches(wanted[name], found[name], known) for name in wanted)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(matches(*pair, known) for pair in zip(wanted, found, strict=True))
    if isinstance(wanted, str) and isinstance(found, str):
        return _text_matches(wanted, found, known)
    if wanted == "{unix}" and type(found) is int:
        return _text_matches(wanted, str(found), known)
    return type(wanted) is type(found) and bool(wanted == found)


def _text_matches(wanted: str, found: str, known: dict[str, str]) -> bool:
    whole = PLACEHOLDER.fullmatch(wanted)
    if whole is None:
        return wanted == found
    name = whole[1]
    if re.fullmatch(placeholders()[name]["pattern"], found) is None:
        return False
    if name in VARYING:
        return True
    if name in known:
        return known[name] == found
    known[name] = found
    return list(known.values()).count(found) == 1


def arranged(live: Live, given: dict[str, Any]) -> dict[str, str]:
    """Makes what a contract takes as given; the values of its placeholders."""
    provider = live.provider()
    known = {"api_key": provider.key, "provider": provider.slug, "user": f"user-of-{provider.slug}"}
    everybody = "*" if "organization" in given else provider.slug
    for model, rates in given.get("prices", {}).items():
        live.price(model, everybody, **rates)
    if "organization" in given:
        return known | _team(live, given["organization"])
    known["wallet"] = wallet = live.wallet(given.get("wallet", 0), given.get("asset", "TOKEN"))
    if given.get("scanned"):
        code = {"provider_id": provider.slug, "provider_username": known["user"]}
        assert live.admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": code}).status_code == 201
    if "session" in given:
        owner = live.provider() if given.get("of_another_provider") else provider
        grant = owner.grant(wallet, known["user"], **given["session"])
        known["session_token"] = grant["session_token"]
        ENDINGS[given.get("ended", "not")](live, grant)
    return known


def _team(live: Live, given: dict[str, Any]) -> dict[str, str]:
    """An organization with money recharged, a key of its own and, on demand, one that only reads."""
    organization, another = (f"org-{uuid.uuid4().hex[:10]}" for _ in range(2))
    admin = live.client(ADMIN_KEY, "/tokenvault")
    for one in (organization, another):
        assert admin.post("/v1/wallet/organizations", json={"id": one, "name": "Ours"}).status_code == 200
    if "money" in given:
        body = {"organization_id": organization, "money_amount": given["money"]}
        assert admin.post("/v1/recharge", json=body).status_code == 200
    keys = f"/v1/organizations/{organization}/keys"
    scopes = given.get("scopes", ["read", "write"])
    key = live.admin.post(keys, json={"name": "contract", "scopes": scopes}).json()["key"]
    return {"organization": organization, "another_organization": another, "organization_key": key}


def _not_ended(live: Live, grant: dict[str, Any]) -> None:
    """The session is active."""


def _revoked(live: Live, grant: dict[str, Any]) -> None:
    assert live.admin.delete(f"/v1/grants/{grant['id']}").status_code == 204


def _replaced(live: Live, grant: dict[str, Any]) -> None:
    body = {"provider": grant["provider"], "provider_username": grant["provider_username"]}
    assert live.admin.post(f"/v1/wallets/{grant['wallet']}/grants", json=body).status_code == 201


def _expired(live: Live, grant: dict[str, Any]) -> None:
    while live.admin.get(f"/v1/grants/{grant['id']}").json()["state"] == "active":
        time.sleep(0.05)


ENDINGS: dict[str, Callable[[Live, dict[str, Any]], None]] = {
    "not": _not_ended,
    "revoked": _revoked,
    "replaced": _replaced,
    "expired": _expired,
}


def close_database(postgres: Databases, name: str) -> None:
    """Takes a database away from its server, connections and all."""
    _run(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    _run(postgres, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


def open_database(postgres: Databases, name: str) -> None:
    """Gives it back."""
    _run(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def _run(postgres: Databases, statement: str) -> None:
    async def run() -> None:
        conn = await asyncpg.connect(postgres.postgres.url(OWNER, OWNER))
        await conn.execute(statement)
        await conn.close()

    asyncio.run(run())


def sent(client: httpx.Client, prefix: str, request: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """Sends a recorded request below a prefix; the answer in the form of a contract."""
    headers = httpx.Headers({"content-type": "application/json"})
    headers.update(filled(request.get("headers", {}), known))
    if "text" in request:
        content = request["text"]
    else:
        content = json.dumps(filled(request["body"], known)) if "body" in request else None
    answer = client.request(
        request["method"], prefix + filled(request["path"], known), headers=headers, content=content
    )
    if answer.status_code == 204:
        return {"status": 204}
    assert answer.headers["content-type"] == "application/json", answer.text
    found: dict[str, Any] = {"status": answer.status_code}
    said = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
    if said:
        found["headers"] = said
    return found | {"body": answer.json()}
