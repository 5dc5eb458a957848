"""Passkeys: made on the account page, used at the door."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from farebox import ids
from farebox.errors import BadRequest, NotFound, TooMany, Unauthorized
from farebox.http import edge
from farebox.http.callers import Callers
from farebox.http.depends import TheServices
from farebox.http.web import forms
from farebox.http.web.render import HEADERS, next_of, to
from farebox.http.web.visitor import check_way
from farebox.http.web.wallet.entrance import TOO_MANY, enter, sign_in_form
from farebox.http.web.wallet.given import TheVisitor
from farebox.identity.types import Place

_LARGEST = 60_000
_WHY = {
    401: "This passkey is not known here, or it was asked for too long ago. Try again, or use your password.",
    429: TOO_MANY,
}


@get("/wallet/passkeys/creation")
async def creation(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[bytes]:
    return _json(await services.passkeys.creation(visitor.person, place_of(request)))


@post("/wallet/passkeys")
async def add_passkey(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[Any]:
    form = await forms.read(request)
    visitor.check(form)
    await services.passkeys.add(
        visitor.person,
        place_of(request),
        form.text("name", 100) or "passkey",
        form.text("challenge"),
        form.text("credential", _LARGEST),
    )
    return to("/wallet/account")


@post("/wallet/passkeys/{passkey_id:str}/remove")
async def remove_passkey(
    request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor, passkey_id: FromPath[str]
) -> Response[Any]:
    visitor.check(await forms.read(request))
    number = ids.parse("pk", passkey_id)
    if number is None:
        raise NotFound("there is no such passkey")
    await services.passkeys.remove(visitor.person, number)
    return to("/wallet/account")


def door(callers: Callers) -> list[Any]:
    """Signing in with one."""

    @get("/wallet/sign-in/passkey")
    async def request_options(request: Request[Any, Any, Any], services: TheServices) -> Response[bytes]:
        return _json(services.passkeys.request(place_of(request)))

    @post("/wallet/sign-in/passkey")
    async def sign_in_by_passkey(request: Request[Any, Any, Any], services: TheServices) -> Response[Any]:
        forms.same_site(request.headers)
        check_way(request, services)
        form = await forms.read(request)
        after = next_of(form, "wallet")
        place, challenge, credential = place_of(request), form.text("challenge"), form.text("credential", _LARGEST)
        try:
            member = await callers.by_another_proof(
                edge.address_of(request.scope), lambda: services.passkeys.verify(place, challenge, credential)
            )
        except (Unauthorized, TooMany) as problem:
            return sign_in_form(problem.status, _WHY[problem.status], "", after, problem.retry_after_s)
        return await enter(request, services, member, after)

    return [request_options, sign_in_by_passkey]


def place_of(request: Request[Any, Any, Any]) -> Place:
    """Where the browser says that it is; passkeys of another host don't fit."""
    netloc = request.headers.get("host", "")
    host = netloc.rpartition(":")[0] if not netloc.endswith("]") and ":" in netloc else netloc
    if not host or len(netloc) > 255:
        raise BadRequest("this takes a Host header")
    return Place(host.lower(), f"{request.scope['scheme']}://{netloc.lower()}")


def _json(text: str) -> Response[bytes]:
    return Response(text.encode(), media_type="application/json", headers=HEADERS)
