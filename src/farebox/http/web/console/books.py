"""Auditing the books from a page: started here, followed while it goes on, and its result kept."""

from typing import Any

from litestar import Request, Response, get, post

from farebox.http.depends import TheServices
from farebox.http.web.console.given import TheDesk
from farebox.http.web.render import page, to
from farebox.identity.service import note

_SHOWN = 10


@get("/console/books")
async def books(services: TheServices, desk: TheDesk) -> Response[bytes]:
    return page("console/books.html", desk=desk, runs=await services.audits.newest(_SHOWN))


@get("/console/books/live")
async def books_live(services: TheServices, desk: TheDesk) -> Response[bytes]:
    """The part of the page that moves."""
    return page("console/books_live.html", desk=desk, runs=await services.audits.newest(_SHOWN))


@post("/console/books/prove")
async def prove(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    """Starts one, where none runs. Proving reads everything, so that it is done when it is asked for."""
    await desk.form(request)
    if await services.audits.start(desk.actor):
        await note(services.pool, desk.actor, "books.prove", "books")
    return to("/console/books")
