"""Administrators' keys: those that open this console, for reading only or for all."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from farebox import ids
from farebox.errors import Conflict, Invalid
from farebox.http.depends import TheServices
from farebox.http.web.console import key_forms
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.console.key_forms import KeyOwner
from farebox.http.web.render import page, to
from farebox.identity.types import OPERATE, READ, WRITE
from farebox.services import Services

OWNER = KeyOwner("admin", "admin", "/console/keys")
SCOPES: dict[str, tuple[str, ...]] = {
    "everything (owner)": (READ, WRITE),
    "work in the console (operator)": (READ, OPERATE),
    "read only (viewer)": (READ,),
}


@get("/console/keys")
async def keys(services: TheServices, desk: TheDesk) -> Response[bytes]:
    return await _list(services, desk)


@post("/console/keys")
async def add_admin_key(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    desk.owner()
    form = await desk.form(request)
    try:
        secret = await key_forms.make(services, desk, form, OWNER, SCOPES)
    except Invalid as problem:
        return await _list(services, desk, error=problem.detail, status=422)
    return await _list(services, desk, secret)


@post("/console/keys/{key_id:str}/replace")
async def replace_admin_key(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, key_id: FromPath[str]
) -> Response[Any]:
    desk.owner()
    secret = await key_forms.replace(services, desk, await desk.form(request), OWNER, key_id)
    return await _list(services, desk, secret)


@post("/console/keys/{key_id:str}/revoke")
async def revoke_admin_key(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, key_id: FromPath[str]
) -> Response[Any]:
    desk.owner()
    form = await desk.form(request)
    if ids.parse("key", key_id) == desk.authority.principal.credential_id:
        raise Conflict("this is the key that you are signed in with: sign in with another one to revoke it")
    return await key_forms.revoke(request, services, desk, form, OWNER, key_id) or to(OWNER.page)


async def _list(
    services: Services, desk: Desk, secret: str | None = None, error: str | None = None, status: int = 200
) -> Response[bytes]:
    found = await services.keys.owned("admin")
    return page(
        "console/keys.html",
        status,
        desk=desk,
        keys=found,
        scopes=SCOPES,
        ends=key_forms.ENDS,
        secret=secret,
        error=error,
    )
