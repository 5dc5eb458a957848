"""The calls of the TokenVault dialect, before anybody carries them."""

import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import msgspec

from farebox.client.core import Policy, Program, Reply, Request, foreign, members
from farebox.client.errors import BadAnswer, Unreachable
from tokenvault_sdk.exceptions import InsufficientBalanceError, TrackingError

T = TypeVar("T")

PATIENCE = Policy(timeout_s=5, deadline_s=10)
"""A call takes 10 seconds at most, with all its attempts."""

_exact = msgspec.json.Encoder(decimal_format="number")


class Away(TrackingError):
    """No answer came: in fail-open mode work goes on."""


def address(url: str) -> tuple[str, dict[str, str]]:
    """Where the server is, and what its key says in every request: `http://ORG:KEY@host/tokenvault`."""
    parts = urlsplit(url.rstrip("/"))
    if parts.username is None:
        return url.rstrip("/"), {}
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    host = parts.netloc.rpartition("@")[2]
    plain = urlunsplit((parts.scheme, host, parts.path, "", ""))
    return plain, {"Authorization": "Basic " + base64.b64encode(credentials).decode()}


def balance(organization_id: str) -> Program[float]:
    """An organization's credits."""
    path = f"/v1/balance/organizations/{quote(organization_id, safe='')}"
    return _ask(Request("GET", path, repeatable=True), lambda body: float(body["balance"]))


def consume(record: dict[str, Any]) -> Program[None]:
    """Charges what was used, once for its `record_id`."""
    return _post("/v1/consumption/process", record)


def organization(organization_id: str) -> Program[None]:
    """Registers an organization; again, it is the same one."""
    return _post("/v1/wallet/organizations", {"id": organization_id, "name": organization_id})


def user(user_id: str, organization_id: str) -> Program[None]:
    """Registers a member; again, it is the same one."""
    return _post("/v1/wallet/users", {"id": user_id, "organization_id": organization_id, "name": user_id})


def profile(profile_id: str, organization_id: str, user_id: str, agent_name: str) -> Program[None]:
    """Registers an agent; again, it is the same one."""
    body = {"id": profile_id, "organization_id": organization_id, "user_id": user_id}
    return _post("/v1/wallet/profiles", body | {"metadata": {"agent_name": agent_name}})


def trial(organization_id: str, dollars: Decimal) -> Program[None]:
    """Asks for the trial. An organization has it once: again, it is the first answer."""
    body = {"organization_id": organization_id, "money_amount": dollars, "metadata": {"reason": "free_trial"}}
    return _post("/v1/recharge", body)


def exact(amount: float | int | Decimal) -> Decimal:
    """A number as it is sent: of a float its shortest text counts."""
    return Decimal(repr(amount)) if isinstance(amount, float) else Decimal(amount)


def _post(path: str, body: dict[str, Any]) -> Program[None]:
    return _ask(Request("POST", path, body=_exact.encode(body), repeatable=True), lambda _: None)


def _ask(request: Request, make: Callable[[dict[str, Any]], T]) -> Program[T]:
    def read(reply: Reply) -> T:
        body = members(reply)
        if reply.status >= 300:
            raise _refused(reply.status, str(body.get("message") or "no reason was given"))
        try:
            return make(body)
        except (KeyError, TypeError, ValueError):
            raise BadAnswer("the answer is not what this call is answered with", reply.status) from None

    return foreign(request, read, PATIENCE, _failed)


def _refused(status: int, message: str) -> Exception:
    if status == 400 and "insufficient" in message.lower():
        return InsufficientBalanceError(message)
    kind = Away if status in (429, 502, 503, 504) else TrackingError
    return kind(f"{message} [{status}]")


def _failed(error: Unreachable | BadAnswer) -> Away:
    return Away(str(error))
