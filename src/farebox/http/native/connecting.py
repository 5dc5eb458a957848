"""What a scanned code means here: the provider that it names, the limit that it asks for."""

from msgspec import Raw

from farebox.errors import Invalid, NotFound
from farebox.http.native import wire
from farebox.identity.types import Provider
from farebox.ledger.types import MAX_UNITS
from farebox.money import NotExact, floor, parse_decimal, to_units
from farebox.pricing.book import Book, NotConvertible
from farebox.services import Services

TOKEN = "TOKEN"  # noqa: S105  # the asset that QR codes count in


async def provider_named(services: Services, slug: str) -> Provider:
    """The provider that a code names; raises Invalid."""
    try:
        return await services.directory.provider(slug)
    except NotFound:
        raise Invalid.field("provider", "there is no such provider", "unknown_provider") from None


def limit_units(book: Book, qr: wire.QrPayload, asset: str) -> int | None:
    """The limit that a code asks for, in units of the wallet's asset; of a conversion rounded down, never up."""
    if qr.limit == wire.NO_LIMIT:
        return None
    try:
        tokens = to_units(parse_decimal(_decimal_of(qr.limit)), book.assets[TOKEN].scale)
        units = floor(tokens * book.conversion(TOKEN, asset))
    except NotExact:
        raise Invalid.field("qr.limit", "finer than the smallest unit of a token") from None
    except ValueError:
        raise Invalid.field("qr.limit", "a number of tokens above zero") from None
    except NotConvertible:
        raise Invalid.field("qr.limit", "can't be expressed in the wallet's asset") from None
    if not 0 < units <= MAX_UNITS:
        raise Invalid.field("qr.limit", "not a number of units that the wallet's asset has")
    return units


def _decimal_of(limit: Raw) -> str:
    """The text of a JSON number, or the text in a JSON string."""
    text = bytes(limit).decode()
    return text[1:-1] if text.startswith('"') else text
