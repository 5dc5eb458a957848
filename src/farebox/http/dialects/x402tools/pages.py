"""Lists as the published client reads them: plain arrays, whole up to a cap; a `Link` header leads to what follows."""

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from farebox.http.native.cursors import Cursors
from farebox.http.native.paging import Paging
from farebox.http.native.wire import Page

CAP = 1000
"""The most items of an answer: the client reads one page and no other."""

Limit = Annotated[int, QueryParameter(ge=1, le=CAP)]
Cursor = Annotated[str | None, QueryParameter()]


async def paging(cursors: NamedDependency[Cursors], limit: Limit = CAP, cursor: Cursor = None) -> Paging:
    """The page that a request asks for: whole, where nobody says."""
    return Paging(cursors, limit, cursor)


def page(shown: Page[dict[str, Any]], **query: Any) -> Response[Any]:
    """The items; where more follow, a Link to them, relative to the address that was asked."""
    if shown.next_cursor is None:
        return Response(shown.data)
    given = {name: value for name, value in query.items() if value is not None}
    return Response(shown.data, headers={"link": f'<?{urlencode(given | {"cursor": shown.next_cursor})}>; rel="next"'})
