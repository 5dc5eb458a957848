"""Lists as the published client reads them: plain arrays, whole up to a cap; a `Link` header leads to what follows."""

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response
from litestar.params import QueryParameter

CAP = 1000
"""The most items of an answer: the client reads one page and no other."""

Limit = Annotated[int, QueryParameter(ge=1, le=CAP)]
Cursor = Annotated[str | None, QueryParameter()]


def page(items: list[dict[str, Any]], cursor: str | None, **query: Any) -> Response[Any]:
    """The items; where more follow, a Link to them, relative to the address that was asked."""
    if cursor is None:
        return Response(items)
    given = {name: value for name, value in query.items() if value is not None}
    return Response(items, headers={"link": f'<?{urlencode(given | {"cursor": cursor})}>; rel="next"'})
