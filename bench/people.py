"""People who pay each other over HTTP with Basic auth: passwords remembered, against Argon2 on every call."""

import asyncio
import base64

import asyncpg

from bench.figures import Run, at_least, summed
from bench.people_load import transfers
from bench.scenarios import OURS, Effort, Result, Say, served
from bench.world import World, pay_in
from farebox import ids
from farebox.identity.passwords import Passwords

CALLERS = 64
PASSWORD = "a password of theirs"  # everybody's


def people(world: World, effort: Effort, say: Say) -> Result:
    """Transfers between everybody: each is created and confirmed by its sender."""
    say("people: making accounts")
    emails = asyncio.run(_fill(world))
    senders = [(email, base64.b64encode(f"{email}:{PASSWORD}".encode()).decode()) for email in emails]
    remembered, verified = "remembered passwords", "Argon2 on every call"
    runs: dict[str, list[Run]] = {remembered: [], verified: []}
    # Longer than as shipped: signing everybody in takes minutes, and is not what is measured.
    with (
        served(world, OURS, "credential_memory_s=1800") as (fast, _),
        served(world, OURS, "credential_memory_s=0") as (slow, _),
    ):
        say("people: everybody signs in once")
        first = transfers(fast, senders, CALLERS, 0, sign_in=True)
        for number in range(effort.rounds):
            for name, port in ((remembered, fast), (verified, slow)):
                say(f"people, round {number + 1}: {name}")
                runs[name].append(transfers(port, senders, CALLERS, effort.seconds))
    figures = {name: summed(f"transfers, {name}, {CALLERS} callers", found) for name, found in runs.items()}
    return Result(
        f"Transfers between {len(emails):,} people over HTTP with Basic auth, two calls each (SyftBox dialect)",
        list(figures.values()),
        [at_least("remembered / Argon2 on every call", figures[remembered].per_s / figures[verified].per_s, 10)],
        f"Before that, everybody has signed in once: {first.per_s:,.0f} a second, each verified with Argon2.",
    )


async def _fill(world: World) -> list[str]:
    """As many people as the world has wallets, with money; all with one password, hashed once to save the time."""
    kept = await Passwords().hash(PASSWORD)
    wallets = list({ids.new_wallet_id() for _ in world.payers})
    emails = [f"person{number}@example.org" for number in range(len(wallets))]
    conn = await asyncpg.connect(world.url)
    known: list[str] = [row["email"] for row in await conn.fetch("SELECT email FROM people ORDER BY id")]
    if not known:
        rows = [(wallet, "wallet", "USD") for wallet in wallets]
        await conn.copy_records_to_table("accounts", records=rows, columns=["id", "kind", "asset"])
        accounts = [(email, wallet, kept) for email, wallet in zip(emails, wallets, strict=True)]
        await conn.copy_records_to_table("people", records=accounts, columns=["email", "wallet_id", "password_hash"])
        outside: int = await conn.fetchval("SELECT nextval('account_ids')")
        external = [(outside, "external", "USD", "bench")]
        await conn.copy_records_to_table("accounts", records=external, columns=["id", "kind", "asset", "source"])
        await pay_in(conn, wallets, outside)
        await conn.execute("ANALYZE accounts, people, transfers, entries")
    await conn.close()
    return known or emails
