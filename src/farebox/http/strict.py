"""Reading JSON bodies: exact, bounded, and with an error for everything that two readers could read differently."""

import json
import re
from typing import Any, Generic, TypeVar

import msgspec

from farebox.errors import BadRequest, FieldError, Invalid, UnsupportedMediaType
from farebox.http.patterns import WORDS
from farebox.http.quotes import fewest_quotes

T = TypeVar("T")

_MALFORMED_NUMBERS = ("Integer value out of range", "Number out of range")
_MISSING = "Object missing required field "
_UNKNOWN = "Object contains unknown field "
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


class Reader(Generic[T]):
    """Reads bodies into one type. Safe to share."""

    def __init__(self, type_: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(type_)
        self._least_quotes = _least_quotes(type_)

    def read(self, body: bytes) -> T:
        """The value of a body; raises BadRequest for what is not JSON, Invalid for what is not this type."""
        try:
            value = self._decoder.decode(body)
        except msgspec.ValidationError as error:
            raise _explained(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(_malformed(error), "malformed_json") from None
        try:
            # A body with no more quotes than its members and their strings need has no room for a member twice.
            quotes = body.count(b'"')
            if quotes != self._least_quotes and quotes != fewest_quotes(value):
                _refuse_doubles(body)
            if b"\\u0000" in body:
                _refuse_nul(body)
        except (UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(_malformed(error), "malformed_json") from None
        return value


def check_content_type(content_type: str | None, content_encoding: str | None) -> None:
    """Raises UnsupportedMediaType for a body that is not plain JSON."""
    media = (content_type or "").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMediaType("send the body with Content-Type: application/json")
    if content_encoding is not None and content_encoding.strip().lower() != "identity":
        raise UnsupportedMediaType("send the body without compression")


def _explained(text: str) -> Exception:
    message, _, path = text.partition(" - at `$")
    if message.startswith(_MALFORMED_NUMBERS):
        return BadRequest("a number is out of any range", "malformed_json")
    if message.startswith("Invalid enum value"):
        message = "Not one of the values that it can have"  # the reader's own words repeat what was sent
    message = WORDS.get(message, message)
    field = path.rstrip("`").lstrip(".")
    if message.startswith(_MISSING):
        field = f"{field}.{message[len(_MISSING) :].strip('`')}".lstrip(".")
        message = "Missing"
    elif message.startswith(_UNKNOWN) and _NAME.fullmatch(message[len(_UNKNOWN) :].strip("`")) is None:
        message = "Object contains an unknown field"  # whose name is none, and may be anything
    return Invalid(f"{field}: {message}" if field else message, errors=(FieldError(field, message),))


def _malformed(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the body is not valid UTF-8"
    if isinstance(error, RecursionError):
        return "the body is nested too deeply"
    return str(error)


def _least_quotes(type_: Any) -> int:
    """How many quotes a body of a struct of required plain fields has; -1 for other types: always look."""
    if not (isinstance(type_, type) and issubclass(type_, msgspec.Struct)):
        return -1
    quotes = 0
    for field in msgspec.structs.fields(type_):
        bare = msgspec.inspect.type_info(field.type)
        if not field.required:
            return -1
        if isinstance(bare, msgspec.inspect.StrType):
            quotes += 4
        elif isinstance(bare, msgspec.inspect.IntType):
            quotes += 2
        else:
            return -1
    return quotes


def _refuse_doubles(body: bytes) -> None:
    # Decoded here: what the type has no member for was skipped, and not looked at, when the body was read.
    _members.decode(body.decode())


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise BadRequest("a member stands twice in an object", "malformed_json")


_members = json.JSONDecoder(object_pairs_hook=_once, parse_int=len, parse_float=len)


def _refuse_nul(body: bytes) -> None:
    def look(value: Any, path: str) -> None:
        if isinstance(value, str) and "\0" in value:
            raise Invalid.field(path.lstrip("."), "holds a NUL character")
        if isinstance(value, dict):
            for name, inner in value.items():
                look(name, path)
                look(inner, f"{path}.{name}")
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                look(inner, f"{path}[{place}]")

    look(msgspec.json.decode(body), "")
