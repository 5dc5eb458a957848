"""Accounts that are not wallets: what providers earn, and the outside world. Made when first needed, never changed."""

from asyncpg import Pool, Record

from farebox.db import queries

_SQL = queries.load("farebox.wallets")
_REMEMBERED = 100_000


class Accounts:
    """The numbers of revenue and external accounts."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool
        self._revenue: dict[tuple[int, str], int] = {}
        self._external: dict[tuple[str, str], int] = {}

    def known_revenue(self, provider_id: int, asset: str) -> int | None:
        """The revenue account, if it was asked for before."""
        return self._revenue.get((provider_id, asset))

    async def revenue(self, provider_id: int, asset: str) -> int:
        """The account that takes in what a provider earns in an asset."""
        known = self._revenue.get((provider_id, asset))
        while known is None:  # a rival's row is seen at the second look
            known = await _SQL.revenue_account.value(self._pool, provider_id=provider_id, asset=asset)
        if len(self._revenue) >= _REMEMBERED:
            self._revenue.clear()
        self._revenue[provider_id, asset] = known
        return known

    async def external(self, source: str, asset: str) -> int:
        """The account that stands for a source of money outside."""
        known = self._external.get((source, asset))
        while known is None:
            known = await _SQL.external_account.value(self._pool, source=source, asset=asset)
        if len(self._external) >= _REMEMBERED:
            self._external.clear()
        self._external[source, asset] = known
        return known
