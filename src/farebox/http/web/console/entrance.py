"""Signing in to the console with an API key, and out."""

from typing import Any

from litestar import Request, Response, get, post

from farebox.errors import Forbidden, Problem
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.depends import TheServices
from farebox.http.web import forms
from farebox.http.web.console.given import TheDesk
from farebox.http.web.render import next_of, page, to
from farebox.http.web.visitor import CONSOLE, check_way


def entrance(access: Access) -> list[Any]:
    """The pages for everybody."""

    @get("/console/sign-in")
    async def sign_in_page() -> Response[bytes]:
        return page("console/sign_in.html", error=None, next="/console", desk=None)

    @post("/console/sign-in")
    async def sign_in(request: Request[Any, Any, Any], services: TheServices) -> Response[Any]:
        forms.same_site(request.headers)
        check_way(request, services)
        form = await forms.read(request)
        after = next_of(form, "console")
        try:
            key = form.secret("key").strip()[:200]
            principal = await access.principal(key or None, edge.address_of(request.scope))
            if principal.organization_id is not None:
                raise Forbidden("an organization's key opens nothing here")
        except Problem as problem:
            why = "This is no valid key." if problem.status == 401 else problem.detail
            answer = page("console/sign_in.html", problem.status, error=why, next=after, desk=None)
            if problem.retry_after_s is not None:
                answer.headers["retry-after"] = str(problem.retry_after_s)
            return answer
        token = await services.sessions.of_key(principal, CONSOLE.read(request))
        entered = to(after if principal.is_admin else f"/console/providers/{principal.slug}")
        CONSOLE.set(request, entered, token, services.sessions.ttl_s)
        return entered

    return [sign_in_page, sign_in]


@post("/console/sign-out")
async def sign_out(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    desk.visitor.check(await forms.read(request))
    await services.sessions.end(desk.visitor.token)
    answer = to("/console/sign-in")
    CONSOLE.clear(request, answer)
    return answer
