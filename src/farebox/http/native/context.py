"""What native handlers are given: the caller's authority and its idempotency key."""

from typing import Annotated, Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter
from litestar.types import Guard

from farebox.http import edge
from farebox.http.access import Access, bearer
from farebox.http.native.authority import Authority
from farebox.identity.types import READ, WRITE
from farebox.services import Services

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Up to 255 printable ASCII characters. Asking again with it gives the same outcome, done once.",
    ),
]


def identified(access: Access) -> Guard:
    """Identifies the caller by its bearer key, before its body is read.

    Reading takes the read scope, everything else the write scope.
    """

    async def identify(request: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope: Any = request.scope
        right = READ if scope["method"] in ("GET", "HEAD", "OPTIONS") else WRITE
        secret = bearer(request.headers.get("authorization"))
        scope["state"]["principal"] = await access.principal(secret, edge.address_of(scope), right)

    return identify


async def authority(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Authority:
    """What the caller may reach."""
    scope: Any = request.scope
    return Authority(services, scope["state"]["principal"])


def required_key(key: str | None) -> str:
    """The caller's idempotency key; raises BadRequest without one."""
    found = edge.idempotency_key(None if key is None else key.encode("latin-1", "replace"), required=True)
    assert found is not None
    return found
