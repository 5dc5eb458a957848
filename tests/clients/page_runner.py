"""Runs programs of a page, each in names of its own; tells what each printed and raised. Knows nothing of Farebox.

page_runner.py    reads [[program, …], …] on stdin: parts of one program run one after the other in the same names
"""

import ast
import asyncio
import contextlib
import io
import json
import sys
import traceback
import warnings
from typing import Any


def run(parts: list[str]) -> dict[str, Any]:
    """Output, and the names of what was raised, from the class up."""
    names: dict[str, Any] = {"__name__": "__page__"}
    with contextlib.redirect_stdout(io.StringIO()) as output, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for part in parts:
                code = compile(part, "page", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                if code.co_flags & 0x80:  # a coroutine: it awaits at its top
                    asyncio.run(eval(code, names))  # what a page shows
                else:
                    exec(code, names)
        except BaseException as error:
            raised = [kind.__name__ for kind in type(error).__mro__]
            return {"printed": output.getvalue(), "raised": raised, "trace": traceback.format_exc()}
    return {"printed": output.getvalue(), "raised": [], "trace": ""}


if __name__ == "__main__":
    print(json.dumps([run(parts) for parts in json.load(sys.stdin)]))  # noqa: T201
