"""Migrations, run as nodes run them: several programs at once, on nothing."""

import asyncio
import subprocess
import sys

import asyncpg

from farebox.db import migrate
from tests.support.databases import OWNER, Databases

WHEN_TOLD = """
import asyncio, sys
from farebox.db import migrate
import alembic.command
print("here", flush=True)
sys.stdin.readline()
asyncio.run(migrate.migrate(sys.argv[1]))
"""


def test_programs_that_migrate_at_once(postgres: Databases) -> None:
    """One makes the schema; the others wait, and find it made."""
    for _ in range(3):
        name = postgres.empty()
        url = postgres.url(name, OWNER)
        programs = [
            subprocess.Popen(
                [sys.executable, "-c", WHEN_TOLD, url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for program in programs:
            assert program.stdout is not None
            assert program.stdout.readline() == "here\n"
        for program in programs:
            assert program.stdin is not None
            program.stdin.write("\n")
            program.stdin.flush()
        for program in programs:
            _, said = program.communicate(timeout=60)
            assert program.returncode == 0, said
        assert asyncio.run(version(url)) == migrate.HEAD
        postgres.drop(name)


async def version(url: str) -> str | None:
    """The schema's version."""
    conn = await asyncpg.connect(url)
    try:
        return await migrate.version(conn)
    finally:
        await conn.close()
