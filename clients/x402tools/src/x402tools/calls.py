"""The calls of the x402tools dialect, before anybody carries them: for threads and for asyncio alike."""

import json
import os
import re
import uuid
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from farebox.client.call import part, visible
from farebox.client.core import Policy, Program, Reply, Request, foreign, retry_after_s
from farebox.client.errors import BadAnswer, Unreachable
from x402tools.exceptions import APIError, ValidationError, error_of
from x402tools.types import ApiKey, Envelope, PeriodType, Usage, UsageStats

T = TypeVar("T")

DEFAULT_BASE_URL = "https://stakefy-usage-envelope-production.up.railway.app"

PATIENCE = Policy(timeout_s=15, deadline_s=30)
"""A call takes 30 seconds at most, with all its attempts."""

_NEXT = re.compile(r'<\?([^>]*)>;\s*rel="next"')


def address(base_url: str) -> str:
    """Where the server is. In the default's place comes `X402TOOLS_API_URL` of the environment, where it is set."""
    if base_url == DEFAULT_BASE_URL:
        base_url = os.environ.get("X402TOOLS_API_URL") or base_url
    return base_url.rstrip("/")


def get_envelopes() -> Program[list[Envelope]]:
    """The organization's envelopes, newest first; 1,000 at most, `iter_envelopes` goes on."""
    return _ask("GET", "/envelopes", lambda found: [Envelope.from_dict(one) for one in found])


def get_envelope(envelope_id: str) -> Program[Envelope]:
    """An envelope as it stands."""
    return _ask("GET", f"/envelopes/{part(envelope_id)}", Envelope.from_dict)


def create_envelope(name: str, limit: int, period: PeriodType, reset_day: int | None = None) -> Program[Envelope]:
    """Makes an envelope of `limit` units for each `period`.

    `reset_day` is 1 to 31 for MONTHLY, 1 to 7 for WEEKLY (Monday is 1), 1 to 366 for YEARLY.
    """
    body = _envelope(name, limit, period, reset_day)
    return _ask("POST", "/envelopes", Envelope.from_dict, body, repeatable=False)


def update_envelope(
    envelope_id: str,
    name: str | None = None,
    limit: int | None = None,
    period: PeriodType | None = None,
    reset_day: int | None = None,
) -> Program[Envelope]:
    """Changes what is given; it holds at once."""
    body = _envelope(name, limit, period, reset_day)
    return _ask("PUT", f"/envelopes/{part(envelope_id)}", Envelope.from_dict, body)


def delete_envelope(envelope_id: str) -> Program[None]:
    """Ends an envelope."""
    return _ask("DELETE", f"/envelopes/{part(envelope_id)}", _nothing)


def record_usage(
    envelope_id: str, amount: int, metadata: dict[str, Any] | None = None, *, idempotency_key: str | None = None
) -> Program[Usage]:
    """Records `amount` units, once for a key: a fresh one where none is given, the same on every attempt.

    Raises UsageLimitExceededError where more than is left in this window; nothing is recorded then.
    """
    body: dict[str, Any] = {"envelopeId": envelope_id, "amount": _whole("amount", amount)}
    if metadata:
        body["metadata"] = metadata
    key = visible(str(uuid.uuid4()) if idempotency_key is None else idempotency_key)
    return _ask("POST", "/usage", Usage.from_dict, body, headers={"Idempotency-Key": key})


def get_usage(envelope_id: str | None = None) -> Program[list[Usage]]:
    """What was used, newest first, of one envelope or of all; 1,000 at most, `iter_usage` goes on."""
    query = {"envelopeId": envelope_id} if envelope_id else {}
    return _ask("GET", "/usage", lambda found: [Usage.from_dict(one) for one in found], query=query)


def get_usage_stats() -> Program[UsageStats]:
    """Sums over the organization's envelopes."""
    return _ask("GET", "/usage/stats", UsageStats.from_dict)


def get_api_keys() -> Program[list[ApiKey]]:
    """The organization's keys, masked."""
    return _ask("GET", "/api-keys", lambda found: [ApiKey.from_dict(one) for one in found])


def create_api_key(name: str) -> Program[ApiKey]:
    """Makes a key with the rights of this one; it is told this once."""
    return _ask("POST", "/api-keys", ApiKey.from_dict, {"name": name}, repeatable=False)


def delete_api_key(key_id: str) -> Program[None]:
    """Ends a key."""
    return _ask("DELETE", f"/api-keys/{part(key_id)}", _nothing)


def page(path: str, make: Callable[[Any], T], query: dict[str, str]) -> Program[tuple[list[T], dict[str, str] | None]]:
    """Some of a list, and the query for what follows; None at its end."""

    def read(reply: Reply) -> tuple[list[T], dict[str, str] | None]:
        found = [make(one) for one in _body(reply)]
        link = _NEXT.search(reply.headers.get("link", ""))
        return found, None if link is None else dict(parse_qsl(link[1]))

    return _exchange(Request("GET", path, query, repeatable=True), read)


def _ask(
    method: str,
    path: str,
    make: Callable[[Any], T],
    body: dict[str, Any] | None = None,
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    repeatable: bool = True,
) -> Program[T]:
    content = None if body is None else json.dumps(body).encode()
    return _exchange(Request(method, path, query or {}, content, headers or {}, repeatable), lambda r: make(_body(r)))


def _exchange(request: Request, read: Callable[[Reply], T]) -> Program[T]:
    def checked(reply: Reply) -> T:
        try:
            return read(reply)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadAnswer("the answer is not what this call is answered with", reply.status) from None

    return foreign(request, checked, PATIENCE, _failed)


def _body(reply: Reply) -> Any:
    """What an answer says; raises X402Error for an error, BadAnswer where it can't be read."""
    try:
        body = msgspec.json.decode(reply.content) if reply.content else {}
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if reply.status < 300:
            raise BadAnswer("the answer can't be read", reply.status) from None
        body = {"error": reply.content.decode("utf-8", "replace")}
    if reply.status >= 300:
        raise error_of(reply.status, body if isinstance(body, dict) else {}, retry_after_s(reply))
    return body


def _failed(error: Unreachable | BadAnswer) -> APIError:
    return APIError(f"Request failed: {error}", status_code=getattr(error, "http_status", None))


def _envelope(name: str | None, limit: int | None, period: str | None, reset_day: int | None) -> dict[str, Any]:
    given = {
        "name": name,
        "limit": None if limit is None else _whole("limit", limit),
        "period": period,
        "resetDay": None if reset_day is None else _whole("reset_day", reset_day),
    }
    return {member: value for member, value in given.items() if value is not None}


def _whole(name: str, value: int) -> int:
    if type(value) is not int:
        raise ValidationError(f"{name} must be an integer")
    return value


def _nothing(_: Any) -> None:
    return None
