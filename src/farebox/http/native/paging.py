"""Lists, page after page: where one begins, and where the next one would."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Annotated, Any, TypeVar

from litestar.di import NamedDependency
from litestar.params import QueryParameter

from farebox.http.native import wire
from farebox.http.native.cursors import Cursors, bad_cursor

T = TypeVar("T")
V = TypeVar("V")

PAGE = 100
"""How many items a page has where nobody says."""
Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="The most items of this page.")]
Cursor = Annotated[str | None, QueryParameter(description="The `next_cursor` of the page before.")]


class Paging:
    """The page of a list that a request asks for. A list is known by its `scope`: its kind and whose it is."""

    def __init__(self, cursors: Cursors, limit: int, cursor: str | None) -> None:
        self._cursors = cursors
        self._cursor = cursor
        self.limit = limit

    @property
    def most(self) -> int:
        """How many items to look for: one more than are shown tells that more follow."""
        return self.limit + 1

    def place(self, scope: str, first: Any) -> Any:
        """Behind which item the page begins; `first` for the first one. Raises BadRequest."""
        return self._cursors.read(scope, self._cursor, first)

    def number(self, scope: str, first: int) -> int:
        """The same, of a list in the order of numbers."""
        place = self.place(scope, first)
        if not isinstance(place, int):
            raise bad_cursor()
        return place

    def name(self, scope: str) -> str:
        """The same, of a list in the order of names."""
        return str(self.place(scope, ""))

    def next_cursor(
        self, scope: str, found: Sequence[T], place_of: Callable[[T], Any] = attrgetter("id")
    ) -> str | None:
        """What asks for the next page; None where nothing more was found."""
        return self._cursors.make(scope, place_of(found[self.limit - 1])) if len(found) > self.limit else None

    def page(
        self, scope: str, found: Sequence[T], view: Callable[[T], V], place_of: Callable[[T], Any] = attrgetter("id")
    ) -> wire.Page[V]:
        """What was found, as it is shown."""
        return wire.Page([view(item) for item in found[: self.limit]], self.next_cursor(scope, found, place_of))


async def paging(cursors: NamedDependency[Cursors], limit: Limit = PAGE, cursor: Cursor = None) -> Paging:
    """The page that a request asks for."""
    return Paging(cursors, limit, cursor)
