"""Tells a package's public surface as JSON. Runs in any environment and knows nothing of Farebox.

surface.py MODULE MODULE …
"""

import enum
import importlib
import inspect
import json
import sys
from typing import Any

NOT_OFFERED = ("builtins", "enum", "pydantic")
"""Packages of classes whose members are nothing that a package offers, though its own classes have them."""
PLAIN = (str, int, float, bool, type(None), tuple, list, dict)


def parameters(called: Any) -> Any:
    """Name, kind and default of each parameter; a default as text, None where there is none."""
    try:
        signature = inspect.signature(called)
    except ValueError:  # of an exception without a constructor of its own
        return []
    return [
        [name, found.kind.name, None if found.default is found.empty else repr(found.default)]
        for name, found in signature.parameters.items()
        if name not in ("self", "cls")
    ]


def kind_of(found: Any) -> Any:
    """A class: those above it, what it can do, what it holds."""
    package = found.__module__.partition(".")[0]
    own = [base for base in found.__mro__ if base.__module__.partition(".")[0] in (package, "builtins")]
    told: Any = {"is": [base.__name__ for base in own], "members": {}}
    if not issubclass(found, enum.Enum):
        told["made"] = parameters(found)
    for name, member in inspect.getmembers(found):
        owner = next((base for base in found.__mro__ if name in vars(base)), found)
        if name.startswith(("_", "model_")) or owner.__module__.partition(".")[0] in NOT_OFFERED:
            continue
        if inspect.isroutine(member):
            told["members"][name] = {"called": parameters(member), "awaited": inspect.iscoroutinefunction(member)}
        elif isinstance(member, enum.Enum):
            told["members"][name] = {"value": repr(member.value)}
        elif isinstance(member, PLAIN):
            told["members"][name] = {"value": repr(member)}
        else:
            told["members"][name] = {}
    return told


def surface(name: str) -> Any:
    """A module's public names that are its package's own."""
    module = importlib.import_module(name)
    package = name.partition(".")[0]
    told = {}
    for public, found in inspect.getmembers(module):
        if public.startswith("_") or inspect.ismodule(found):
            continue
        own = getattr(found, "__module__", package) or package
        if own.partition(".")[0] != package:
            continue
        if module.__name__ != package and own != name and not isinstance(found, PLAIN):
            continue  # imported for itself: its own module offers it
        if inspect.isclass(found):
            told[public] = kind_of(found)
        elif inspect.isroutine(found):
            told[public] = {"called": parameters(found), "awaited": inspect.iscoroutinefunction(found)}
        elif isinstance(found, PLAIN):
            told[public] = {"value": repr(found)}
    return told


if __name__ == "__main__":
    print(json.dumps({name: surface(name) for name in sys.argv[1:]}))  # noqa: T201
