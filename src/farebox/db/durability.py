"""Whether the database keeps what it acknowledges, and takes what comes at once (RULES 16, 23)."""

from asyncpg import Connection, Record

REQUIRED = {"fsync": "on", "full_page_writes": "on"}
SYNCHRONOUS = ("on", "local", "remote_write", "remote_apply")


async def risks(conn: "Connection[Record]") -> list[str]:
    """What could lose acknowledged writes, or fail those that meet; empty where nothing could."""
    found = [
        f"{name} is {value}: a crash can corrupt or lose committed money"
        for name, wanted in REQUIRED.items()
        if (value := await conn.fetchval("SELECT current_setting($1)", name)) != wanted
    ]
    synchronous = await conn.fetchval("SELECT current_setting('synchronous_commit')")
    if synchronous not in SYNCHRONOUS:
        found.append(f"synchronous_commit is {synchronous}: a crash loses charges that were answered as done")
    isolation = await conn.fetchval("SELECT current_setting('default_transaction_isolation')")
    if isolation != "read committed":
        found.append(
            f"default_transaction_isolation is {isolation}: charges that meet fail. Say "
            f"ALTER DATABASE {await conn.fetchval('SELECT quote_ident(current_database())')} "
            "SET default_transaction_isolation = 'read committed'"
        )
    return found
