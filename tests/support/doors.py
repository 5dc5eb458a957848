"""The calls that move money, native and of each dialect, in one form: for what is tried on all of them."""

import json
from typing import Any

import httpx
from msgspec import Struct

from farebox.http.edge import MAX_KEY
from tests.support.live import ADMIN_KEY, Live, Provider, fresh_key, made
from tests.support.organizations import Organization

NATIVE = ("deposit", "charge", "hold", "capture", "refund", "transfer", "usage")
DIALECTS = ("conxa", "knai")
"""Those that charge a session."""
EVERY = (*NATIVE, *DIALECTS, "tokenvault", "x402tools")
START = 1_000_000
"""What a wallet behind the doors holds, in TOKEN units."""

__all__ = ["DIALECTS", "EVERY", "MAX_KEY", "NATIVE", "START", "Door", "Doors"]


class Door(Struct):
    """One call: a good body of it, and the member that carries the amount."""

    name: str
    client: httpx.Client
    path: str
    body: dict[str, Any]
    amount: str
    key_header: str = "Idempotency-Key"
    other_amounts: tuple[str, ...] = ()
    """Further members that count something."""

    def text(self, amount: str, member: str = "") -> str:
        """The body with `amount` standing in it as it is, JSON or not."""
        member = member or self.amount
        return json.dumps(self.body | {member: "@@"}).replace('"@@"', amount)

    def send(self, content: str | bytes, method: str = "POST", **headers: str) -> httpx.Response:
        """Sends a body; with a fresh idempotency key, unless one is given. `_` in names stands for `-`."""
        given = {"Content-Type": "application/json", self.key_header: fresh_key()["Idempotency-Key"]}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, self.path, content=content, headers=given)

    def good(self, **headers: str) -> httpx.Response:
        """Sends the good body."""
        return self.send(json.dumps(self.body), **headers)


class Doors:
    """A provider, two wallets with money, a grant, a charge, a hold, and every call that moves their money."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.provider: Provider = live.provider()
        self.model = f"model-of-{self.provider.slug}"
        live.price(self.model, self.provider.slug, input_token="1", output_token="1")
        self.wallet, self.payee = live.wallet(START), live.wallet(START)
        self.grant = self.provider.grant(self.wallet)
        self.token: str = self.grant["session_token"]
        self.charge = made(self.provider.charge(self.token, amount=10_000))
        self.hold = made(self.hold_of(100))
        self._doors = {door.name: door for door in (*self._native(), *self._dialects())}

    def hold_of(self, amount: int, **more: Any) -> httpx.Response:
        """A new hold."""
        body = {"session_token": self.token, "amount": amount, **more}
        return self.provider.api.post("/v1/holds", json=body, headers=fresh_key())

    def __getitem__(self, name: str) -> Door:
        return self._doors[name]

    def _native(self) -> list[Door]:
        admin, api = self.live.admin, self.provider.api
        drawn = {"session_token": self.token, "amount": 7}
        moved = {"from_wallet": self.wallet, "to_wallet": self.payee, "amount": 7}
        used = {"wallet": self.wallet, "provider": self.provider.slug, "amount": 7}
        return [
            Door("deposit", admin, f"/v1/wallets/{self.wallet}/deposits", {"amount": 7}, "amount"),
            Door("charge", api, "/v1/charges", drawn, "amount"),
            Door("hold", api, "/v1/holds", drawn, "amount"),
            Door("capture", api, f"/v1/holds/{self.hold['id']}/capture", {"amount": 7}, "amount"),
            Door("refund", api, f"/v1/charges/{self.charge['id']}/refunds", {"amount": 7}, "amount"),
            Door("transfer", admin, "/v1/transfers", moved, "amount"),
            Door("usage", admin, "/v1/usage-records", used, "amount"),
        ]

    def _dialects(self) -> list[Door]:
        conxa, knai = self.provider.conxa(), self.provider.knai()
        conxa.headers["X-Provider-Session"] = knai.headers["X-Session-Token"] = self.token
        tokens = {"model_name": self.model, "input_tokens": 7, "output_tokens": 7}
        amount = {"model": self.model, "amount_tokens": 1}
        path = "/charge/authorize"
        return [
            Door("conxa", conxa, path, tokens, "input_tokens", "X-Idempotency-Key", ("output_tokens",)),
            Door("knai", knai, path, amount, "amount_tokens"),
            self._of_a_team(),
            self._of_records(),
        ]

    def _of_a_team(self) -> Door:
        """An organization's own usage, of a model that everybody's price is for."""
        name, model = f"org-{self.provider.slug}", f"team-{self.model}"
        admin = self.live.client(ADMIN_KEY, "/tokenvault")
        registered = admin.post("/v1/wallet/organizations", json={"id": name, "name": name}).json()
        self.team_wallet: str = registered["wallet_id"]
        self.live.deposit(self.team_wallet, START)
        self.live.price(model, asset="CREDIT", input_token="0.000001", output_token="0.000001")
        key = made(self.live.admin.post(f"/v1/organizations/{name}/keys", json={"name": "test"}))["key"]
        api = self.live.client(key, "/tokenvault")
        body = {"organization_id": name, "profile_id": "agent-1", "model": model}
        used = body | {"prompt_tokens": 7, "completion_tokens": 7}
        other = ("completion_tokens",)
        return Door("tokenvault", api, "/v1/consumption/process", used, "prompt_tokens", "Idempotency-Key", other)

    def _of_records(self) -> Door:
        """Usage that an organization counts on an envelope of its own."""
        office = Organization(self.live)
        self.envelope: str = office.envelope(2**63 - 1)["id"]
        self._office = office.id
        return Door("x402tools", office.api, "/usage", {"envelopeId": self.envelope, "amount": 7}, "amount")

    def money(self) -> tuple[Any, ...]:
        """All that a movement could change: the wallets, their entries, the grant. Refusals may be noted."""
        live = self.live
        return (
            live.read_wallet(self.wallet),
            live.read_wallet(self.payee),
            live.read_wallet(self.team_wallet),
            live.admin.get(f"/v1/grants/{self.grant['id']}").json(),
            live.admin.get(f"/v1/envelopes/{self.envelope}").json(),
            self._rows("SELECT count(*) FROM entries WHERE account_id = any($1::bigint[])"),
        )

    def standing(self) -> tuple[Any, ...]:
        """The money, and that the journal has no further row: nothing was decided."""
        return (*self.money(), self._rows("SELECT count(*) FROM transfers WHERE wallet_id = any($1::bigint[])"))

    def _rows(self, query: str) -> Any:
        records = self.live.call(self.live.services.envelopes.number(self._office))
        wallets = [int(self.wallet), int(self.payee), int(self.team_wallet), records]
        return self.live.call(self.live.services.pool.fetchval(query, wallets))


def check_error(name: str, answer: httpx.Response, status: int, *, code: str | None = None, secret: str = "") -> None:
    """An error in the caller's own shape, with this status, that does not repeat `secret`."""
    assert answer.status_code == status, (name, answer.status_code, answer.text)
    body = answer.json()
    if name == "conxa":
        assert answer.headers["content-type"] == "application/json"
        assert body["status"] == "error", body
        assert isinstance(body["message"], str)
        assert body["detail"] == body["message"] or isinstance(body["detail"], list), body
    elif name == "tokenvault":
        assert answer.headers["content-type"] == "application/json"
        assert body["status"] == "error", body
        assert isinstance(body["message"], str)
    elif name == "x402tools":
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(body["error"], str), body
    elif name == "knai":
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(body["error"], str), body
        assert body["message"] == body["error"], body
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert body.keys() >= {"type", "title", "status", "detail", "code", "request_id"}, body
        assert body["status"] == status
        assert answer.headers["x-request-id"] == body["request_id"]
    assert body["code"] == (code or body["code"]), body
    if secret:
        assert secret not in answer.text


def head(door: Door, *lines: str, method: str = "POST", length: int | None = None, key: str = "raw") -> bytes:
    """The head of a call, with further header lines."""
    sent = {"host": "farebox", "content-type": "application/json", door.key_header: key}
    wanted = ("authorization", "x-provider-api-key", "x-provider-slug", "x-provider-session", "x-session-token")
    sent |= {name: door.client.headers[name] for name in wanted if name in door.client.headers}
    if length is not None:
        sent["content-length"] = str(length)
    named = [f"{name}: {value}" for name, value in sent.items()]
    path = httpx.URL(door.client.base_url).path.rstrip("/") + door.path
    return "\r\n".join([f"{method} {path} HTTP/1.1", *named, *lines, "", ""]).encode()


def body(door: Door) -> bytes:
    """A good body, as it is sent."""
    return json.dumps(door.body).encode()
