"""The calls of the CONXA dialect, before anybody carries them: for threads and for asyncio alike."""

import contextlib
import json
import time
import uuid
import warnings
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from conxa.exceptions import (
    APIError,
    ConnectionTimeoutError,
    CONXAError,
    ForbiddenError,
    InsufficientBalanceError,
    RateLimitError,
    SessionExpiredError,
    SessionNotFoundError,
    error_of,
)
from conxa.models import ChargeResult, QRCodeData, SessionStatus, WalletBalance
from conxa.qr import filled
from farebox.client.call import visible
from farebox.client.core import (
    PASSING,
    Pause,
    Policy,
    Program,
    Reply,
    Request,
    Tell,
    foreign,
    members,
    retry_after_s,
)
from farebox.client.errors import BadAnswer, Unreachable

T = TypeVar("T")

UNLIMITED = PASSING - {429}
OnPending = Callable[[SessionStatus], object]


def patience(timeout_s: float) -> Policy:
    """A call takes `timeout_s` at most, with all its attempts."""
    return Policy(timeout_s=timeout_s / 2, deadline_s=timeout_s)


def ask(
    request: Request, make: Callable[[dict[str, Any]], T], policy: Policy, retry: frozenset[int] = PASSING
) -> Program[T]:
    """An exchange; what `make` makes of its answer, or CONXAError."""

    def read(reply: Reply) -> T:
        body = members(reply)
        if reply.status >= 300:
            raise error_of(reply.status, body, retry_after_s(reply))
        return make(body)

    return foreign(request, read, policy, _failed, retry=retry)


def _failed(error: Unreachable | BadAnswer) -> CONXAError:
    if isinstance(error, BadAnswer):
        return APIError(str(error), status_code=error.http_status)
    return CONXAError("Request timeout" if error.timed_out else f"Connection error: {error}")


def session_status(
    provider_username: str, retry_on_rate_limit: bool, max_retries: int, qr_data: QRCodeData | None, policy: Policy
) -> Program[SessionStatus]:
    """How far a user's connection has come. Waits up to `max_retries` times where there were too many requests."""
    filled("provider_username", provider_username)
    if type(max_retries) is not int or max_retries < 0:
        raise ValueError("max_retries must be a non-negative integer")
    _require_valid(qr_data)
    query = {"provider_username": provider_username}
    request = Request("GET", "/providers/session/status", query, repeatable=True)
    return _patiently(request, max_retries if retry_on_rate_limit else 0, policy)


def _patiently(request: Request, retries: int, policy: Policy) -> Program[SessionStatus]:
    began = time.monotonic()
    for attempt in range(retries + 1):
        try:
            return (yield from ask(request, SessionStatus.from_api_response, policy, UNLIMITED))
        except RateLimitError as error:
            pause_s = error.retry_after if error.retry_after is not None else min(2**attempt, 60)
            left_s = policy.deadline_s - (time.monotonic() - began)
            if attempt == retries or pause_s > left_s:
                raise
            yield Pause(pause_s)
    raise AssertionError("the last attempt returns or raises")


class Native(msgspec.Struct, frozen=True):
    """The native calls of the same server, for what the dialect has no call for."""

    url: str
    api_key: str

    def post(self, path: str, body: dict[str, Any]) -> Request:
        """A call that moves or promises money, with a key of its own."""
        headers = {"Authorization": f"Bearer {self.api_key}", "Idempotency-Key": str(uuid.uuid4())}
        return Request("POST", self.url + path, body=encoded(body), headers=headers, repeatable=True)

    def __repr__(self) -> str:
        """Without the key."""
        return f"Native({self.url!r})"


class Waiting:
    """Waits until a user has connected."""

    def __init__(
        self,
        provider_username: str,
        timeout: float,
        poll_interval: float,
        on_pending: OnPending | None,
        rate_limit_timeout: float,
        qr_data: QRCodeData | None,
        policy: Policy,
    ) -> None:
        self._username = filled("provider_username", provider_username)
        self._timeout_s = positive("timeout", timeout)
        self._poll_s = positive("poll_interval", poll_interval)
        self._on_pending = on_pending
        self._limit_s = positive("rate_limit_timeout", rate_limit_timeout) if rate_limit_timeout else 0.0
        self._qr_data = qr_data
        self._policy = policy
        self._limited_s = 0.0
        self._began = time.monotonic()

    def program(self) -> Program[SessionStatus]:
        """Asks until it is active; raises ConnectionTimeoutError and SessionExpiredError."""
        while (left_s := self._left_s()) > 0:
            _require_valid(self._qr_data)
            began = time.monotonic()
            pause_s = self._poll_s
            try:
                status = yield from self._ask(left_s)
                self._limited_s = 0.0
                if status.is_active:
                    return status
                if status.is_expired:
                    raise SessionExpiredError("Session expired before connection")
                if status.is_pending and self._on_pending is not None:
                    yield Tell(lambda status=status: self._on_pending(status))  # type: ignore[misc]
            except SessionNotFoundError:
                self._limited_s = 0.0
            except RateLimitError as error:
                pause_s = self._back_off_s(error, time.monotonic() - began)
            yield Pause(max(min(pause_s, self._left_s()), 0.0))
        raise ConnectionTimeoutError(f"User did not connect within {self._timeout_s:g} seconds")

    def _ask(self, left_s: float) -> Program[SessionStatus]:
        policy = msgspec.structs.replace(self._policy, deadline_s=min(self._policy.deadline_s, max(left_s, 1.0)))
        return session_status(self._username, True, 3, self._qr_data, policy)

    def _back_off_s(self, error: RateLimitError, took_s: float) -> float:
        """How long to wait after a 429; SessionExpiredError where it has gone on for too long."""
        self._limited_s += took_s
        if self._limited_s >= self._limit_s:
            raise SessionExpiredError("Rate limited for too long: show a new QR code.")
        pause_s = max(self._poll_s, self._poll_s * 2 if error.retry_after is None else error.retry_after)
        warnings.warn(f"rate limited while waiting for a connection: next try in {pause_s:g} seconds", stacklevel=2)
        self._limited_s += pause_s
        return pause_s

    def _left_s(self) -> float:
        return self._timeout_s - (time.monotonic() - self._began)


def charge(
    session_token: str,
    idempotency_key: str | None,
    model_name: str | int | None,
    input_tokens: int | None,
    output_tokens: int | None,
    policy: Policy,
) -> Program[ChargeResult]:
    """Charges, once for a key; a fresh one where none is given, the same on every attempt."""
    if isinstance(model_name, int) and output_tokens is None:
        # The older order, without a key: (session_token, model_name, input_tokens, output_tokens).
        idempotency_key, model_name, input_tokens, output_tokens = None, idempotency_key, model_name, input_tokens
    given = {"model_name": model_name, "input_tokens": input_tokens, "output_tokens": output_tokens}
    missing = [name for name, value in given.items() if value is None]
    if missing:  # optional in the signature only, because the key before them is
        raise TypeError(f"charge() is missing {', '.join(missing)}")
    if idempotency_key is not None:
        filled("idempotency_key", idempotency_key)
    bill = bill_of(model_name, input_tokens, output_tokens)
    headers = {
        "X-Provider-Session": filled("session_token", session_token),
        "X-Idempotency-Key": visible(str(uuid.uuid4()) if idempotency_key is None else idempotency_key),
    }
    request = Request("POST", "/charge/authorize", body=encoded(bill), headers=headers, repeatable=True)
    return _result(ask(request, ChargeResult.from_api_response, policy))


def _result(asked: Program[ChargeResult]) -> Program[ChargeResult]:
    """A refusal of money or of right is a result, with what the wallet has."""
    try:
        return (yield from asked)
    except (InsufficientBalanceError, ForbiddenError) as error:
        return ChargeResult(False, error.response.get("new_balance") or 0, error.error_code, str(error))


def preview(native: Native, session_token: str, bill: dict[str, Any], policy: Policy) -> Program[dict[str, Any]]:
    """Whether a charge would go through, and what it would cost: it is reserved, and freed at once."""
    usage = {"input_tokens": bill["input_tokens"], "output_tokens": bill["output_tokens"]}
    body = {"session_token": filled("session_token", session_token), "model": bill["model_name"], "usage": usage}
    try:
        held = yield from ask(native.post("/v1/holds", body | {"expires_in_s": 30}), dict, policy)
    except CONXAError as error:
        if error.status_code not in (402, 403) or "available" not in error.response:
            raise
        refused = {"can_proceed": False, "error": error.message, "error_code": error.error_code}
        return bill | refused | _amounts(error.response)
    with contextlib.suppress(CONXAError):  # it frees itself, half a minute after it was made
        yield from ask(native.post(f"/v1/holds/{held['id']}/release", {}), dict, policy)
    freed = {name: held[name] + held["amount"] for name in ("available", "remaining") if held[name] is not None}
    return bill | {"can_proceed": True} | _amounts(held | freed)


def _amounts(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body.get(name) for name in ("amount", "asset", "available", "remaining")}


def wallet(wallet_id: str, policy: Policy) -> Program[WalletBalance]:
    """What a wallet can spend; it needs no key."""
    number = filled("wallet_id", wallet_id)
    if "/" in number or "\\" in number or ".." in number:
        raise ValueError("wallet_id contains invalid characters")
    request = Request("GET", f"/wallet/{quote(number, safe='')}", repeatable=True)
    return ask(request, WalletBalance.from_api_response, policy)


def healthy(policy: Policy) -> Program[bool]:
    """Whether the server answers; raises nothing."""
    request = Request("GET", "/health", repeatable=True)
    try:
        return (yield from ask(request, lambda body: body.get("status") == "ok", policy))
    except CONXAError:
        return False


def positive(name: str, value: float) -> float:
    """A number above zero; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"{name} must be a positive number")
    return value


def encoded(body: dict[str, Any]) -> bytes:
    """A body in JSON."""
    return json.dumps(body).encode()


def bill_of(model_name: object, input_tokens: object, output_tokens: object) -> dict[str, Any]:
    """What is to be charged for, as it is sent; ValueError for what is none."""
    filled("model_name", model_name if isinstance(model_name, str) else None)
    for name, count in (("input_tokens", input_tokens), ("output_tokens", output_tokens)):
        if type(count) is not int or count < 0:
            raise ValueError(f"{name} must be a non-negative integer")
    return {"model_name": model_name, "input_tokens": input_tokens, "output_tokens": output_tokens}


def _require_valid(qr_data: QRCodeData | None) -> None:
    if qr_data is not None and qr_data.is_expired():
        raise SessionExpiredError("QR code has expired. Please generate a new QR code.")
