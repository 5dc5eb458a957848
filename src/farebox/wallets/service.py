"""Wallets: making them, and reading what they hold and what happened to them."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec
from asyncpg import Pool, Record

from farebox import ids
from farebox.db import queries
from farebox.db.queries import Connection
from farebox.errors import Invalid, NotFound
from farebox.identity.service import note
from farebox.wallets.types import HoldRecord, TransferRecord, Wallet

_SQL = queries.load("farebox.wallets")


class Wallets:
    """The wallets of one database."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def add(self, actor: str, asset: str, owner: str | None, organization_id: str | None) -> Wallet:
        """Opens an empty wallet under a random number."""
        async with self._pool.acquire() as conn, conn.transaction():
            wallet_id = await self.add_on(conn, actor, asset, owner, organization_id)
        return await self.get(wallet_id)

    async def add_on(
        self, conn: Connection, actor: str, asset: str, owner: str | None, organization_id: str | None
    ) -> int:
        """As `add`, within a transaction of the caller's; the wallet's number."""
        wallet_id: int | None = None
        while wallet_id is None:  # a number that is taken is drawn again
            try:
                wallet_id = await _SQL.add_wallet.value(
                    conn, id=ids.new_wallet_id(), asset=asset, owner=owner, organization_id=organization_id
                )
            except asyncpg.ForeignKeyViolationError:
                raise Invalid.field("asset", "no such asset; GET /v1/assets lists them") from None
        await note(conn, actor, "wallet.add", str(wallet_id), asset=asset)
        return wallet_id

    async def get(self, wallet_id: int) -> Wallet:
        """A wallet by its number; NotFound where there is none."""
        row = await _SQL.wallet.first(self._pool, id=wallet_id)
        if row is None:
            raise NotFound("there is no such wallet")
        return Wallet(**row)

    async def get_with_key(self, wallet_id: int, credential_id: int) -> Wallet | None:
        """A wallet by its number, where an API key is valid now; None where it is not, or there is no such wallet."""
        row = await _SQL.wallet_with_key.first(self._pool, id=wallet_id, credential_id=credential_id)
        return None if row is None else Wallet(*row)

    async def page(self, after: int, limit: int, organization_id: str | None, owner: str | None) -> list[Wallet]:
        """Wallets with numbers above `after`; of one organization or owner where given."""
        rows = await _SQL.wallets_page.all(
            self._pool, after=after, limit=limit, organization_id=organization_id, owner=owner
        )
        return [Wallet(**row) for row in rows]

    async def history(
        self, wallet_id: int, before: int, limit: int, kinds: list[str] | None = None
    ) -> list[TransferRecord]:
        """Everything that was asked of a wallet, refusals too, newest first."""
        rows = await _SQL.journal_of_wallet.all(
            self._pool, wallet_id=wallet_id, before=before, limit=limit, kinds=kinds
        )
        return [_transfer(row) for row in rows]

    async def search(
        self, wallet_id: int, before: int, limit: int, text: str, kinds: Sequence[str] = ()
    ) -> list[TransferRecord]:
        """As `history`, only what has a text in its kind, provider, model, note, reference or refusal (each is
        `refused`), and all of `kinds`.
        """
        if not text:
            return await self.history(wallet_id, before, limit)
        place = {"wallet_id": wallet_id, "before": before, "limit": limit}
        rows = await _SQL.search_journal.all(self._pool, **place, text=text, kinds=list(kinds))
        return [_transfer(row) for row in rows]

    async def history_of_grant(self, wallet_id: int, grant_id: int, limit: int) -> list[TransferRecord]:
        """What was asked by one grant, refusals too, newest first."""
        rows = await _SQL.journal_of_grant.all(self._pool, wallet_id=wallet_id, grant_id=grant_id, limit=limit)
        return [_transfer(row) for row in rows]

    async def charges_of(self, provider_id: int, before: int, limit: int) -> list[TransferRecord]:
        """A provider's charges, refused ones too, newest first."""
        rows = await _SQL.journal_of_provider.all(self._pool, provider_id=provider_id, before=before, limit=limit)
        return [_transfer(row) for row in rows]

    async def transfer(self, wallet_id: int, number: int) -> TransferRecord | None:
        """One row of a wallet's journal."""
        row = await _SQL.transfer.first(self._pool, wallet_id=wallet_id, id=number)
        return None if row is None else _transfer(row)

    async def hold(self, wallet_id: int, number: int) -> HoldRecord | None:
        """One hold."""
        row = await _SQL.hold.first(self._pool, wallet_id=wallet_id, id=number)
        return None if row is None else HoldRecord(**row)

    async def holds(self, wallet_id: int, before: int, limit: int) -> list[HoldRecord]:
        """A wallet's holds, newest first."""
        rows = await _SQL.holds_of_wallet.all(self._pool, wallet_id=wallet_id, before=before, limit=limit)
        return [HoldRecord(**row) for row in rows]

    async def revenue(self, provider_id: int) -> list[dict[str, Any]]:
        """What a provider has earned: `asset`, `scale` and `balance`, an asset a row."""
        rows = await _SQL.revenue_balances.all(self._pool, provider_id=provider_id)
        return [{"asset": row["asset"], "scale": row["scale"], "balance": int(row["balance"])} for row in rows]


def _transfer(row: Record) -> TransferRecord:
    """A row whose columns stand as the record's members do."""
    found = TransferRecord(*row)
    units: str | None = row["units"]
    return found if units is None else msgspec.structs.replace(found, units=msgspec.json.decode(units))
