"""An organization on a server that reads a Redis stream: what the stories of ingestion are told with."""

import uuid
from typing import Any

import redis

from tests.support.live import ADMIN_KEY, Live, ok
from tests.support.processes import until
from tests.support.redises import record

MODEL = "team-1"
STREAM, DEAD = "usage_records", "{usage_records}:dead"
GROUP = "farebox"


class Office:
    """An organization with credits, and its agents' way to the stream. A token costs a credit, one out two."""

    def __init__(self, live: Live, client: "redis.Redis", money: float = 100) -> None:
        self.live = live
        self.client = client
        self.id = f"org-{uuid.uuid4().hex[:8]}"
        self.admin = live.client(ADMIN_KEY, "/tokenvault")
        live.price(MODEL, asset="CREDIT", input_token="1", output_token="2")
        self.open(self.id, money)

    def open(self, organization: str, money: float) -> None:
        """Registers an organization, with money recharged."""
        ok(self.admin.post("/v1/wallet/organizations", json={"id": organization, "name": "Ours"}))
        if money:
            self.recharge(money, organization)

    def recharge(self, money: float, organization: str | None = None) -> None:
        """Money for credits, a hundred a dollar."""
        body = {"organization_id": organization or self.id, "money_amount": money}
        ok(self.admin.post("/v1/recharge", json=body))

    def balance(self, organization: str | None = None) -> Any:
        """Credits."""
        return ok(self.admin.get(f"/v1/balance/organizations/{organization or self.id}"))["balance"]

    def send(self, id_: str, tokens: int = 1, **more: Any) -> None:
        """A record onto the stream."""
        self.client.xadd(STREAM, record(self.id, id_, tokens, **more))

    def idle(self) -> None:
        """Waits until nothing is left to do."""
        until(self._is_idle)

    def _is_idle(self) -> bool:
        groups: Any = self.client.xinfo_groups(STREAM)
        mine = [group for group in groups if group["name"] == GROUP]
        last: Any = self.client.xrevrange(STREAM, count=1)
        return bool(mine) and mine[0]["pending"] == 0 and last[0][0] == mine[0]["last-delivered-id"]

    def reasons(self) -> list[str]:
        """Of the dead letters, oldest first."""
        letters: Any = self.client.xrange(DEAD)
        return [fields["farebox_reason"] for _, fields in letters]

    def booked(self) -> int:
        """How many records are in the journal."""
        counted: int = self.live.call(
            self.live.services.pool.fetchval("SELECT count(*) FROM transfers WHERE kind = 'usage'")
        )
        return counted
