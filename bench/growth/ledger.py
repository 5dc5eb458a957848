"""A large ledger in a data directory: built once, kept if wanted, opened as it is shipped."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from bench.growth.crowd import Size
from bench.growth.loader import Say, load, settle
from bench.world import CREATE, OWNER
from farebox.db import migrate
from farebox.db.embedded import APP_ROLE, DATABASE, EmbeddedPostgres

_NOTE = "growth.json"
# Nothing that is loaded is needed before it is whole: whoever is interrupted builds it again.
_LOADING = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "off",
    "max_wal_size": "'4GB'",
    "checkpoint_timeout": "'1h'",
    "shared_buffers": "'2GB'",
    "max_parallel_maintenance_workers": "2",
    "autovacuum": "off",
}


class Built(Struct):
    """What is in a data directory, whole."""

    wallets: int
    entries: int
    api_key: str

    @property
    def size(self) -> Size:
        """How large it is."""
        return Size(self.wallets, self.entries)


def room_for(size: Size, directory: Path) -> bool:
    """Whether the disk has the room to make it there: indexes are sorted beside what is kept."""
    return shutil.disk_usage(directory).free > (size.entries * 300 + size.wallets * 800) * 1.4


def build(directory: Path, size: Size, say: Say) -> Built:
    """The ledger of that size in the directory: made, unless it is there. Raises ValueError where another one is."""
    note = directory / _NOTE
    if note.exists():
        found = msgspec.json.decode(note.read_bytes(), type=Built)
        if found.size != size:
            raise ValueError(f"{directory} holds {found.size.name}")
        return found
    with running(directory) as postgres:
        asyncio.run(_configure(postgres, _LOADING))
    with running(directory) as postgres:
        key = asyncio.run(_fill(postgres, size, say))
    # Only now are the pages of a server without fsync on the disk.
    os.sync()
    built = Built(size.wallets, size.entries, key)
    note.write_bytes(msgspec.json.encode(built))
    return built


@contextlib.contextmanager
def running(directory: Path) -> Iterator[EmbeddedPostgres]:
    """The directory's PostgreSQL, with the settings that are shipped."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)  # as root, PostgreSQL runs as another user
    postgres = EmbeddedPostgres(directory)
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.stop()


async def _configure(postgres: EmbeddedPostgres, given: dict[str, str]) -> None:
    conn = await asyncpg.connect(postgres.url(OWNER, OWNER))
    for name, value in given.items():
        await conn.execute(f"ALTER SYSTEM SET {name} = {value}")
    await conn.close()


async def _fill(postgres: EmbeddedPostgres, size: Size, say: Say) -> str:
    conn = await asyncpg.connect(postgres.url(OWNER, OWNER))
    await conn.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
    await conn.execute(CREATE)
    await migrate.migrate(postgres.url(OWNER))
    await migrate.grant(postgres.url(OWNER), APP_ROLE)
    key = await load(postgres.url(OWNER), postgres.url(), size, say)
    await settle(postgres.url(OWNER), say)
    await conn.execute("ALTER SYSTEM RESET ALL")
    await conn.close()
    return key
