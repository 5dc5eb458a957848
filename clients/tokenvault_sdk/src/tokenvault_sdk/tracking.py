"""What `track_usage` gives back: a coroutine, and a block."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Self


class Tracking(Coroutine[Any, Any, None]):
    """Awaited, or given to `asyncio.create_task`, it tells a usage.

    With `async with`, the organization's credits are checked first, and the usage is told at the block's end: that of
    the answer which was taken with `take`, else the tokens that were named. After an exception only a taken one is.
    """

    def __init__(
        self,
        begin: Callable[[], Coroutine[Any, Any, None]],
        tell: Callable[[Any], Coroutine[Any, Any, None]],
        response: Any,
    ) -> None:
        self._begin = begin
        self._tell = tell
        self._response = response
        self._taken: Any = None
        self._running: Coroutine[Any, Any, None] | None = None

    def take(self, response: Any) -> Any:
        """Remembers the AI service's answer, whose usage counts; gives it back."""
        self._taken = response
        return response

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        if error is None or self._taken is not None:
            await self._tell(self._taken if self._taken is not None else self._response)

    def __await__(self) -> Generator[Any, Any, None]:
        return self._tell(self._response).__await__()

    def send(self, value: Any) -> Any:
        """Goes on, as a coroutine does."""
        return self._run().send(value)

    def throw(self, *error: Any) -> Any:
        """Raises within, as a coroutine does."""
        return self._run().throw(*error)

    def close(self) -> None:
        """Ends it, as a coroutine does."""
        if self._running is not None:
            self._running.close()

    def _run(self) -> Coroutine[Any, Any, None]:
        if self._running is None:
            self._running = self._tell(self._response)
        return self._running
