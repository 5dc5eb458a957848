"""Amounts and times as people type them."""

import re

from farebox.cli.output import Failure
from farebox.money import MAX_UNITS, NotExact, TwoReadings, to_units, typed_decimal

_SPAN = re.compile(r"([1-9][0-9]{0,8})\s*(s|m|h|d|w)?", re.ASCII)
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def units(text: str, scale: int, asset: str) -> int:
    """`12.50` in units of an asset, exact; raises Failure where that is not an amount of it."""
    try:
        found = to_units(typed_decimal(text.replace("_", ""), whole=scale == 1), scale)
    except NotExact:
        raise Failure(f"{text} is finer than {asset} can be", f"1 {asset} has {scale:,} units.") from None
    except TwoReadings:
        raise Failure(
            f"{text} can be read in two ways", "Write thousands without a comma, fractions with a point"
        ) from None
    except ValueError:
        raise Failure(f"{text!r} is not an amount", "Write it like 12.50") from None
    if found <= 0:
        raise Failure("The amount has to be above zero", "Write it like 12.50")
    if found > MAX_UNITS:
        raise Failure(f"{text} {asset} is more than a wallet can hold")
    return found


def optional_units(text: str | None, scale: int, asset: str) -> int | None:
    """As `units`; None stays None."""
    return None if text is None else units(text, scale, asset)


def seconds(text: str | None) -> int | None:
    """`90`, `30m`, `12h`, `7d` or `2w` in seconds; None stays None; raises Failure."""
    if text is None:
        return None
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise Failure(f"{text!r} is not a span of time", "Write it like 90s, 30m, 12h, 7d or 2w")
    return int(found[1]) * _SECONDS[found[2]]


def span(s: int | None) -> str:
    """Seconds for people: `7 days`, `90 minutes`."""
    if s is None:
        return "until revoked"
    for length, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if s % length == 0:
            return f"{s // length:,} {name}{'' if s == length else 's'}"
    raise AssertionError("every number is a multiple of one")
