"""Forms: reading them strictly, and refusing those that another site has sent."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from litestar import Request

from farebox.errors import BadRequest, Forbidden, Invalid, UnsupportedMediaType
from farebox.http.edge import idempotency_key
from farebox.money import MAX_UNITS, Asset, NotExact, TwoReadings, to_units, typed_decimal

_FIELDS = 64


class Form:
    """What was filled in, by the name of the field."""

    def __init__(self, fields: dict[str, str], picture: bytes = b"") -> None:
        self._fields = fields
        self.picture = picture

    @property
    def fields(self) -> dict[str, str]:
        """All of them, as they came."""
        return self._fields

    def text(self, name: str, most: int = 500) -> str:
        """A field without the blanks around it; empty where it is missing. Raises Invalid for one too long."""
        found = self._fields.get(name, "").strip()
        if len(found) > most:
            raise Invalid.field(name, f"at most {most} characters")
        return found

    def key(self) -> str:
        """The form's own key: sent twice, it is done once."""
        return idempotency_key(self.text("key").encode(), required=True) or ""

    def secret(self, name: str) -> str:
        """A field as it is, such as a password."""
        return self._fields.get(name, "")

    def amount(self, name: str, asset: Asset) -> int | None:
        """A decimal amount above zero in units of its asset; None where the field is empty. Raises Invalid."""
        text = self.text(name, 60)
        if not text:
            return None
        try:
            units = to_units(typed_decimal(text, whole=asset.scale == 1), asset.scale)
        except NotExact:
            raise Invalid.field(name, f"finer than the smallest part of a {asset.code}") from None
        except TwoReadings:
            raise Invalid.field(name, "can be read in two ways; leave the comma out, or write a point") from None
        except ValueError:
            raise Invalid.field(name, "an amount such as 2.50") from None
        if not 0 < units <= MAX_UNITS:
            raise Invalid.field(name, "an amount above zero" if units <= 0 else "more than a wallet can hold")
        return units

    def choice(self, name: str, choices: dict[str, int | None]) -> int | None:
        """What one of the offered choices stands for. Raises Invalid for another one."""
        try:
            return choices[self.text(name)]
        except KeyError:
            raise Invalid.field(name, "one of the choices") from None


async def read(request: Request[Any, Any, Any]) -> Form:
    """The form of a request; raises BadRequest, Invalid, UnsupportedMediaType."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return Form(_once(_pairs(await request.body())))
    if kind == "multipart/form-data":
        return await _multipart(request)
    raise UnsupportedMediaType("send the form as a browser does")


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError:
        raise BadRequest("this is no form", "malformed_form") from None


async def _multipart(request: Request[Any, Any, Any]) -> Form:
    found = await request.form()
    pairs: list[tuple[str, str]] = []
    picture = b""
    for name, value in found.multi_items():
        if isinstance(value, str):
            pairs.append((name, value))
        elif hasattr(value, "read"):
            picture = await value.read()
        else:
            raise BadRequest("this is no form", "malformed_form")
    return Form(_once(pairs), picture)


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadRequest("a field stands twice in the form", "malformed_form")
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise Invalid.field("", "a field holds a NUL character")
    return fields


def same_site(headers: Any) -> None:
    """Raises Forbidden for what another site has sent: a browser says where a request comes from."""
    fetched = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if fetched is not None:
        own = fetched in ("same-origin", "none")
    else:
        own = origin is not None and urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    if not own:
        raise Forbidden("this was not sent by one of our own pages: open the page again", "cross_site")
