"""Farebox: a self-hosted fare box for AI services."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farebox.client import AsyncFarebox, Farebox, FareboxError, Policy, Usage, connection_code

__version__ = "0.1.0"

__all__ = ["AsyncFarebox", "Farebox", "FareboxError", "Policy", "Usage", "connection_code"]


def __getattr__(name: str) -> Any:
    """The client, where it is asked for: the server, which is in this package too, does not need it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from farebox import client

    return getattr(client, name)
