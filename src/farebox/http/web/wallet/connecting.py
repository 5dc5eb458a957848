"""From a code to a connection: reading it, showing what it asks for, the payer's yes or no."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from farebox import ids
from farebox.consent import qr
from farebox.consent.types import ConnectionRequest, Terms
from farebox.errors import Invalid, NotFound, Problem
from farebox.http.depends import TheServices
from farebox.http.native.connecting import limit_units, provider_named
from farebox.http.native.wire import QrPayload
from farebox.http.strict import Reader
from farebox.http.web import asked, forms
from farebox.http.web.forms import Form
from farebox.http.web.render import Typed, page, to
from farebox.http.web.visitor import Visitor
from farebox.http.web.wallet.given import TheVisitor
from farebox.services import Services

LARGEST_PICTURE = 12_000_000
"""Bytes of an uploaded form: a photograph fits."""
_payload = Reader(QrPayload)


@get("/wallet/scan")
async def scan_page(visitor: TheVisitor, code: FromQuery[str] = "") -> Response[bytes]:
    """A link may bring the code along; it is shown, and asked for only when the payer says so."""
    return page("wallet/scan.html", visitor=visitor, code=code[:4000], error=None)


@post("/wallet/scan", request_max_body_size=LARGEST_PICTURE)
async def scan(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[Any]:
    form = await forms.read(request)
    visitor.check(form)
    code = form.text("code", 4000)
    try:
        opened = await _open(services, visitor, code or qr.decode_bytes(form.picture))
    except qr.UnreadableCode as error:
        return page("wallet/scan.html", 422, visitor=visitor, code=code, error=f"{error}. {error.hint}")
    except Problem as problem:
        if problem.status not in (400, 422, 429):
            raise
        answer = page("wallet/scan.html", problem.status, visitor=visitor, code=code, error=_told(problem))
        if problem.retry_after_s is not None:
            answer.headers["retry-after"] = str(problem.retry_after_s)
        return answer
    return to(f"/wallet/requests/{ids.public('cr', opened.id)}")


async def _open(services: Services, visitor: Visitor, code: str) -> ConnectionRequest:
    try:
        payload = _payload.read(code.encode("utf-8", "surrogatepass"))
    except Problem as problem:
        raise Invalid(f"This is no connection request: {problem.detail}") from None
    wallet = await services.wallets.get(visitor.person.wallet_id)
    return await services.consent.open_request(
        visitor.person.client,
        wallet.id,
        await provider_named(services, payload.provider_id),
        payload.provider_username,
        limit_units(services.prices.book, payload, wallet.asset),
        None,
    )


@get("/wallet/requests/{request_id:str}")
async def request_page(services: TheServices, visitor: TheVisitor, request_id: FromPath[str]) -> Response[bytes]:
    return await _shown(services, visitor, await _own(services, visitor, request_id), 200, None)


@post("/wallet/requests/{request_id:str}/approve")
async def approve(
    request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor, request_id: FromPath[str]
) -> Response[Any]:
    form = await forms.read(request)
    visitor.check(form)
    found = await _own(services, visitor, request_id)
    try:
        grant, _ = await services.consent.approve(
            visitor.person.client,
            found.id,
            await services.directory.provider(found.provider),
            form.text("terms"),
            _terms(services, found, form),
        )
    except Invalid as problem:
        return await _shown(services, visitor, found, 422, problem.detail, typed=form.fields)
    return to(f"/wallet/connections/{ids.public('gr', grant.id)}")


@post("/wallet/requests/{request_id:str}/decline")
async def decline(
    request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor, request_id: FromPath[str]
) -> Response[Any]:
    visitor.check(await forms.read(request))
    found = await _own(services, visitor, request_id)
    await services.consent.decline(visitor.person.client, found.id)
    return to(f"/wallet/requests/{request_id}")


def _terms(services: Services, found: ConnectionRequest, form: Form) -> Terms:
    """What the payer allows; here it always has a limit."""
    asset = services.prices.book.assets[found.asset]
    limit = form.amount("limit", asset)
    if limit is None:
        raise Invalid.field("limit", "say how much may be drawn in all")
    ttl_s = form.choice("period", {name: ttl for name, (_, ttl) in asked.periods(found).items()})
    return Terms(limit, form.amount("charge_limit", asset), ttl_s)


async def _own(services: Services, visitor: Visitor, request_id: str) -> ConnectionRequest:
    """A request that this wallet opened; NotFound for any other."""
    number = ids.parse("cr", request_id)
    found = None if number is None else await services.consent.request(number)
    if found is None or found.wallet_id != visitor.person.wallet_id:
        raise NotFound("there is no such connection request")
    return found


async def _shown(
    services: Services,
    visitor: Visitor,
    found: ConnectionRequest,
    status: int,
    error: str | None,
    typed: Typed | None = None,
) -> Response[bytes]:
    book = await services.prices.fresh()
    provider = await services.directory.provider(found.provider)
    asset = book.assets[found.asset]
    return page(
        "wallet/request.html",
        status,
        visitor=visitor,
        request=found,
        asset=asset,
        warnings=asked.warnings(found),
        prices=asked.prices(book, provider, asset),
        periods=asked.periods(found),
        wallet=await services.wallets.get(found.wallet_id),
        error=error,
        typed=typed,
    )


def _told(problem: Problem) -> str:
    return {"unknown_provider": "No provider of that name is registered here."}.get(problem.code, problem.detail)
