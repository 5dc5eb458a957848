"""Runs inside a published client's own environment: makes the calls it is told on stdin, one JSON line each.

    driver.py MODULE CLASS    then    {"make": {…}}    then    {"call": NAME, "with": {…}}    …

Answers one JSON line a call: what was returned, or what was raised, and the warnings. It knows nothing of Farebox.
"""

import base64
import importlib
import io
import json
import sys
import warnings


def plain(value):
    """Something that JSON can hold."""
    if hasattr(value, "qr_image") and hasattr(value, "qr_data"):
        picture = io.BytesIO()
        value.qr_image.save(picture, format="PNG")
        return {
            "qr_data": value.qr_data,
            "qr_base64": value.qr_base64,
            "qr_image": base64.b64encode(picture.getvalue()).decode(),
        }
    return value.to_dict() if hasattr(value, "to_dict") else value


def told(error):
    """An exception: its class, those above it, its text and its fields."""
    fields = {name: value for name, value in vars(error).items() if isinstance(value, str | int | float | list | dict)}
    names = [kind.__name__ for kind in type(error).__mro__ if kind not in (Exception, BaseException, object)]
    return {"raised": names[0], "is": names, "text": str(error), "fields": fields}


def main():
    """Until stdin ends."""
    made = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])
    client = None
    for line in sys.stdin:
        command = json.loads(line)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            try:
                if "make" in command:
                    client = made(**command["make"])
                    answer = {"returned": None}
                else:
                    answer = {"returned": plain(getattr(client, command["call"])(**command["with"]))}
            except Exception as error:
                answer = told(error)
        answer["warnings"] = [str(warning.message) for warning in heard]
        print(json.dumps(answer), flush=True)  # noqa: T201


main()
