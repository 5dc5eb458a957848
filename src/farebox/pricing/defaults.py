"""The price book that an empty database starts with."""

import asyncio
from datetime import UTC, datetime

from farebox.pricing.importers import genai
from farebox.pricing.service import Prices

ACTOR = "farebox"


async def load_default_book(prices: Prices) -> int:
    """Takes in the prices of the `genai-prices` package; how many models it brought."""
    found = await asyncio.to_thread(genai.read, datetime.now(UTC).date())
    done = await prices.take_in(ACTOR, genai.SOURCE, found.prices)
    return len(done.added)
