"""The first page: first steps, what is spent, the newest charges; health; the audit log."""

from typing import Any

from litestar import Response, get
from litestar.params import FromQuery
from msgspec import Struct

import farebox
from farebox.db import migrate
from farebox.http.depends import TheServices
from farebox.http.web.console.charts import PERIODS, WAYS, charts
from farebox.http.web.console.given import TheDesk
from farebox.http.web.console.paging import Number
from farebox.http.web.render import page
from farebox.ids import NEWEST
from farebox.services import Services

_NEWEST = 20
_PAGE = 100


class FirstStep(Struct, frozen=True):
    """One thing to do on an empty server."""

    what: str
    path: str
    done: bool


@get("/console")
async def overview(
    services: TheServices, desk: TheDesk, by: FromQuery[str] = "time", over: FromQuery[str] = "30"
) -> Response[bytes]:
    told = await _live(services)
    told |= {"charts": await charts(services, by, over), "ways": WAYS, "periods": PERIODS}
    told |= {"steps": await _first_steps(services), "newest": await services.reports.newest_charges(_NEWEST)}
    return page("console/overview.html", desk=desk, by=by, **told)


@get("/console/live")
async def overview_live(services: TheServices, desk: TheDesk) -> Response[bytes]:
    """The part of the page that moves."""
    return page("console/overview_live.html", desk=desk, **await _live(services))


@get("/console/log")
async def audit_log(
    services: TheServices, desk: TheDesk, before: Number = NEWEST, q: FromQuery[str] = ""
) -> Response[bytes]:
    words = q.strip()[:100]
    lines = await services.reports.log(before, _PAGE + 1, words)
    more = lines[_PAGE - 1].id if len(lines) > _PAGE else None
    return page("console/log.html", desk=desk, lines=lines[:_PAGE], more=more, q=words)


@get("/console/health")
async def health(services: TheServices, desk: TheDesk) -> Response[bytes]:
    found = await services.reports.health()
    told: dict[str, Any] = {"health": found, "healthy": found.schema == migrate.HEAD, "version": farebox.__version__}
    told |= {"ingest": None if services.ingest is None else services.ingest.state, "streams": services.live.streams}
    return page("console/health.html", desk=desk, ingesting=services.ingest is not None, **told)


async def _first_steps(services: Services) -> list[FirstStep]:
    """What is left to do before somebody can be charged; empty when all is done."""
    done = await services.reports.first_steps()
    steps = [
        FirstStep("Register a provider", "/console/providers", done["providers"]),
        FirstStep("Make it a key, and give that to its staff", "/console/providers", done["provider_keys"]),
        FirstStep("Have prices for its models", "/console/prices", done["prices"]),
        FirstStep("Let somebody open a wallet, or register an organization", "/console/people", done["wallets"]),
        FirstStep("Put money in", "/console/people", done["money"]),
        FirstStep("See the first charge come in", "/console/charges", done["charges"]),
    ]
    return [] if all(step.done for step in steps) else steps


async def _live(services: Services) -> dict[str, Any]:
    schema = await services.pool.fetchval("SELECT version_num FROM alembic_version")
    state = None if services.ingest is None else services.ingest.state
    return {"healthy": schema == migrate.HEAD, "ingest": state, "runs": await services.audits.newest(1)}
