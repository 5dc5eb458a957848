"""The framework's side of the server: everything but the hot routes."""

import re
from collections.abc import Callable
from typing import Any

import structlog
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from farebox.errors import (
    BadRequest,
    FieldError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    Problem,
    TooLarge,
)
from farebox.http.access import Access
from farebox.http.callers import Callers
from farebox.http.dialects.conxa import routes as conxa
from farebox.http.dialects.knai import routes as knai
from farebox.http.dialects.syftbox import routes as syftbox
from farebox.http.dialects.tokenvault import routes as tokenvault
from farebox.http.dialects.x402tools import routes as x402tools
from farebox.http.docs.routes import docs
from farebox.http.headers import ALWAYS, PRIVATE, guarded, whole_allow
from farebox.http.native.context import authority
from farebox.http.native.cursors import Cursors
from farebox.http.native.paging import Paging, paging
from farebox.http.native.router import router as native_router
from farebox.http.openapi.published import openapi
from farebox.http.operations import operations
from farebox.http.patterns import WORDS
from farebox.http.problem import problem_body, problem_of, request_id, retry_after
from farebox.http.strict import Reader, check_content_type
from farebox.http.web import assets as web_assets
from farebox.http.web import front as web_front
from farebox.http.web import render as web
from farebox.http.web.console import router as console_pages
from farebox.http.web.wallet import router as wallet_pages
from farebox.services import Services

log = structlog.get_logger()

ProblemWriter = Callable[[Request[Any, Any, Any], Problem], Response[bytes]]

DIALECTS: dict[str, ProblemWriter] = {
    f"{conxa.PREFIX}/": conxa.write_problem,
    f"{knai.PREFIX}/": knai.write_problem,
    f"{syftbox.PREFIX}/": syftbox.write_problem,
    f"{tokenvault.PREFIX}/": tokenvault.write_problem,
    f"{x402tools.PREFIX}/": x402tools.write_problem,
    "/wallet": web.problem_page,
    "/console": web.problem_page,
}
"""Errors below these prefixes are written in the dialect's own shape, or as a page."""


class StrictRequest(Request[Any, Any, Any]):
    """Reads bodies with our own reader: the framework's takes `"100"` for a number."""

    async def json(self) -> Any:
        """The body as the type that the handler's `data` names."""
        check_content_type(self.headers.get("content-type"), self.headers.get("content-encoding"))
        return _reader_for(self.route_handler).read(await self.body())


_MISSING_PARAMETER = re.compile(r"Missing required query parameter '(\w+)'")

_readers: dict[Any, Reader[Any]] = {}


def _reader_for(handler: Any) -> Reader[Any]:
    reader = _readers.get(handler)
    if reader is None:
        data = handler.parsed_fn_signature.parameters["data"].annotation
        reader = _readers[handler] = Reader(data)
    return reader


def build(services: Services, access: Access, callers: Callers) -> Litestar:
    """The framework's application."""

    async def the_services() -> Services:
        return services

    async def the_access() -> Access:
        return access

    cursors = Cursors(services.secret)

    async def the_cursors() -> Cursors:
        return cursors

    return Litestar(
        route_handlers=[
            native_router(access),
            conxa.router(),
            knai.router(),
            syftbox.router(services, access, callers),
            tokenvault.router(),
            x402tools.router(),
            *operations(services),
            openapi(),
            *docs(),
            web_assets.asset,
            web_front.front,
            wallet_pages.router(services, callers),
            console_pages.router(services, access),
        ],
        dependencies={
            "services": Provide(the_services),
            "access": Provide(the_access),
            "cursors": Provide(the_cursors),
            "authority": Provide(authority),
            "paging": Provide(paging),
        },
        signature_types=[Services, Access, Cursors, Paging],
        request_class=StrictRequest,
        request_max_body_size=services.settings.max_body_bytes,
        exception_handlers={Problem: _write, HTTPException: _write, Exception: _write},
        after_request=guarded,
        before_send=[whole_allow],
        openapi_config=None,  # ours tells more, and no less than the truth (ADR 0010)
        logging_config=None,
    )


def _write(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    problem = as_problem(request, error)
    allow = {"allow": problem.extra.pop("allow", "")} if isinstance(problem, MethodNotAllowed) else {}
    for prefix, write in DIALECTS.items():
        if request.url.path.startswith(prefix):
            answer = write(request, problem)
            answer.headers.update(ALWAYS | PRIVATE | allow)
            return answer
    name = request_id(problem)
    headers = ALWAYS | PRIVATE | allow | {"x-request-id": name}
    headers |= {header.decode(): value.decode() for header, value in retry_after(problem)}
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(
        problem_body(problem, name), status_code=problem.status, media_type="application/problem+json", headers=headers
    )


def as_problem(request: Request[Any, Any, Any], error: Exception) -> Problem:
    """Any exception as a problem: the framework's own in our words."""
    if isinstance(error, MethodNotAllowedException):
        allowed = sorted((error.headers or {}).get("allow", "").split(", "))  # it comes in no order
        return MethodNotAllowed("this address has no such method", extra={"allow": ", ".join(allowed)})
    if isinstance(error, NotFoundException):
        return NotFound("there is nothing at this address; /docs lists what there is")
    if isinstance(error, RequestEntityTooLarge):
        return TooLarge("the body is too large")
    if isinstance(error, ValidationException):
        return _invalid(error)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return BadRequest(error.detail)
    return problem_of(error, request.url.path)


def _invalid(error: ValidationException) -> Problem:
    found: list[FieldError] = []
    for item in error.extra if isinstance(error.extra, list) else []:
        field, message = str(item.get("key", "")), str(item.get("message", "not acceptable"))
        if field == "data":
            field, message = "", "the request needs a JSON body"
        said = message.partition(" - at `$")[0]
        found.append(FieldError(field, WORDS.get(said, said)))
    missing = _MISSING_PARAMETER.match(error.detail)
    if missing is not None:
        found.append(FieldError(missing[1], "Missing"))
    detail = "; ".join(f"{item.field}: {item.message}" if item.field else item.message for item in found)
    return Invalid(detail or error.detail, errors=tuple(found))
