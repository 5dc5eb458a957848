"""What many ask for at the same time is asked of the database once."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from farebox.db.together import Together


class Squares:
    """A slow table of squares, that tells what was looked up in it."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    async def find(self, numbers: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(numbers))
        await asyncio.sleep(0.01)
        if 13 in numbers:
            raise ConnectionError("13")
        return {number: number**2 for number in numbers if number >= 0}


async def test_what_gathers_while_a_query_is_under_way_is_the_next_one() -> None:
    squares = Squares()
    together = Together(squares.find)
    first = asyncio.create_task(together.get(1))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        found = await asyncio.gather(*(together.get(number) for number in (2, 3, 2, -1)))
    assert (await first, found) == (1, [4, 9, 4, None])
    assert squares.asked == [[1], [2, 3, -1]]


async def test_it_is_asked_again_later() -> None:
    squares = Squares()
    together = Together(squares.find)
    assert [await together.get(2), await together.get(2)] == [4, 4]
    assert squares.asked == [[2], [2]]


async def test_who_leaves_takes_nobody_along() -> None:
    together = Together(Squares().find)
    leaving, staying = (asyncio.create_task(together.get(5)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 25
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_an_error_is_told_to_all_and_is_not_the_end() -> None:
    together = Together(Squares().find)
    told = await asyncio.gather(together.get(12), together.get(13), return_exceptions=True)
    assert [type(error) for error in told] == [ConnectionError, ConnectionError]
    assert await together.get(14) == 196
