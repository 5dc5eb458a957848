"""The calls of the KNAI dialect, before anybody carries them: for threads and for asyncio alike."""

import json
import os
import time
import uuid
from typing import Any

from farebox.client.call import visible
from farebox.client.core import Pause, Policy, Program, Reply, Request, foreign, members
from farebox.client.errors import BadAnswer, Unreachable
from knai.errors import OF_STATUS, KNAIError

DEFAULT_BASE_URL = "https://api.conx.ai"
DEFAULT_TIMEOUT = 30

PATIENCE = Policy(timeout_s=DEFAULT_TIMEOUT / 2, deadline_s=DEFAULT_TIMEOUT)
"""A call takes 30 seconds at most, with all its attempts."""


def address(base_url: str) -> str:
    """Where the server is. In the default's place comes `KNAI_API_URL` of the environment, where it is set."""
    if base_url == DEFAULT_BASE_URL:
        base_url = os.environ.get("KNAI_API_URL") or base_url
    return base_url.rstrip("/")


def own_headers(provider_api_key: str, provider_slug: str) -> dict[str, str]:
    """What every request carries; ValueError where something is missing."""
    if not provider_api_key:
        raise ValueError("provider_api_key is required")
    if not provider_slug:
        raise ValueError("provider_slug is required")
    return {"X-Provider-API-Key": provider_api_key, "X-Provider-Slug": provider_slug}


def wait_for_session(provider_username: str, poll_interval: float, timeout: float | None) -> Program[dict[str, Any]]:
    """Asks until a session is active; KNAIError after `timeout` seconds."""
    query = {"provider_username": provider_username}
    began = time.monotonic()
    while True:
        request = Request("GET", "/providers/session/status", query, repeatable=True)
        found = yield from foreign(request, _read, PATIENCE, _failed)
        if found.get("status") == "active":
            return found
        left_s = None if timeout is None else timeout - (time.monotonic() - began)
        if left_s is not None and left_s <= 0:
            raise KNAIError(f"nobody connected within {timeout:g} seconds", response_body=found)
        yield Pause(poll_interval if left_s is None else min(poll_interval, left_s))


def charge(session_token: str, amount_tokens: int, model: str, idempotency_key: str | None) -> Program[dict[str, Any]]:
    """Takes tokens, once for a key; a fresh one where none is given, the same on every attempt."""
    if not session_token:
        raise ValueError("session_token is required")
    if type(amount_tokens) is not int or amount_tokens <= 0:
        raise ValueError("amount_tokens must be a positive integer")
    if not model:
        raise ValueError("model is required")
    request = Request(
        "POST",
        "/charge/authorize",
        body=json.dumps({"amount_tokens": amount_tokens, "model": model}).encode(),
        headers={"X-Session-Token": session_token, "Idempotency-Key": visible(idempotency_key or str(uuid.uuid4()))},
        repeatable=True,
    )
    return foreign(request, _read, PATIENCE, _failed)


def _read(reply: Reply) -> dict[str, Any]:
    body = members(reply)
    if reply.status < 300:
        return body
    text = body.get("error") or body.get("message") or "Unknown error"
    raise OF_STATUS.get(reply.status, KNAIError)(str(text), status_code=reply.status, response_body=body)


def _failed(error: Unreachable | BadAnswer) -> KNAIError:
    return KNAIError(str(error), status_code=getattr(error, "http_status", None))
