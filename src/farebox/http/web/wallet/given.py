"""What the wallet's handlers are handed."""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from farebox.http.web import forms
from farebox.http.web.visitor import Visitor, person_of
from farebox.services import Services

TheVisitor = NamedDependency[Visitor]


def signed_in(services: Services) -> Guard:
    """Identifies the person before anything is read; a form has to come from a page of ours."""

    async def identify(request: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope: Any = request.scope
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            forms.same_site(request.headers)
        scope["state"]["visitor"] = await person_of(request, services)

    return identify


async def visitor(request: Request[Any, Any, Any]) -> Visitor:
    """Who has signed in."""
    state: Any = request.scope["state"]
    found: Visitor = state["visitor"]
    return found
