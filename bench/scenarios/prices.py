"""What usage costs: our price book against LiteLLM's cost calculation."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

from bench.apart import apart, missing
from bench.figures import Claim, Figure, Run, at_least, best, ratio
from bench.ground import Ground
from bench.histogram import Histogram
from bench.rounds import Stage, Variant
from bench.world import World, settings
from farebox import app
from farebox.ledger.types import Usage
from farebox.pricing.book import Book
from farebox.pricing.service import now

MODEL = "gpt-4o-mini"
"""One that both know."""
OURS = "Farebox: the version that holds, exact, rounded once"


@contextlib.contextmanager
def prices(ground: Ground) -> Iterator[Stage]:
    """The same usage of the same model, over and over."""
    book = asyncio.run(_book(ground.world))
    absent = missing("litellm")
    offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with contextlib.ExitStack() as opened:
        theirs = [
            opened.enter_context(apart(f"LiteLLM {call}", "litellm", call, MODEL, env=offline))
            for call in (() if absent else ("cost_per_token", "completion_cost"))
        ]
        yield Stage(
            f"Price calculation: {MODEL}, 374 tokens in, 44 out, one thread",
            [Variant(OURS, lambda seconds: _quoted(book, ground.world.provider_id, seconds)), *theirs],
            _claims,
            skipped=absent,
        )


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    ours, *theirs = figures.values()
    if not theirs:
        return []
    return [at_least("price calculation: Farebox / LiteLLM's faster function", ratio(ours, best(theirs)), 10)]


async def _book(world: World) -> Book:
    found = settings()
    async with app.open_services(lambda: world.url, found, app.secret_of(found)) as services:
        return await services.prices.fresh()


def _quoted(book: Book, provider_id: int, seconds: float) -> Run:
    usage, done, start = Usage(374, 44), 0, time.perf_counter()
    end = start + seconds
    while time.perf_counter() < end:
        for _ in range(100):
            book.quote(provider_id, MODEL, usage, "USD", now())
        done += 100
    return Run(done / (time.perf_counter() - start), Histogram())
