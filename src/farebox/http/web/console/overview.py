"""The first page: health, what is spent, the newest charges; and what is found wrong when the books are proved."""

from typing import Any

from litestar import Response, get
from litestar.params import FromQuery

from farebox.db import migrate
from farebox.http.depends import TheServices
from farebox.http.web.console.charts import PERIODS, WAYS, charts
from farebox.http.web.console.given import NEWEST, TheDesk
from farebox.http.web.render import page
from farebox.ledger import audit
from farebox.services import Services

_NEWEST = 20
_PAGE = 100


@get("/console")
async def overview(
    services: TheServices, desk: TheDesk, by: FromQuery[str] = "time", over: FromQuery[str] = "30"
) -> Response[bytes]:
    found = await charts(services, by, over)
    told = await _live(services)
    first_run = not await services.directory.providers("", 1)
    return page(
        "console/overview.html", desk=desk, charts=found, ways=WAYS, periods=PERIODS, first_run=first_run, **told
    )


@get("/console/live")
async def overview_live(services: TheServices, desk: TheDesk) -> Response[bytes]:
    """The part of the page that moves."""
    return page("console/overview_live.html", desk=desk, **await _live(services))


@get("/console/books")
async def books(services: TheServices, desk: TheDesk, prove: FromQuery[str] = "") -> Response[bytes]:
    """Proving reads everything, so that it is done when it is asked for."""
    report = None
    if prove:
        async with services.pool.acquire() as conn:
            report = await audit.audit(conn)
    return page("console/books.html", desk=desk, report=report)


@get("/console/holds")
async def holds(services: TheServices, desk: TheDesk) -> Response[bytes]:
    return page("console/holds.html", desk=desk, holds=await services.reports.open_holds(200))


@get("/console/envelopes")
async def envelopes(services: TheServices, desk: TheDesk) -> Response[bytes]:
    found = await services.envelopes.page_of_all(NEWEST, 200)
    return page("console/envelopes.html", desk=desk, envelopes=found, assets=services.prices.book.assets)


@get("/console/log")
async def audit_log(services: TheServices, desk: TheDesk, before: FromQuery[int] = NEWEST) -> Response[bytes]:
    lines = await services.reports.log(before, _PAGE + 1)
    more = lines[_PAGE - 1].id if len(lines) > _PAGE else None
    return page("console/log.html", desk=desk, lines=lines[:_PAGE], more=more)


async def _live(services: Services) -> dict[str, Any]:
    schema = await services.pool.fetchval("SELECT version_num FROM alembic_version")
    return {
        "newest": await services.reports.newest_charges(_NEWEST),
        "healthy": schema == migrate.HEAD,
        "ingest": None if services.ingest is None else services.ingest.state,
    }
