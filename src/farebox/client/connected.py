"""What every client has: connections that its calls are carried over, their end, and a name without its key."""

from typing import TYPE_CHECKING, Self, TypeVar

from farebox.client.core import Program

if TYPE_CHECKING:
    from farebox.client.async_carrier import AsyncCarrier
    from farebox.client.carriers import Carrier

T = TypeVar("T")


class Connected:
    """A client with threads; `with` closes its connections."""

    _carrier: "Carrier"

    def _connect(self, base_url: str, headers: dict[str, str]) -> None:
        from farebox.client.carriers import Carrier  # httpx, a tenth of a second: loaded where it is used

        self._address = base_url
        self._carrier = Carrier(base_url, headers)

    def _run(self, program: Program[T]) -> T:
        return self._carrier.run(program)

    def close(self) -> None:
        """Closes the connections."""
        self._carrier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, exc_val: object, exc_tb: object) -> None:
        self.close()

    def __repr__(self) -> str:
        """Without the key: it has no place in a log."""
        return f"{type(self).__name__}({self._address!r})"


class AsyncConnected:
    """A client for asyncio; `async with` closes its connections."""

    _carrier: "AsyncCarrier"

    def _connect(self, base_url: str, headers: dict[str, str]) -> None:
        from farebox.client.async_carrier import AsyncCarrier  # httpx, as above

        self._address = base_url
        self._carrier = AsyncCarrier(base_url, headers)

    async def _run(self, program: Program[T]) -> T:
        return await self._carrier.run(program)

    async def close(self) -> None:
        """Closes the connections."""
        await self._carrier.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        """Without the key: it has no place in a log."""
        return f"{type(self).__name__}({self._address!r})"
