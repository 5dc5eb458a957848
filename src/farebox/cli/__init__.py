"""The command line: one file a noun."""

import os
import sys


def main() -> None:
    """Entry point of `farebox`."""
    _standard_streams()
    try:
        from farebox.cli.root import run
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"farebox: {error.name} is missing. The command needs the server's parts: pip install 'farebox[server]'"
        ) from None
    run()


def _standard_streams() -> None:
    """Opens those that were closed by whoever started this, on nothing: a socket would get their number, and with it
    what somebody prints."""
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            given = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            setattr(sys, name, os.fdopen(given, "r" if number == 0 else "w", encoding="utf-8"))
