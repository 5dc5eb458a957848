"""Who may ask for a call at all: told so before the call's body, and its idempotency key, are looked at."""

from collections.abc import Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from farebox.errors import Forbidden
from farebox.identity.types import Principal

May = Callable[[Principal], None]
"""Raises Forbidden for who may not."""


def anybody(principal: Principal) -> None:
    """Who is identified at all; what is somebody else's is not there."""


def administrators(principal: Principal) -> None:
    """Nobody else."""
    if not principal.is_admin:
        raise Forbidden("this takes an administrator's key", "admin_only")


def who_charges(principal: Principal) -> None:
    """Providers, and administrators in their place."""
    if principal.provider_id is None and not principal.is_admin:
        raise Forbidden("only a provider charges", "providers_only")


def who_has_wallets(principal: Principal) -> None:
    """Everybody but providers."""
    if principal.provider_id is not None:
        raise Forbidden("a provider charges grants; it does not move wallets' money")


def only(may: May) -> Guard:
    """The same for the framework's handlers, whose caller is identified by then."""

    async def guard(request: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope: Any = request.scope
        may(scope["state"]["principal"])

    return guard
