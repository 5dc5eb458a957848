"""Organizations with a key, and what they ask the x402tools dialect."""

import uuid
from typing import Any

import httpx

from tests.support.live import Live, made, ok


class Organization:
    """An organization with a key of its own, on a server."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.id = f"org-{uuid.uuid4().hex[:10]}"
        made(live.admin.post("/v1/organizations", json={"id": self.id, "name": "Test"}))
        self.key = self.new_key()
        self.api = live.client(self.key, "/x402tools")
        self.native = live.client(self.key)

    def new_key(self, **more: Any) -> str:
        """A further key."""
        found = made(self.live.admin.post(f"/v1/organizations/{self.id}/keys", json={"name": "test", **more}))
        key: str = found["key"]
        return key

    def envelope(self, limit: int = 1000, **more: Any) -> dict[str, Any]:
        """A new envelope."""
        body = {"name": "Calls", "limit": limit, "period": "MONTHLY", **more}
        found: dict[str, Any] = made(self.api.post("/envelopes", json=body))
        return found

    def record(self, envelope: dict[str, Any], amount: int, key: str | None = None, **more: Any) -> httpx.Response:
        """Records usage."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.api.post("/usage", json={"envelopeId": envelope["id"], "amount": amount, **more}, headers=headers)

    def used(self, envelope: dict[str, Any]) -> int:
        """What was used of an envelope in its window."""
        found: int = ok(self.api.get(f"/envelopes/{envelope['id']}"))["used"]
        return found

    def wallet(self, units: int = 0, asset: str = "TOKEN") -> str:
        """A wallet of the organization's."""
        return self.live.wallet(units, asset, organization=self.id)
