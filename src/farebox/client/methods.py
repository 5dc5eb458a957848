"""What clients of other dialects are made of: methods that are made from calls."""

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

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
