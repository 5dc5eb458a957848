"""The page and its style sheet, each made when it is first asked for, and kept."""

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from farebox.http.docs.page import page, style
from farebox.http.openapi.published import cached


def docs() -> list[HTTPRouteHandler]:
    """The routes of this module."""
    kept: dict[str, bytes] = {}

    @get("/docs", opt={"public": True})
    async def docs_page(request: Request[Any, Any, Any]) -> Response[bytes]:
        if "page" not in kept:
            kept["page"] = page(request.app.routes)
        return cached(request, kept["page"], "text/html")

    @get("/docs/style.css", opt={"public": True})
    async def docs_style(request: Request[Any, Any, Any]) -> Response[bytes]:
        if "style" not in kept:
            kept["style"] = style()
        return cached(request, kept["style"], "text/css")

    return [docs_page, docs_style]
