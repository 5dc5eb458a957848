"""How many quotes a JSON text needs: where a body has no more than its value needs, no member stood twice in it."""

import functools
from typing import Any

from msgspec import NODEFAULT, Raw, Struct, structs

_CANT_BE_TOLD = -(10**9)
"""What no number of quotes makes up for."""
_PLAIN = frozenset(bytes((first,)) for first in b"-0123456789tfn")
"""What numbers, true, false and null begin with."""
_NO_QUOTES = frozenset((int, bool, type(None)))


def fewest_quotes(value: Any) -> int:
    """The quotes of the shortest JSON text that is read as `value`; below zero where that can't be told.

    A member that has its default need not be there. Each other member was there once at least, and everything that was
    there besides it, be it the same member again, has quotes of its own.
    """
    kind = type(value)
    if kind is str:
        return 2
    if kind in _NO_QUOTES:
        return 0
    if kind is dict:
        return sum(2 + fewest_quotes(inner) for inner in value.values())
    if kind is list:
        return sum(fewest_quotes(inner) for inner in value)
    if kind is Raw and bytes(value)[:1] in _PLAIN:
        return 0
    if not isinstance(value, Struct):
        return _CANT_BE_TOLD  # above all other Raw, in which nothing was looked at
    quotes = 0
    for name, default, like_it in _fields(type(value)):
        inner = getattr(value, name)
        if inner is default or (like_it and inner == default):
            continue
        quotes += 4 if type(inner) is str else 2 if type(inner) is int else 2 + fewest_quotes(inner)
    return quotes


@functools.cache
def _fields(kind: type[Struct]) -> tuple[tuple[str, Any, bool], ...]:
    """The members of a struct, with what each is where it is not given, and whether another can be like that."""
    if kind.__struct_config__.array_like:
        raise TypeError(f"{kind.__name__} is no object")
    defaults = ((field.name, _default(field)) for field in structs.fields(kind))
    return tuple((name, default, default is not None and default is not NODEFAULT) for name, default in defaults)


def _default(field: structs.FieldInfo) -> Any:
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    return field.default  # NODEFAULT, which no value is, for what has to be given
