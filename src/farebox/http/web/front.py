"""The first page of a server: where its people, its operators and its integrators go on."""

from litestar import Response, get

from farebox.http.web.render import page


@get("/", include_in_schema=False)
async def front() -> Response[bytes]:
    """For everybody; it tells nothing but where to go."""
    return page("front.html", visitor=None)
