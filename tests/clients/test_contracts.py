"""Every recorded exchange against our clients: they send what is recorded and make of it what is documented."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from conxa import CONXAClient, CONXAError
from farebox import Policy
from farebox.client.carriers import Carrier
from knai import KNAIError, KNAIProvider
from syft_accounting_sdk import AdminClient, ServiceException, UserClient
from tests.support.contracts import CONTRACTS, PLACEHOLDER, placeholders
from tests.support.standin import StandIn
from tokenvault_sdk import InsufficientBalanceError, TrackingError
from tokenvault_sdk import calls as tokenvault_calls
from x402tools import APIError, UsageLimitExceededError, X402Client, X402Error

ONCE = Policy(timeout_s=30, deadline_s=30, attempts=1)
KNOWN = {name: one["example"] for name, one in placeholders().items()}

CONXA = {
    "AuthenticationError": {401},
    "SessionNotFoundError": {404},
    "IdempotencyConflictError": {409},
    "ValidationError": {422},
    "RateLimitError": {429},
    "ForbiddenError": {403},
    "APIError": {400, 405, 413, 415, 503},
}
X402 = {
    "AuthenticationError": {401},
    "UsageLimitExceededError": {402},
    "EnvelopeNotFoundError": {404},
    "RateLimitError": {429},
    "ValidationError": {422},
    "APIError": {400, 403, 405, 413, 415, 503},
}
KNAI = {
    "InvalidAPIKeyError": {401},
    "InsufficientBalanceError": {402},
    "SessionExpiredError": {403, 410},
    "KNAIError": {400, 404, 405, 409, 413, 415, 422, 429, 503},
}


def filled(value: Any) -> Any:
    """A recorded value with the placeholders' examples in it."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: KNOWN[found[1]], value)
    if isinstance(value, dict):
        return {name: filled(inner) for name, inner in value.items()}
    return [filled(inner) for inner in value] if isinstance(value, list) else value


def exchanges(dialect: str) -> Iterator[Any]:
    """All recorded exchanges of a dialect, filled in."""
    for path in sorted((CONTRACTS / dialect).glob("*.json")):
        for number, exchange in enumerate(json.loads(Path(path).read_text("utf-8"))["exchanges"]):
            yield pytest.param(filled(exchange), id=f"{path.stem}-{number}")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with StandIn() as found:
        yield found


def conxa_call(client: CONXAClient, request: dict[str, Any]) -> Callable[[], Any] | None:
    """The call that sends a request; None where the client sends no such thing."""
    path, _, query = request["path"].partition("?")
    body = request.get("body")
    headers = request.get("headers", {})
    token = headers.get("X-Provider-Session")
    if path == "/health":
        return client.health_check
    if path.startswith("/wallet/"):
        return lambda: client.get_wallet_balance(path.removeprefix("/wallet/"))
    if path == "/providers/session/status" and query.startswith("provider_username=") and query.count("=") == 1:
        name = unquote(query.partition("=")[2])
        return (lambda: client.get_session_status(name, retry_on_rate_limit=False)) if name else None
    if path != "/charge/authorize" or not isinstance(body, dict) or not token:
        return None
    return lambda: client.charge(token, headers.get("X-Idempotency-Key"), **body)


@pytest.mark.parametrize("exchange", list(exchanges("conxa")))
def test_conxa(exchange: dict[str, Any], stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conxa.calls.patience", lambda timeout_s: ONCE)
    request, response = exchange["request"], exchange["response"]
    headers = request.get("headers", {})
    key = headers.get("X-Provider-API-Key") or KNOWN["api_key"]
    with CONXAClient(key, stand_in.url) as client:
        call = conxa_call(client, request)
        found = outcome(call, request, response, stand_in)
        if found is None:  # such a request never leaves: what would its answer be to one that does?
            found = answered(lambda: client.charge(KNOWN["session_token"], None, "m", 1, 0), response, stand_in)
    status, body = response["status"], response["body"]
    if isinstance(found, CONXAError):
        names = [kind.__name__ for kind in type(found).__mro__]
        assert any(status in statuses for name, statuses in CONXA.items() if name in names), found
        assert (found.status_code, found.response, found.message) == (status, body, body["message"])
        assert found.error_code == body["code"]
        assert ("SessionExpiredError" in names) == (body["code"] == "SESSION_EXPIRED")
    elif request["path"] == "/health":
        assert found is (status == 200)
    elif status in (402, 403):
        assert (found.approved, found.new_balance) == (False, body.get("new_balance", 0))
        assert (found.error_code, found.error) == (body["code"], f"[{status}] {body['message']}")
    else:
        assert status == 200
        told = found.to_dict()
        assert {name: told[name] for name in body if name != "expires_at"} == {
            name: value for name, value in body.items() if name != "expires_at"
        }


def knai_call(provider: KNAIProvider, request: dict[str, Any]) -> Callable[[], Any] | None:
    """The call that sends a request; None where the client sends no such thing."""
    path, _, query = request["path"].partition("?")
    headers = request.get("headers", {})
    body = request.get("body")
    if path == "/providers/session/status" and query.startswith("provider_username=") and query.count("=") == 1:
        name = unquote(query.partition("=")[2])
        return lambda: provider.wait_for_session(name, timeout=0)
    if path != "/charge/authorize" or not isinstance(body, dict) or body.keys() != {"amount_tokens", "model"}:
        return None
    key = headers.get("Idempotency-Key")
    return lambda: provider.charge(headers.get("X-Session-Token"), idempotency_key=key, **body)


@pytest.mark.parametrize("exchange", list(exchanges("knai")))
def test_knai(exchange: dict[str, Any], stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knai.calls.PATIENCE", ONCE)
    request, response = exchange["request"], exchange["response"]
    headers = request.get("headers", {})
    key = headers.get("X-Provider-API-Key") or KNOWN["api_key"]
    with KNAIProvider(key, headers.get("X-Provider-Slug") or KNOWN["provider"], stand_in.url) as provider:
        found = outcome(knai_call(provider, request), request, response, stand_in)
        if found is None:
            found = answered(lambda: provider.charge(KNOWN["session_token"], 1, "m"), response, stand_in)
    status, body = response["status"], response["body"]
    if not isinstance(found, KNAIError):
        assert (status, found) == (200, body)
    elif status == 200:
        assert body["status"] != "active"
        assert found.response_body == body, "nobody connected in time"
    else:
        assert status in KNAI[type(found).__name__]
        assert (found.status_code, found.response_body, found.message) == (status, body, body["error"])


def syftbox_call(user: UserClient, admin: AdminClient, request: dict[str, Any]) -> Callable[[], Any] | None:
    """The call that sends a request; None where the clients send no such thing."""
    body = request.get("body")
    path = request["path"]
    if request["method"] == "GET":
        reads: dict[str, Callable[[], Any]] = {
            "/user/my-info": user.get_user_info,
            "/transactions": user.get_transaction_history,
            "/users": admin.get_all_users,
        }
        is_person = path.startswith("/user/") and path != "/user/my-info"
        return reads.get(path) if not is_person else lambda: admin.get_user(email=path.removeprefix("/user/"))
    if not isinstance(body, dict):
        return None
    if path == "/transaction/create" and body["recipientEmail" if "token" in body else "senderEmail"] != user.email:
        return None  # the client names itself
    more = {"idempotency_key": request["headers"].get("Idempotency-Key")} if "headers" in request else {}
    sent = body | more
    own = {name: value for name, value in sent.items() if name not in ("senderEmail", "recipientEmail")}
    writes: dict[str, Callable[[], Any]] = {
        "/transaction/confirm": lambda: user.confirm_transaction(id=body["transactionId"]),
        "/transaction/cancel": lambda: user.cancel_transaction(id=body["transactionId"]),
        "/token/create": lambda: user.create_transaction_token(**body),
        "/user/update-organization": lambda: user.update_organization(**body),
        "/user/update-password": lambda: user.update_password(
            old_password=body["oldPassword"], new_password=body["newPassword"]
        ),
        "/user/create": lambda: UserClient.create_user(url=user.url, **body),
        "/user/add-balance": lambda: admin.add_balance(email=body["recipientEmail"], amount=body["amount"], **more),
        "/transaction/create": lambda: (
            user.create_delegated_transaction(senderEmail=body["senderEmail"], **own)
            if "token" in body
            else user.create_transaction(recipientEmail=body["recipientEmail"], **own)
        ),
    }
    return writes.get(path)


@pytest.mark.parametrize("exchange", list(exchanges("syftbox")))
def test_syftbox(exchange: dict[str, Any], stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syft_accounting_sdk.calls.PATIENCE", ONCE)
    request, response = exchange["request"], exchange["response"]
    authorization = request.get("headers", {}).get("Authorization", "")
    email = KNOWN["recipient" if KNOWN["recipient_auth"] in authorization else "sender"]
    user = UserClient(stand_in.url, email, "correct horse battery")
    admin = AdminClient(url=stand_in.url, key=KNOWN["admin_key"])
    with user, admin:
        # Who is refused for their credentials sends others than these.
        plain = request if response["status"] != 401 else request | {"headers": {}}
        found = outcome(syftbox_call(user, admin, plain), plain, response, stand_in)
        if found is None:
            found = answered(user.get_user_info, response, stand_in)
    status, body = response["status"], response["body"]
    if isinstance(found, ServiceException) and status >= 300:
        assert (found.status_code, found.body, found.code) == (status, body, body["code"])
    elif isinstance(found, ServiceException):
        assert found.code == "unreachable", "an answer to another call than this client makes"
        assert body.keys().isdisjoint(("user", "transaction", "transactions"))
    else:
        assert status == 200
        assert told_of(found) == told_of(body)


def x402_call(client: X402Client, request: dict[str, Any]) -> Callable[[], Any] | None:
    """The call that sends a request; None where the client sends no such thing."""
    method, path, body = request["method"], request["path"], request.get("body")
    given = body if isinstance(body, dict) else {}
    named = {"resetDay": "reset_day", "envelopeId": "envelope_id"}
    renamed: dict[str, Any] = {str(named.get(name, name)): value for name, value in given.items()}
    key = request.get("headers", {}).get("Idempotency-Key")
    last = path.rpartition("/")[2]
    calls: dict[tuple[str, str], Callable[[], Any]] = {
        ("GET", "/envelopes"): client.get_envelopes,
        ("POST", "/envelopes"): lambda: client.create_envelope(**renamed),
        ("GET", "/usage"): client.get_usage,
        ("POST", "/usage"): lambda: client.record_usage(**renamed, idempotency_key=key),
        ("GET", "/usage/stats"): client.get_usage_stats,
        ("GET", "/api-keys"): client.get_api_keys,
        ("POST", "/api-keys"): lambda: client.create_api_key(**renamed),
    }
    for folder, verbs in (
        ("/envelopes/", {"GET": client.get_envelope, "DELETE": client.delete_envelope}),
        ("/api-keys/", {"DELETE": client.delete_api_key}),
    ):
        if path.startswith(folder) and method in verbs:
            return lambda: verbs[method](last)
    if path.startswith("/envelopes/") and method == "PUT":
        return lambda: client.update_envelope(last, **renamed)
    return calls.get((method, path))


@pytest.mark.parametrize("exchange", list(exchanges("x402tools")))
def test_x402tools(exchange: dict[str, Any], stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("x402tools.calls.PATIENCE", ONCE)
    request, response = exchange["request"], exchange["response"]
    authorization = request.get("headers", {}).get("Authorization", "").removeprefix("Bearer ")
    with X402Client(authorization or "none", stand_in.url) as client:
        # Who is refused for a missing key sends one nevertheless.
        plain = request if authorization else request | {"headers": {}}
        found = outcome(x402_call(client, plain), plain, response, stand_in)
        if found is None and response["status"] != 204:
            found = answered(client.get_usage_stats, response, stand_in)
    status, body = response["status"], response.get("body")
    if isinstance(found, X402Error) and status >= 300:
        assert status in X402[type(found).__name__]
        assert not isinstance(found, APIError) or (found.status_code, found.response) == (status, body)
        assert not isinstance(found, UsageLimitExceededError) or found.remaining == body["remaining"]
    elif isinstance(found, X402Error):
        assert isinstance(found, APIError), "an answer to another call than this client makes"
        assert "not what this call" in str(found)
    elif isinstance(found, list):
        assert [one.id for one in found] == [one["id"] for one in body]
    elif status == 201 or (status == 200 and "id" in body):
        assert found.id == body["id"]
        assert getattr(found, "remaining", None) == body.get("remaining")
    elif status == 200:
        assert found.total_usage == body["totalUsage"]


def tokenvault_call(url: str, request: dict[str, Any]) -> Callable[[], Any] | None:
    """The call that sends a request; None where the client sends no such thing, or with other names."""
    body, path = request.get("body"), request["path"]
    if path.startswith("/v1/balance/organizations/") and path.count("/") == 4:
        return lambda: carried(url, tokenvault_calls.balance(path.rpartition("/")[2]))
    if path == "/v1/consumption/process" and isinstance(body, dict):
        return lambda: carried(url, tokenvault_calls.consume(body))
    return None


def carried(url: str, program: Any) -> Any:
    """What a program of the client comes to."""
    carrier = Carrier(*tokenvault_calls.address(url))
    try:
        return carrier.run(program)
    finally:
        carrier.close()


@pytest.mark.parametrize("exchange", list(exchanges("tokenvault")))
def test_tokenvault(exchange: dict[str, Any], stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenvault_sdk.calls.PATIENCE", ONCE)
    request, response = exchange["request"], exchange["response"]
    url = stand_in.url.replace("://", f"://{KNOWN['organization']}:{KNOWN['organization_key']}@")
    # The client's key goes in the user part, and the recorded one as a bearer.
    plain = request | {"headers": {}}
    found = outcome(tokenvault_call(url, plain), plain, response, stand_in)
    assert not stand_in.asked or stand_in.asked[-1]["headers"]["authorization"].startswith("Basic ")
    status, body = response["status"], response["body"]
    if found is None and status >= 300:
        found = answered(lambda: carried(url, tokenvault_calls.trial("acme", Decimal(1))), response, stand_in)
    if status < 300:
        assert found == (body["balance"] if request["path"].startswith("/v1/balance/organizations/") else None)
    elif body["code"] == "INSUFFICIENT_BALANCE":
        assert isinstance(found, InsufficientBalanceError)
    else:
        assert isinstance(found, TrackingError)
        assert isinstance(found, tokenvault_calls.Away) == (status in (429, 503))
        assert body["message"] in str(found)


def told_of(found: Any) -> Any:
    """What a result says, as the answer says it; times aside, which are compared as such elsewhere."""
    if isinstance(found, tuple):
        return told_of(found[0])
    if isinstance(found, list):
        return [told_of(one) for one in found]
    if isinstance(found, dict):
        member = next(
            (found[name] for name in ("user", "transaction", "transactions", "users", "token") if name in found), None
        )
        if member is not None:
            return told_of(member)
        return {name: value for name, value in found.items() if name not in ("createdAt", "resolvedAt")}
    return told_of(found.model_dump()) if hasattr(found, "model_dump") else found


def outcome(
    call: Callable[[], Any] | None, request: dict[str, Any], response: dict[str, Any], stand_in: StandIn
) -> Any:
    """What came of a call, after it was compared with the recorded request; None where the client does not make it."""
    plain = request.get("headers", {}).get("Content-Type", "application/json") == "application/json"
    if call is None or not plain or request["method"] not in ("GET", "POST", "PUT", "DELETE"):
        return None
    try:
        found = answered(call, response, stand_in)
    except (KeyError, ValueError, TypeError):
        return None  # refused before it leaves
    if not stand_in.asked:
        return None
    sent = stand_in.asked[-1]
    if (sent["method"], sent["path"].replace("%40", "@")) != (request["method"], request["path"].replace("%40", "@")):
        return found
    for name, value in request.get("headers", {}).items():
        assert sent["headers"][name.lower()] == value, name
    if "body" in request:
        assert json.loads(sent["body"]) == request["body"]
    return found


def answered(call: Callable[[], Any], response: dict[str, Any], stand_in: StandIn) -> Any:
    """What a call returns, or the error of its package that it raises."""
    stand_in.answer = response
    stand_in.asked.clear()
    try:
        return call()
    except (CONXAError, KNAIError, ServiceException, X402Error, TrackingError, InsufficientBalanceError) as error:
        return error
