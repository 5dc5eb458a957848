"""Usage that an organization records on its envelopes, and what it adds up to."""

from asyncpg import Pool, Record

from farebox.charging.service import Charging
from farebox.db import queries
from farebox.envelopes.service import Envelopes
from farebox.envelopes.types import Totals, UsageRecord
from farebox.identity.types import Principal
from farebox.ids import NEWEST
from farebox.ledger.envelopes import Counts
from farebox.ledger.types import Outcome
from farebox.ledger.types import Record as RecordAsk

_SQL = queries.load("farebox.envelopes")
_REMEMBERED = 100_000


class UsageRecords:
    """Writing goes through the ledger, like everything that counts."""

    def __init__(self, pool: "Pool[Record]", envelopes: Envelopes, charging: Charging) -> None:
        self._pool = pool
        self._envelopes = envelopes
        self._charging = charging
        self._numbers: dict[str, int] = {}

    async def add(
        self,
        principal: Principal,
        organization_id: str,
        envelope_id: int,
        key: str,
        mark: bytes,
        amount: int,
        metadata: bytes | None,
    ) -> Outcome:
        """Counts usage on an envelope that counts usage. A refusal is an outcome and counts nothing."""
        ask = RecordAsk(
            client=principal.client,
            key=key,
            fingerprint=mark,
            credential_id=principal.credential_id,
            wallet_id=await self.number(organization_id),
            organization_id=organization_id,
            envelope_id=envelope_id,
            amount=amount,
            metadata=metadata,
        )
        return await self._charging.submit(ask)

    async def page(self, organization_id: str, envelope_id: int | None, before: int, limit: int) -> list[UsageRecord]:
        """What was recorded on one envelope of an organization, or on all, newest first."""
        place = {"number": await self.number(organization_id), "before": before, "limit": limit}
        if envelope_id is None:
            rows = await _SQL.records_of_all.all(self._pool, **place)
        else:
            rows = await _SQL.records.all(self._pool, **place, envelope_id=envelope_id)
        return [UsageRecord(**row) for row in rows]

    async def totals(self, organization_id: str, most: int) -> Totals:
        """What an organization has used: from kept totals, whatever the number of records. At most `most` envelopes."""
        row = await _SQL.totals.one(self._pool, organization_id=organization_id)
        newest = await self._envelopes.page(organization_id, NEWEST, most, Counts.USAGE)
        return Totals(int(row["total"]), row["count"], row["active"], newest)

    async def number(self, organization_id: str) -> int:
        """The account number that an organization's records stand under."""
        known = self._numbers.get(organization_id)
        if known is None:
            if len(self._numbers) >= _REMEMBERED:
                self._numbers.clear()
            known = self._numbers[organization_id] = await self._envelopes.number(organization_id)
        return known
