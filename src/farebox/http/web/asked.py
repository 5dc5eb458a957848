"""What a scanned code asks for, in a payer's words: its limit, its prices, and what to look at twice."""

from fractions import Fraction

from msgspec import Struct

from farebox.consent.names import misleading
from farebox.consent.types import ConnectionRequest
from farebox.identity.types import Provider
from farebox.money import Asset, ceil, decimal_text, show
from farebox.pricing.book import Book, NotConvertible, Version
from farebox.pricing.compute import Level
from farebox.pricing.types import NANO, PPM

_SHOWN = 8
_MILLION = 1_000_000
DAY = 86_400
PERIODS: dict[str, tuple[str, int | None]] = {
    "hour": ("an hour", 3600),
    "day": ("a day", DAY),
    "week": ("a week", 7 * DAY),
    "month": ("30 days", 30 * DAY),
    "quarter": ("90 days", 90 * DAY),
    "open": ("no end: until I revoke it", None),
}


class PriceLine(Struct, frozen=True):
    """What one model costs, as text in the wallet's asset."""

    model: str
    parts: list[str]


class PriceList(Struct, frozen=True):
    """A provider's own prices; `others` are so many more. `markup` is a factor on the price book, where it has one."""

    lines: list[PriceLine]
    others: int
    markup: str | None


def periods(request: ConnectionRequest) -> dict[str, tuple[str, int | None]]:
    """How long a payer can allow it: no longer than was asked for."""
    most = request.grant_ttl_s
    if most is None:
        return PERIODS
    fitting = {name: period for name, period in PERIODS.items() if period[1] is not None and period[1] < most}
    return fitting | {"asked": (f"{_days(most)}, as asked for", most)}


def warnings(request: ConnectionRequest) -> list[str]:
    """What a payer should look at twice."""
    found = []
    if not request.provider_verified:
        found.append("The operator of this wallet has not verified who this provider is.")
    for what, text in (("name", request.provider_name), ("user name", request.provider_username)):
        if misleading(text):
            found.append(f"The provider’s {what} has characters that can mislead: it may not be who it seems.")
    if request.limit_units is None:
        found.append("No limit was asked for. Set one below.")
    return found


def prices(book: Book, provider: Provider, asset: Asset) -> PriceList:
    """The provider's own prices that hold now, for a wallet of `asset`, markup and conversion included."""
    own = sorted(model for owner, model in book.versions if owner == provider.id)
    lines = [line for model in own[:_SHOWN] if (line := _line(book, provider, model, asset)) is not None]
    markup = None if provider.markup_ppm == PPM else decimal_text(provider.markup_ppm, 6)
    return PriceList(lines, max(0, len(own) - _SHOWN), markup)


def _line(book: Book, provider: Provider, model: str, asset: Asset) -> PriceLine | None:
    held = next((one for one in book.versions[provider.id, model] if one.starts_at <= book.read_at), None)
    if held is None or held.rates is None:
        return None
    try:
        factor = book.conversion(held.asset, asset.code) * Fraction(provider.markup_ppm, PPM * NANO)
    except NotConvertible:
        return None
    return PriceLine(model, list(_parts(held, held.rates.levels[-1], factor, asset)))


def _parts(held: Version, base: Level, factor: Fraction, asset: Asset) -> list[str]:
    assert held.rates is not None
    rated = [("million tokens in", base.input, _MILLION), ("million tokens out", base.output, _MILLION)]
    rated += [("call", held.rates.call, 1), *((name, rate, 1) for name, rate in held.rates.units.items())]
    return [f"{show(ceil(rate * count * factor), asset)} per {what}" for what, rate, count in rated if rate is not None]


def _days(seconds: int) -> str:
    days, rest = divmod(seconds, DAY)
    if days and not rest:
        return "1 day" if days == 1 else f"{days} days"
    hours = -(-seconds // 3600)
    return "an hour" if hours == 1 else f"{hours} hours"
