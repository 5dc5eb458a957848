"""Printing statements beside everything else: what writes PDFs is large, and loaded with the first."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from farebox.errors import Busy
from farebox.money import Asset
from farebox.wallets.types import Entry, Period

_QUEUE = 8


class Statement(Struct, frozen=True):
    """What stands on it. Amounts are units of the asset."""

    owner: str
    wallet_id: int
    month: str
    asset: Asset
    period: Period
    entries: list[Entry]


class Printer:
    """Writes PDFs in a thread of its own, one at a time: charges go on beside it."""

    def __init__(self, write: Callable[[Statement], bytes] | None = None) -> None:
        self._write = write or _written
        self._thread = ThreadPoolExecutor(1, "farebox-pdf")
        self._waiting = 0

    async def print(self, statement: Statement) -> bytes:
        """The PDF; raises Busy where too many wait for theirs."""
        if self._waiting >= _QUEUE:
            raise Busy("many statements are being written: try again in a moment", "overloaded", retry_after_s=3)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, statement)
        finally:
            self._waiting -= 1


def _written(statement: Statement) -> bytes:
    from farebox.http.web.wallet.statement_pdf import written

    return written(statement)
