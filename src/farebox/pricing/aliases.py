"""Names that stand for a model of the default book: `gpt-4o-2024-08-06` is priced as `gpt-4o`.

By the rules of the `genai-prices` package, of which only those count that know the name from its beginning: "contains
claude-3-opus" does not make `my-claude-3-opus` that model. A name that the book knows never comes here.
"""

import re
from functools import cache, lru_cache
from typing import Any

from farebox.pricing.importers.genai import PLAIN

NOT = "^(?!"
"""How a pattern begins that says what a name is not: it knows no name."""

_COMPACT_DATE = re.compile(r"-(20\d{2})(\d{2})(\d{2})$")


@lru_cache(maxsize=4096)
def canonical(model: str) -> tuple[str, ...]:
    """The names in the default book that a model goes by, the first that has a price counts; empty: no rule knows it.

    A plain name first goes by a plain name, so that a price that was set by hand for that one holds for both.
    """
    vendors, owners = _vendors()
    vendor, _, name = model.partition("/")
    if name and vendor in vendors:
        found = _match(vendors[vendor], name)
        return () if found is None else (f"{vendor}/{found}",)
    for vendor in PLAIN:
        if vendor in vendors and (found := _match(vendors[vendor], model)) is not None:
            full = f"{vendor}/{found}"
            return (found, full) if owners[found] == vendor else (full,)
    return ()


@cache
def _vendors() -> tuple[dict[str, Any], dict[str, str]]:
    """The package's vendors by id, and whose model each plain name means."""
    from genai_prices.data import providers  # a large module: read when it is asked for

    vendors = {provider.id: provider for provider in providers}
    owners: dict[str, str] = {}
    for vendor in PLAIN:
        if vendor in vendors:
            for model in vendors[vendor].models:
                owners.setdefault(model.id, vendor)
    return vendors, owners


def _match(vendor: Any, name: str) -> str | None:
    """The first model whose rules know the name, if they know it from its beginning."""
    found = vendor.find_model(name)
    if found is None:
        return None
    written = (name.lower(), _COMPACT_DATE.sub(r"-\1-\2-\3", name.lower()))  # the package's rules take both
    return found.id if any(_from_the_beginning(found.match, text) for text in written) else None


def _from_the_beginning(rule: Any, name: str) -> bool:
    kind = type(rule).__name__
    if kind == "ClauseOr":
        return any(_from_the_beginning(part, name) for part in rule.or_)
    if kind == "ClauseAnd":
        return bool(rule.is_match(name)) and any(_from_the_beginning(part, name) for part in rule.and_)
    if kind == "ClauseContains":
        return name.startswith(rule.contains.lower())
    if kind == "ClauseEndsWith":
        return bool(name == rule.ends_with.lower())
    if kind == "ClauseRegex" and (not rule.regex.startswith("^") or rule.regex.startswith(NOT)):
        return False
    return bool(rule.is_match(name))
