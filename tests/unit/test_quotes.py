"""A body whose quotes are no more than its value needs has no member twice: held against reading every member."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw, Struct

from farebox.errors import Problem
from farebox.http import strict
from farebox.http.native import wire
from farebox.http.quotes import fewest_quotes
from farebox.http.strict import Reader

MEMBERS = ("session_token", "grant", "model", "usage", "amount", "asset")
TEXTS = st.sampled_from(["", "a", "ABC", 'a"b', "\\", "é", "ps_1"])
COUNTS = st.sampled_from([0, 1, 7])
USAGE = st.lists(
    st.tuples(st.sampled_from(["input_tokens", "calls"]), COUNTS)
    | st.tuples(st.just("units"), st.lists(st.tuples(st.sampled_from(["a", "b"]), COUNTS), max_size=2)),
    max_size=3,
)
BODIES = st.lists(st.tuples(st.sampled_from(MEMBERS), TEXTS | COUNTS | st.none() | USAGE), max_size=5)


class Nothing(Struct):
    """A body of which nothing is read."""


class Anything(Struct):
    """A body that may hold anything."""

    metadata: dict[str, Any]


def text(value: Any) -> str:
    """JSON, with lists of pairs as objects: in those, a member can stand twice."""
    if isinstance(value, list):
        return "{" + ",".join(f"{json.dumps(name)}: {text(inner)}" for name, inner in value) + "}"
    return json.dumps(value)


@given(BODIES)
@settings(max_examples=1000, deadline=None)
def test_quotes_tell_no_body_fit_in_which_a_member_stands_twice(members: list[tuple[str, Any]]) -> None:
    body = text(members).encode()
    try:
        value = Reader(wire.NewCharge).read(body)
    except Problem:
        return
    strict._refuse_doubles(body)
    assert fewest_quotes(value) <= body.count(b'"')


class Loose(Struct):
    name: str = ""
    count: int = 0
    inner: Raw = Raw(b"null")


@pytest.mark.parametrize(
    ("body", "fewest"),
    [
        (b"{}", 0),
        (b'{"name": "a"}', 4),
        (b'{"name": "a", "name": ""}', 0),
        (b'{"count": 1, "count": 1}', 2),
        (b'{"name": "\\"", "count": 2}', 6),
        (b'{"other": "a"}', 0),
        (b'{"inner": -1.5e3}', 2),
        (b'{"inner": 1, "inner": 2}', 2),
    ],
)
def test_the_fewest_quotes_of_a_value(body: bytes, fewest: int) -> None:
    assert fewest_quotes(Reader(Loose)._decoder.decode(body)) == fewest


def test_what_was_not_looked_at_is_never_told_fit() -> None:
    assert fewest_quotes(Loose(inner=Raw(b'{"a": 1, "a": 2}'))) < 0
    with pytest.raises(Problem):
        Reader(Loose).read(b'{"inner": {"a": 1, "a": 2}}')


@pytest.mark.parametrize("kind", [Nothing, Anything])
def test_a_body_nested_however_deep_is_read_or_refused(kind: type[Struct]) -> None:
    """Just before the decoder refuses it as too deep, it can be too deep for who looks at it afterwards."""
    refused = set()
    for depth in (*range(400, 900, 50), *range(900, 1010)):
        nested = "[" * depth + '"\\u0000"' + "]" * depth
        with pytest.raises(Problem) as problem:
            Reader(kind).read(f'{{"metadata": {{"a": {nested}}}}}'.encode())
        refused.add(problem.value.status)
    assert refused == {400, 422}
