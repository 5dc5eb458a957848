"""What the console's handlers are handed: who has signed in with which key, and what it may reach."""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from farebox.errors import Forbidden
from farebox.http.native.authority import Authority
from farebox.http.web import forms, render
from farebox.http.web.forms import Form
from farebox.http.web.visitor import Visitor, key_owner_of
from farebox.identity.types import OPERATE, WRITE
from farebox.services import Services


class Desk:
    """An operator, or a provider's staff, at work."""

    def __init__(self, services: Services, visitor: Visitor) -> None:
        self.visitor = visitor
        self.authority = Authority(services, visitor.key)
        self.is_owner = visitor.key.is_admin and WRITE in visitor.key.scopes
        self.may_write = bool(visitor.key.scopes & {WRITE, OPERATE})

    @property
    def actor(self) -> str:
        """How the audit log names who works here."""
        return self.authority.actor

    @property
    def role(self) -> str:
        """`owner`, `operator`, `viewer` (a key that only reads) or `provider`."""
        if not self.visitor.key.is_admin:
            return "provider"
        if self.is_owner:
            return "owner"
        return "operator" if self.may_write else "viewer"

    @property
    def form_key(self) -> str:
        """A key for one form; see `acts`."""
        return render.form_key()

    def owner(self) -> None:
        """Raises Forbidden for everybody but owners."""
        if not self.is_owner:
            raise Forbidden("this takes an owner's key", "owner_only")

    async def form(self, request: Request[Any, Any, Any]) -> Form:
        """A form that may be acted on; raises Forbidden."""
        if not self.may_write:
            raise Forbidden("this key only reads", "scope_missing")
        form = await forms.read(request)
        self.visitor.check(form)
        return form


TheDesk = NamedDependency[Desk]


def signed_in(services: Services) -> Guard:
    """Identifies the key's owner before anything is read; a form has to come from a page of ours."""

    async def identify(request: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope: Any = request.scope
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            forms.same_site(request.headers)
        scope["state"]["desk"] = Desk(services, await key_owner_of(request, services))
        await services.prices.fresh()  # a wallet can be in an asset that another process has just added

    return identify


async def administrator(request: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Refuses everybody but administrators, before anything is read."""
    scope: Any = request.scope
    scope["state"]["desk"].authority.administrator()


async def desk(request: Request[Any, Any, Any]) -> Desk:
    """Who has signed in."""
    state: Any = request.scope["state"]
    found: Desk = state["desk"]
    return found
