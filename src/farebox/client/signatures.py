"""Signatures of methods that are made from functions, so that `help` and editors show what to pass."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def as_method(method: F, make: Callable[..., Any]) -> F:
    """`method` with the name, the docstring and the parameters of `make`, after its `self`."""
    functools.update_wrapper(method, make)
    found = inspect.signature(make)
    self = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__signature__ = found.replace(  # type: ignore[attr-defined]  # what inspect looks at first
        parameters=[self, *found.parameters.values()], return_annotation=inspect.Signature.empty
    )
    return method
