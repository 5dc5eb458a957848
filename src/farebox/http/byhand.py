"""Running a coroutine without a task: for requests that wait once, for the ledger, a task is a third of their cost.

A coroutine is run at once, as far as it goes. Where it waits for a future, that future's end runs it on. Where it does
a bare yield, as `asyncio.sleep(0)` does, it is handed to a task, which runs the rest of it: so whatever needs to be
in a task (time limits, cancelling) sees to it with that. `asyncio.current_task()` is None before.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

Tasks = set[asyncio.Task[Any]]


def run(coro: Coroutine[Any, Any, None], tasks: Tasks) -> None:
    """Runs a coroutine that raises nothing. `tasks` has its task, where it gets one, until that ends."""
    try:
        waited = coro.send(None)
    except StopIteration:
        return
    if waited is None:
        task = asyncio.get_running_loop().create_task(coro)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    else:
        waited._asyncio_future_blocking = False  # what a task does with the future that it was handed
        waited.add_done_callback(lambda _: run(coro, tasks))
