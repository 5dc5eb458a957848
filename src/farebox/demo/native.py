"""The few calls of the native API that the demo makes."""

import secrets
from typing import Any

import httpx

from farebox.demo.server import DemoFailure


class Native:
    """A server with a key. Every other answer than success ends the demo."""

    def __init__(self, url: str, key: str | None, headers: dict[str, str] | None = None) -> None:
        own = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=own | (headers or {}), timeout=30, trust_env=False)

    def get(self, path: str) -> Any:
        """What is at `path`."""
        return self._read(self._http.get(path))

    def post(self, path: str, body: object) -> Any:
        """Posts JSON, with an idempotency key."""
        return self._read(self._http.post(path, json=body, headers={"Idempotency-Key": secrets.token_hex(12)}))

    def _read(self, response: httpx.Response) -> Any:
        if not response.is_success:
            raise DemoFailure(f"{response.request.url.path} was answered {response.status_code}: {response.text}")
        return response.json()
