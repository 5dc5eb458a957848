"""A call of the native API, before anybody has made it: what to ask, and what the answer is."""

import uuid
from decimal import Decimal
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from farebox.client.core import Policy, Program, Reply, Request, exchange, retry_after_s
from farebox.client.errors import BadAnswer, problem_of

T = TypeVar("T")

PAGE = 200
"""How many items a list asks for at once."""


class Call(Struct, Generic[T], frozen=True):
    """A request and the type of its answer."""

    request: Request
    result: Any
    """`type[T]`, which the type system can't say of `list[Key]` and `None`."""


class Listing(Struct, Generic[T], frozen=True):
    """A list that comes in pages."""

    path: str
    page: Any
    """The type of a page; it has `data`, a list of T, and `next_cursor`."""
    query: dict[str, str]

    def call(self, cursor: str | None) -> Call[Any]:
        """The call for the first page, or for the one that a cursor names."""
        query = self.query | {"limit": str(PAGE)} | ({} if cursor is None else {"cursor": cursor})
        return Call(Request("GET", self.path, query, repeatable=True), self.page)


def program(call: Call[T], policy: Policy) -> Program[T]:
    """Makes a call; raises FareboxError."""

    def read(reply: Reply) -> T:
        if not 200 <= reply.status < 300:
            raise problem_of(reply.status, reply.content, retry_after_s(reply))
        if call.result is None:
            return None  # type: ignore[return-value]  # a call without an answer is a Call[None]
        try:
            found: T = msgspec.json.decode(reply.content, type=call.result)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise BadAnswer("the answer is not what this call is answered with", reply.status) from None
        return found

    return exchange(call.request, read, policy)


def get(path: str, result: Any, **query: object) -> Call[Any]:
    """Reads."""
    return Call(Request("GET", path, given(query), repeatable=True), result)


def delete(path: str) -> Call[None]:
    """Ends something; it stays ended when asked twice."""
    return Call(Request("DELETE", path, repeatable=True), None)


def put(path: str, body: dict[str, Any], result: Any) -> Call[Any]:
    """Says how something is to be."""
    return Call(Request("PUT", path, body=encoded(body), repeatable=True), result)


def post(path: str, body: dict[str, Any], result: Any, *, repeatable: bool = False) -> Call[Any]:
    """Makes something that has no idempotency key, and so is asked for again only where that is safe."""
    return Call(Request("POST", path, body=encoded(body), repeatable=repeatable), result)


def move(path: str, body: dict[str, Any], result: Any, key: str | None) -> Call[Any]:
    """Moves or promises money, once for `key`: a fresh one where none is given, the same on every retry."""
    headers = {"Idempotency-Key": str(uuid.uuid4()) if key is None else visible(key)}
    return Call(Request("POST", path, body=encoded(body), headers=headers, repeatable=True), result)


def visible(key: str) -> str:
    """A key as a header can carry it; ValueError for any other text: it would arrive as another."""
    if not 0 < len(key) <= 255 or not key.isascii() or not key.isprintable() or key != key.strip():
        raise ValueError("an idempotency key has 1 to 255 printable ASCII characters, and no space at its ends")
    return key


def part(text: str) -> str:
    """A caller's text as one part of a path. An empty one would be another address, and so would dots."""
    if not isinstance(text, str) or not text.strip("."):
        raise ValueError("this id is empty")
    return quote(text, safe="")


def units(amount: int | None) -> int | None:
    """An amount as it is sent; TypeError for anything but an integer, because a float is not exact."""
    if amount is not None and type(amount) is not int:
        raise TypeError("amounts are integers of the asset's smallest unit")
    return amount


def decimal(value: str | Decimal | int | None) -> str | None:
    """An exact decimal as it is sent; TypeError for a float."""
    if value is None or isinstance(value, str):
        return value
    if type(value) is int or isinstance(value, Decimal):
        return f"{Decimal(value):f}"
    raise TypeError("prices are exact: give a string or a Decimal")


def given(values: dict[str, Any]) -> dict[str, str]:
    """A query of what is not None."""
    return {name: str(value) for name, value in values.items() if value is not None}


def encoded(body: dict[str, Any]) -> bytes:
    """A body without what is None."""
    return msgspec.json.encode({name: value for name, value in body.items() if value is not None})
