"""Names that stand for a model of the default book: `gpt-4o-2024-08-06` is priced as `gpt-4o`.

By the rules of the `genai-prices` package. A name that has a price of its own never comes here.
"""

from functools import lru_cache

from farebox.pricing.importers.genai import PLAIN


@lru_cache(maxsize=4096)
def canonical(model: str) -> str | None:
    """The name in the default book that a model goes by; None where no rule knows it."""
    from genai_prices.data import providers  # a large module: read when it is asked for

    vendor, _, name = model.partition("/")
    by_id = {provider.id: provider for provider in providers}
    if name and vendor in by_id:
        found = by_id[vendor].find_model(name)
        return None if found is None else f"{vendor}/{found.id}"
    for vendor in PLAIN:
        if vendor in by_id and (found := by_id[vendor].find_model(model)) is not None:
            return f"{vendor}/{found.id}"
    return None
