"""Runs inside published clients' own environment: the programs it is told on stdin, one JSON line each.

    {"run": PROGRAM, "with": {…}}

Names live on from one program to the next. Answers one JSON line a program: what it left in `answer`, or what was
raised. It knows nothing of Farebox.
"""

import contextlib
import io
import json
import sys


def plain(value):
    """Something that JSON can hold."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def told(error):
    """An exception: its class, those above it, its text and its fields."""
    fields = {name: value for name, value in vars(error).items() if isinstance(value, str | int | float | list | dict)}
    names = [kind.__name__ for kind in type(error).__mro__ if kind not in (Exception, BaseException, object)]
    return {"raised": names[0], "is": names, "text": str(error), "fields": fields}


def main():
    """Until stdin ends."""
    names = {}
    for line in sys.stdin:
        command = json.loads(line)
        names |= command["with"] | {"answer": None}
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(command["run"], names)  # what the test wrote
            answer = {"returned": plain(names["answer"])}
        except Exception as error:
            answer = told(error)
        print(json.dumps(answer | {"printed": printed.getvalue()}), flush=True)  # noqa: T201


main()
