"""Balances and statements over HTTP, on a small ledger and on a large one: one reader, asking without a pause."""

import contextlib
import random
from collections.abc import Iterator, Sequence

from bench import asks
from bench.figures import Claim, Figure, at_most
from bench.ground import Ground
from bench.growth.charges import in_turn
from bench.growth.crowd import HEAVY
from bench.growth.grown import Crowd, Grown
from bench.rounds import Scenario, Stage, Variant
from bench.serving import Server, served
from bench.world import settings
from farebox import app
from farebox.http.native.cursors import Cursors
from farebox.ids import parse_wallet_id

BALANCE = "balance, any wallet"
STATEMENT = "statement, any wallet"
BUSY = "statement page of 100, busy wallets"
FIRST = "statement page of 100, heavy wallets"
DEEP = "statement page of 100 deep in the past, heavy wallets"
MONTH = "statement of a month long ago, heavy wallets"
HISTORY = "history page of 100, heavy wallets"
_SAMPLE = 20_000
LIMITS_MS = {BALANCE: 1, STATEMENT: 5, BUSY: 5, FIRST: 5, DEEP: 5, MONTH: 5, HISTORY: 5}


def growth_of_reads(ledgers: Sequence[Grown]) -> Scenario:
    """Each read on each ledger in turn, the small one first."""

    @contextlib.contextmanager
    def growth_reads(_: Ground) -> Iterator[Stage]:
        with contextlib.ExitStack() as stack:
            each = [_variants(one, stack.enter_context(served(one.world))) for one in ledgers]
            yield Stage("Reads, one reader", in_turn(each), lambda figures: _claims(ledgers[-1], figures))

    return growth_reads


def _variants(one: Grown, server: Server) -> list[Variant]:
    source = random.Random(9)
    everybody = Crowd(0, one.size.wallets)
    anybody = [str(everybody[source.randrange(len(everybody))].wallet_id) for _ in range(_SAMPLE)]
    busy = [str(payer.wallet_id) for payer in Crowd(HEAVY, HEAVY + min(one.size.busy, _SAMPLE))[:]]
    heavy = [str(payer.wallet_id) for payer in Crowd(0, HEAVY)[:]]
    paths = {
        BALANCE: [f"/v1/wallets/{wallet}" for wallet in anybody],
        STATEMENT: [f"/v1/wallets/{wallet}/statement" for wallet in anybody],
        BUSY: [f"/v1/wallets/{wallet}/statement" for wallet in busy],
        FIRST: [f"/v1/wallets/{wallet}/statement" for wallet in heavy],
        DEEP: [f"/v1/wallets/{wallet}/statement?cursor={_deep(one, wallet, source)}" for wallet in heavy * 100],
        MONTH: [f"/v1/wallets/{wallet}/statement?{_month(source)}" for wallet in heavy * 100],
        HISTORY: [f"/v1/wallets/{wallet}/history" for wallet in heavy],
    }
    return [server.variant(one.called(what), [asks.get(path) for path in found], 1) for what, found in paths.items()]


def _deep(one: Grown, wallet: str, source: random.Random) -> str:
    """A cursor as the server makes it, anywhere in the year."""
    newest = one.size.transfers // 8 * 4096
    place = [
        "1970-01-01T00:00:00+00:00",
        "9999-12-31T00:00:00+00:00",
        0,
        newest,
        source.randrange(newest // 20, newest),
    ]
    return Cursors(app.secret_of(settings())).make(f"statement:{parse_wallet_id(wallet)}", place)


def _month(source: random.Random) -> str:
    month = source.randrange(1, 10)
    return f"since=2026-{month:02}-01T00:00:00Z&until=2026-{month + 1:02}-01T00:00:00Z"


def _claims(large: Grown, figures: dict[str, Figure]) -> list[Claim]:
    return [
        at_most(f"p99 of {what}, {large.size.name}, ms", figures[large.called(what)].p99s_ms, limit)
        for what, limit in LIMITS_MS.items()
    ]
