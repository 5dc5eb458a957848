"""People who pay each other over HTTP with Basic auth: passwords remembered, against Argon2 on every call."""

import asyncio
import contextlib
import random
from collections.abc import Iterator, Sequence

import asyncpg

from bench import asks
from bench.figures import Claim, Figure, at_least, ratio
from bench.ground import Ground
from bench.load import load
from bench.rounds import Stage
from bench.serving import OURS, served
from bench.world import World, pay_in
from farebox import ids
from farebox.identity.passwords import Passwords

PEOPLE = 1_000
PASSWORD = "a password of theirs"  # everybody's
REMEMBERED = "payments, passwords remembered, 64 connections"
VERIFIED = "payments, Argon2 on every call, 64 connections"


@contextlib.contextmanager
def people(ground: Ground) -> Iterator[Stage]:
    """Payments between everybody: each is created and confirmed by its sender."""
    world = ground.world
    emails = asyncio.run(make_people(world, PEOPLE))
    credentials = [asks.basic(email, PASSWORD) for email in emails]
    paid, then = payments(emails, credentials), asks.confirmation(credentials)
    # Longer than as shipped: what is measured is not how everybody signs in.
    with served(world, OURS, "credential_memory_s=1800") as fast, served(world, OURS, "credential_memory_s=0") as slow:
        ground.say("people: everybody signs in once")
        asked = [f"GET /syftbox/user/my-info HTTP/1.1\r\nHost: x\r\n{one}\r\n".encode() for one in credentials]
        first = load(fast.port, asked, 16, 0, once=True)
        yield Stage(
            f"Payments between {len(emails):,} people over HTTP with Basic auth, two calls each (SyftBox dialect)",
            [fast.variant(REMEMBERED, paid, then=then), slow.variant(VERIFIED, paid, then=then)],
            _claims,
            lambda _: f"Before that, everybody has signed in once: {first.per_s:,.0f} a second, each with Argon2.",
        )


def payments(emails: Sequence[str], credentials: Sequence[str]) -> list[bytes]:
    """From each to somebody else."""
    source = random.Random(1)
    return [
        asks.payment(email, source.choice([other for other in source.sample(emails, 2) if other != email]), mine)
        for email, mine in zip(emails, credentials, strict=True)
    ]


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    found = ratio(figures[REMEMBERED], figures[VERIFIED])
    return [at_least("payments: passwords remembered / Argon2 on every call", found, 10)]


async def make_people(world: World, count: int) -> list[str]:
    """So many people with money, unless they are there already; all with one password, hashed once to save the time."""
    conn = await asyncpg.connect(world.url)
    known: list[str] = [row["email"] for row in await conn.fetch("SELECT email FROM people ORDER BY id")]
    if not known:
        kept = await Passwords().hash(PASSWORD)
        wallets = list({ids.new_wallet_id() for _ in range(count)})
        known = [f"person{number}@example.org" for number in range(len(wallets))]
        rows = [(wallet, "wallet", "USD") for wallet in wallets]
        await conn.copy_records_to_table("accounts", records=rows, columns=["id", "kind", "asset"])
        accounts = [(email, wallet, kept) for email, wallet in zip(known, wallets, strict=True)]
        await conn.copy_records_to_table("people", records=accounts, columns=["email", "wallet_id", "password_hash"])
        outside: int = await conn.fetchval("SELECT nextval('account_ids')")
        external = [(outside, "external", "USD", "bench")]
        await conn.copy_records_to_table("accounts", records=external, columns=["id", "kind", "asset", "source"])
        await pay_in(conn, wallets, outside)
        await conn.execute("ANALYZE accounts, people, transfers, entries")
    await conn.close()
    return known
