"""Headers that every answer of the framework carries, so that a browser does nothing with it that it should not."""

from typing import Any

from litestar import Litestar, Response
from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

ALWAYS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
PRIVATE = {"cache-control": "no-store"}
"""For what only the asker may see, which is everything that does not say otherwise."""
PAGE = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
}
"""For HTML: nothing but its own style sheet, and no script at all."""


async def guarded(response: Response[Any]) -> Response[Any]:
    """The answer with the headers that it lacks."""
    html = str(response.media_type or "").startswith("text/html")
    for name, value in (ALWAYS | PRIVATE | (PAGE if html else {})).items():
        response.headers.setdefault(name, value)
    return response


async def whole_allow(message: Message, scope: Scope) -> None:
    """Makes the Allow of an OPTIONS answer name every method of the address: the framework's lacks the later ones."""
    asked: Any = scope
    if message["type"] != "http.response.start" or asked.get("method") != "OPTIONS":
        return
    app: Litestar = asked["litestar_app"]
    template = asked.get("path_template")  # none, where there is nothing at the address
    methods = {method for route in app.routes if route.path_format == template for method in route.methods}
    if methods:
        MutableScopeHeaders.from_message(message)["allow"] = ", ".join(sorted(methods))
