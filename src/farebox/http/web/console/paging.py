"""Lists that are longer than a page: what is shown of them, and where they go on."""

from collections.abc import Callable
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from litestar.params import QueryParameter

from farebox.ids import MAX_NUMBER

Row = TypeVar("Row")
Number = Annotated[int, QueryParameter(ge=0, le=MAX_NUMBER)]
"""Where a list that is numbered goes on."""


def cut(
    found: list[Row], most: int, place: Callable[[Row], int | str], path: str, **asked: str
) -> tuple[list[Row], str | None]:
    """The rows to show of a list that was read one further, and the address where it goes on, if it does.

    `place` is what the next page begins behind; it stands in the address as `after`, with whatever was `asked`.
    """
    if len(found) <= most:
        return found, None
    given = {name: value for name, value in asked.items() if value}
    return found[:most], f"{path}?{urlencode(given | {'after': place(found[most - 1])})}"
