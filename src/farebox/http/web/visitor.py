"""Who looks at a page: the browser's session in its cookie, and the proof that a form came from our page."""

import hashlib
import hmac
from typing import Any

from litestar import Request, Response
from msgspec import Struct

from farebox.errors import Forbidden, Unauthorized
from farebox.http.web.forms import Form
from farebox.identity.credentials import Member
from farebox.identity.types import Principal
from farebox.services import Services

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Visitor(Struct, frozen=True):
    """Somebody who is signed in: a person, or in the console the owner of a key."""

    token: str
    member: Member | None = None
    principal: Principal | None = None

    @property
    def csrf(self) -> str:
        """Stands in every form: who can't read our pages can't know it."""
        return hmac.digest(self.token.encode(), b"form", hashlib.sha256).hex()

    @property
    def person(self) -> Member:
        """The person; in the wallet there always is one."""
        assert self.member is not None
        return self.member

    @property
    def key(self) -> Principal:
        """The key's owner; in the console there always is one."""
        assert self.principal is not None
        return self.principal

    def check(self, form: Form) -> None:
        """Raises Forbidden for a form that was not made for this session."""
        if not hmac.compare_digest(self.csrf.encode(), form.text("csrf").encode()):
            raise Forbidden("this form is not of this session: open the page again", "form_expired")


class Cookie(Struct, frozen=True):
    """The cookie of the wallet or of the console, by the way the browser comes.

    Over HTTPS its name begins with `__Host-`: no other host, no other path and no plain HTTP can set or read it.
    Over plain HTTP browsers refuse such names, so that there it has another; see the setting `plain_http`.
    """

    name: str
    path: str

    def read(self, request: Any) -> str | None:
        """The session's token in the browser's cookie."""
        found: str | None = request.cookies.get(self._named(_secure(request)))
        return found

    def set(self, request: Request[Any, Any, Any], response: Response[Any], token: str, ttl_s: int) -> None:
        """Puts a session into the browser."""
        secure = _secure(request)
        response.set_cookie(
            self._named(secure), token, max_age=ttl_s, path="/", secure=secure, httponly=True, samesite="lax"
        )

    def clear(self, request: Request[Any, Any, Any], response: Response[Any]) -> None:
        """Takes the session out of the browser."""
        self.set(request, response, "", 0)

    def _named(self, secure: bool) -> str:
        return f"__Host-{self.name}" if secure else f"{self.name}-plain"


WALLET = Cookie("farebox-wallet", "/wallet")
CONSOLE = Cookie("farebox-console", "/console")


def check_way(request: Any, services: Services) -> None:
    """Raises Forbidden where a password would cross a network in the clear."""
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    if not (_secure(request) or services.settings.plain_http or host in _LOOPBACK):
        raise Forbidden("signing in takes HTTPS, or the setting FAREBOX_PLAIN_HTTP on a network that is trusted")


async def person_of(request: Any, services: Services) -> Visitor:
    """The person who is signed in; raises Unauthorized."""
    token = WALLET.read(request)
    member = None if token is None else await services.sessions.person(token)
    if token is None or member is None:
        raise Unauthorized("sign in", "signed_out")
    return Visitor(token, member=member)


async def key_owner_of(request: Any, services: Services) -> Visitor:
    """Who is signed in to the console; raises Unauthorized."""
    token = CONSOLE.read(request)
    principal = None if token is None else await services.sessions.principal(token)
    if token is None or principal is None:
        raise Unauthorized("sign in", "signed_out")
    return Visitor(token, principal=principal)


def _secure(request: Any) -> bool:
    return bool(request.scope["scheme"] == "https")
