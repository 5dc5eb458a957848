"""What clients of other dialects are made of: a shell with connections, and methods that are made from calls."""

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, Protocol, Self, TypeVar

from farebox.client.core import Program
from farebox.client.signatures import as_method

P = ParamSpec("P")
T = TypeVar("T")


class Runs(Protocol):
    """Carries programs."""

    def _run(self, program: Program[T]) -> T: ...


class AsyncRuns(Protocol):
    """Carries programs; awaited."""

    async def _run(self, program: Program[T]) -> T: ...


def does(make: Callable[P, Program[T]]) -> Callable[Concatenate[Runs, P], T]:
    """A method that makes a call and returns its answer."""

    def method(self: Runs, /, *args: P.args, **given: P.kwargs) -> T:
        return self._run(make(*args, **given))

    return as_method(method, make)


def async_does(make: Callable[P, Program[T]]) -> Callable[Concatenate[AsyncRuns, P], Awaitable[T]]:
    """The same; awaited, it is the answer."""

    def method(self: AsyncRuns, /, *args: P.args, **given: P.kwargs) -> Awaitable[T]:
        return self._run(make(*args, **given))

    return as_method(method, make)


class Shell:
    """A client with threads: its connections, and their end."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        from farebox.client.carriers import Carrier  # httpx, a tenth of a second: loaded where it is used

        self.base_url = base_url
        self._carrier = Carrier(base_url, headers)

    def _run(self, program: Program[T]) -> T:
        return self._carrier.run(program)

    def close(self) -> None:
        """Closes the connections."""
        self._carrier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        """Without the key: it has no place in a log."""
        return f"{type(self).__name__}({self.base_url!r})"


class AsyncShell:
    """A client for asyncio: the same."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        from farebox.client.async_carrier import AsyncCarrier  # httpx, as above

        self.base_url = base_url
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
        return f"{type(self).__name__}({self.base_url!r})"
