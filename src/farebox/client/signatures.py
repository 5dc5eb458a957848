"""Signatures of methods that are made from functions, so that `help` and editors show what to pass."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def as_method(method: F, make: Callable[..., Any], *, leading: int = 0) -> F:
    """`method` with the name, the docstring and the parameters of `make`, after its `self`.

    The `leading` first ones are left out: the method gives them itself.
    """
    functools.update_wrapper(method, make)
    del method.__wrapped__  # type: ignore[attr-defined]  # it is called otherwise
    found = inspect.signature(make)
    self = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__signature__ = found.replace(  # type: ignore[attr-defined]  # what inspect looks at first
        parameters=[self, *list(found.parameters.values())[leading:]], return_annotation=inspect.Signature.empty
    )
    return method
