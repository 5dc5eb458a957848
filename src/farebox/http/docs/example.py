"""What an example of a call is made of."""

import json
from typing import Any

from msgspec import Struct


class Example(Struct, frozen=True):
    """A call as somebody would make it."""

    operation: str
    path: str
    body: Any = None
    key: str | None = "ADMIN_KEY"
    """The variable that holds the bearer key, where it takes one."""
    idempotency_key: str | None = None
    keeps: tuple[tuple[str, str], ...] = ()
    """Variables, and the member of the answer that each is set to; `a.b` is a member's member."""
    headers: tuple[str, ...] = ()
    """Headers of its own."""
    user: str | None = None
    """Name and password, where it takes these."""
    streams: bool = False
    """Whether the answer comes as it happens, and does not end."""

    def curl(self, method: str) -> str:
        """The call as a shell command."""
        implied = "GET" if self.body is None else "POST"
        curl = "curl" if method == implied else f"curl -X {method}"
        curl += " -N" if self.streams else ""
        person = [] if self.user is None else [f'-u "{self.user}"']
        headers = [] if self.key is None or person else [f"Authorization: Bearer ${self.key}"]
        headers += self.headers
        if self.idempotency_key is not None:
            headers.append(f"Idempotency-Key: {self.idempotency_key}")
        if self.body is not None:
            headers.append("Content-Type: application/json")
        parts = [f'{curl} "$FAREBOX{self.path}"', *person, *(f'-H "{header}"' for header in headers)]
        if self.body is None:
            return _lines(parts)
        return _lines([*parts, "-d @- <<END"]) + f"\n{_json(self.body)}\nEND"


def _lines(parts: list[str]) -> str:
    return " \\\n  ".join(parts)


def _json(body: Any) -> str:
    short = json.dumps(body)
    return short if len(short) <= 60 else json.dumps(body, indent=2)
