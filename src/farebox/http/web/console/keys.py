"""Administrators' keys: those that open this console, for reading only or for all."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from farebox import ids
from farebox.errors import Conflict, NotFound
from farebox.http.depends import TheServices
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.render import page, to
from farebox.identity.service import note
from farebox.identity.types import OPERATE, READ, WRITE
from farebox.services import Services

SCOPES = {
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
    scopes = SCOPES.get(form.text("scopes"))
    if scopes is None or not form.text("name", 100):
        return await _list(services, desk, error="Give the key a name, and say what it may do.", status=422)
    made, secret = await services.keys.make("admin", form.text("name", 100), scopes=scopes)
    await note(services.pool, desk.actor, "key.add", f"admin/{ids.public('key', made.id)}", name=made.name)
    return await _list(services, desk, secret)


@post("/console/keys/{key_id:str}/revoke")
async def revoke_admin_key(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, key_id: FromPath[str]
) -> Response[Any]:
    desk.owner()
    await desk.form(request)
    number = ids.parse("key", key_id)
    if number is None:
        raise NotFound("there is no such valid key")
    if number == desk.authority.principal.credential_id:
        raise Conflict("this is the key that you are signed in with: sign in with another one to revoke it")
    await services.keys.revoke(number, "admin")
    await note(services.pool, desk.actor, "key.revoke", f"admin/{key_id}")
    return to("/console/keys")


async def _list(
    services: Services, desk: Desk, secret: str | None = None, error: str | None = None, status: int = 200
) -> Response[bytes]:
    found = await services.keys.owned("admin")
    return page("console/keys.html", status, desk=desk, keys=found, scopes=SCOPES, secret=secret, error=error)
