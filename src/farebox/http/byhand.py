"""Running a coroutine without a task: for requests that wait once, for the ledger, a task is a third of their cost.

A coroutine is run at once, as far as it goes. Where it waits for a future, that future's end runs it on. Where it does
a bare yield, as `asyncio.sleep(0)` does, it is handed to a task, which runs the rest of it: so whatever needs to be
in a task (time limits, cancelling) sees to it with that. `asyncio.current_task()` is None before.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
Tasks = set[asyncio.Task[Any]]


class Asker(Protocol[T_contra]):
    """Who is told what came of a coroutine."""

    def done(self, result: T_contra) -> None: ...
    def broken(self, error: BaseException) -> None: ...


def run(coro: Coroutine[Any, Any, T], asker: Asker[T], tasks: Tasks) -> None:
    """Runs a coroutine. `tasks` has its task, where it gets one, until that ends."""
    _Run(coro, asker, tasks).step()


class _Run(Generic[T]):
    __slots__ = ("_asker", "_coro", "_tasks")

    def __init__(self, coro: Coroutine[Any, Any, T], asker: Asker[T], tasks: Tasks) -> None:
        self._coro = coro
        self._asker = asker
        self._tasks = tasks

    def step(self, _: object = None) -> None:
        try:
            waited = self._coro.send(None)
        except StopIteration as end:
            self._asker.done(end.value)
        except (Exception, asyncio.CancelledError) as error:
            self._asker.broken(error)
        else:
            if waited is None:
                self._hand_over()
            else:
                waited._asyncio_future_blocking = False  # what a task does with the future that it was handed
                waited.add_done_callback(self.step)

    def _hand_over(self) -> None:
        task = asyncio.get_running_loop().create_task(self._coro)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[T]") -> None:
        self._tasks.discard(task)
        error: BaseException | None = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._asker.done(task.result())
        else:
            self._asker.broken(error)
