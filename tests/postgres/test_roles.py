"""A database of the operator's own, with an owner who migrates and a lesser role that serves (RULES 3)."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from farebox import serve
from farebox.db import migrate
from farebox.db.migrate import NewerSchema
from farebox.settings import Settings
from tests.support.databases import OWNER, Databases
from tests.support.live import live_server, ok, settings_for

CLERK, BOSS = "clerk", "boss"


@pytest.fixture
def settings(postgres: Databases) -> Iterator[Settings]:
    """An empty database that belongs to the boss."""
    _run(postgres.postgres.url(OWNER, OWNER), f"CREATE ROLE {BOSS} LOGIN", f"CREATE ROLE {CLERK} LOGIN")
    _run(postgres.postgres.url(OWNER, OWNER), f"CREATE DATABASE office OWNER {BOSS}")
    yield settings_for(database_url=postgres.url("office", CLERK), migration_url=postgres.url("office", BOSS))
    postgres.drop("office")
    _run(postgres.postgres.url(OWNER, OWNER), f"DROP ROLE {BOSS}", f"DROP ROLE {CLERK}")


def _run(url: str, *statements: str) -> None:
    async def main() -> None:
        conn = await asyncpg.connect(url)
        for statement in statements:
            await conn.execute(statement)
        await conn.close()

    asyncio.run(main())


@pytest.mark.parametrize(("scheme", "more"), [("postgresql", ""), ("postgres", "&application_name=mine")])
def test_the_owner_migrates_and_the_clerk_serves(settings: Settings, scheme: str, more: str) -> None:
    """However the address is written: those of hosted databases end in `?sslmode=require`."""
    written = {
        name: getattr(settings, name).replace("postgresql:", f"{scheme}:").replace("=disable", "=prefer") + more
        for name in ("database_url", "migration_url")
    }
    settings = settings_for(**written)
    for _ in range(2):  # the second start finds all as it should be
        with serve.database(settings) as found, live_server(found.url(), settings) as live:
            provider = live.provider()
            wallet = live.wallet(10)
            assert provider.charge(provider.grant(wallet)["session_token"], amount=3).status_code == 201
            assert ok(live.admin.get(f"/v1/wallets/{wallet}"))["available"] == 7
    for statement in ("UPDATE entries SET amount = 1", "DELETE FROM transfers", "CREATE TABLE mine (a int)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            _run(settings.database_url, statement)
    for statement in ("UPDATE entries SET amount = 1", "DELETE FROM entries", "TRUNCATE transfers"):
        with pytest.raises(asyncpg.RestrictViolationError):
            _run(settings.migration_url, statement)


async def test_nodes_that_start_together_do_not_trip(settings: Settings) -> None:
    await migrate.migrate(settings.migration_url)
    await asyncio.gather(*(migrate.grant(settings.migration_url, CLERK) for _ in range(8)))
    conn = await asyncpg.connect(settings.database_url)
    assert await migrate.version(conn) == migrate.HEAD
    await conn.close()


def test_without_an_owner_the_clerk_can_not_migrate(settings: Settings) -> None:
    alone = settings_for(database_url=settings.database_url)
    with pytest.raises(Exception, match="permission denied"), serve.database(alone):
        pass


def test_a_newer_schema_is_left_alone(settings: Settings) -> None:
    with serve.database(settings):
        pass
    _run(settings.migration_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerSchema), serve.database(settings):
        pass
