"""What operators and load balancers ask: alive, ready, metrics."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from farebox.db import migrate
from farebox.errors import Busy
from farebox.http.metrics import render
from farebox.services import Services


def operations(services: Services) -> list[HTTPRouteHandler]:
    """The routes of this module."""

    @get("/health", include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @get("/ready", include_in_schema=False)
    async def ready() -> dict[str, str]:
        try:
            async with services.pool.acquire(timeout=2) as conn:
                found = await conn.fetchval("SELECT version_num FROM alembic_version", timeout=2)
        except Exception:
            raise Busy("the database does not answer", "database_away", retry_after_s=2) from None
        if found != migrate.HEAD:
            raise Busy("the database has another schema", "wrong_schema", retry_after_s=10)
        return {"status": "ready"}

    @get("/metrics", include_in_schema=False)
    async def metrics() -> Response[bytes]:
        return Response(render(services), media_type="text/plain; version=0.0.4")

    return [health, ready, metrics]
