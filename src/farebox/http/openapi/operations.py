"""What the native API can be asked, read off the routes that answer it."""

import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from typing import Any, get_args, get_origin

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg, HeaderParameter, PathParameter, QueryParameter
from litestar.routes import BaseRoute, HTTPRoute
from litestar.utils.signature import ParsedSignature
from msgspec import Struct

VERBS = {"page": "list", "one": "get"}
"""Handlers whose own name says less than the usual word."""


class Parameter(Struct, frozen=True):
    """One parameter in a path, a query or a header."""

    name: str
    place: str
    annotation: Any
    given: Any
    """The framework's own definition of it, with its bounds."""
    default: Any


class Operation(Struct, frozen=True):
    """One method at one address."""

    id: str
    """Readable and stable: `wallets.deposit`."""
    method: str
    path: str
    tag: str
    summary: str
    description: str
    status: int
    parameters: tuple[Parameter, ...]
    body: Any
    """The type of the request's body, or None."""
    answer: Any
    """The type of the answer's body, or None."""

    @property
    def keyed(self) -> bool:
        """Whether it takes an idempotency key."""
        return any(parameter.place == "header" for parameter in self.parameters)

    @property
    def paged(self) -> bool:
        """Whether it answers in pages."""
        return any(parameter.name == "cursor" for parameter in self.parameters)


def operations(routes: Sequence[BaseRoute]) -> list[Operation]:
    """The operations of the native API, in the order of the routes."""
    return sorted(_found(routes), key=lambda operation: (operation.path, operation.method))


def _found(routes: Sequence[BaseRoute]) -> Iterator[Operation]:
    for route in routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith("/v1/"):
            continue
        for handler in route.route_handlers:
            for method in sorted(set(handler.http_methods) - {"OPTIONS"}):
                yield _operation(handler, str(method), route.path_format)


def _operation(handler: HTTPRouteHandler, method: str, path: str) -> Operation:
    signature = handler.parsed_fn_signature
    name = handler.handler_name.rsplit(".", 1)[-1]
    owner = handler.fn.__qualname__.split(".")[0]
    data = signature.parameters.get("data")
    return Operation(
        id=f"{snake(owner)}.{VERBS.get(name, name)}",
        method=method,
        path=path,
        tag=_tag(handler),
        summary=handler.summary or "",
        description=cleandoc(handler.fn.__doc__ or ""),
        status=handler.status_code,
        parameters=tuple(_parameters(handler)),
        body=None if data is None else data.annotation,
        answer=_answer(signature.return_type.annotation),
    )


def _tag(handler: HTTPRouteHandler) -> str:
    (tag,) = {tag for layer in handler.ownership_layers for tag in layer.tags or ()}
    return tag


def _parameters(handler: HTTPRouteHandler) -> Iterator[Parameter]:
    yield from _named_in(handler.parsed_fn_signature)
    dependencies = handler.resolve_dependencies()
    for name in handler.parsed_fn_signature.parameters:
        if name in dependencies:  # which may take some of its own: a page its limit and its cursor
            yield from _named_in(dependencies[name].parsed_fn_signature)


def _named_in(signature: ParsedSignature) -> Iterator[Parameter]:
    for name, field in signature.parameters.items():
        given = field.kwarg_definition
        if isinstance(given, PathParameter):
            yield Parameter(name, "path", field.annotation, given, None)
        elif isinstance(given, HeaderParameter):
            yield Parameter(given.name or name, "header", field.annotation, given, field.default)
        elif isinstance(given, QueryParameter):
            yield Parameter(given.name or name, "query", field.annotation, given, field.default)
        else:
            assert isinstance(given, BodyKwarg) or name != "data"


def _answer(annotation: Any) -> Any:
    if get_origin(annotation) is Response:
        return get_args(annotation)[0]
    return None if annotation is type(None) else annotation


def snake(name: str) -> str:
    """`WalletGrants` as `wallet_grants`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
