"""What a chat service is used for: requests of our own making, or those of a recorded trace."""

import csv
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

MODELS = {
    "gpt-4o-mini": 40,
    "claude-haiku-4-5": 20,
    "gemini-2.5-flash": 15,
    "gpt-4o": 15,
    "claude-sonnet-4-5": 10,
}
"""Models of the default price book, and how many of a hundred requests go to each."""
TRACE_MODEL = "gpt-4o"
"""A trace names no model."""


class Request(Struct, frozen=True):
    """One request to a model, in tokens."""

    model: str
    input_tokens: int
    output_tokens: int


class BadTrace(ValueError):
    """A file that is no trace; the text says where and why."""


def made_up(seed: int = 1) -> Iterator[Request]:
    """Requests without end: many short, few very long, as chats are. The same seed gives the same ones."""
    dice = random.Random(seed)
    names, weights = list(MODELS), list(MODELS.values())
    while True:
        model = dice.choices(names, weights)[0]
        yield Request(model, 1 + int(dice.lognormvariate(6.6, 0.9)), 1 + int(dice.lognormvariate(5.2, 0.8)))


def traced(path: Path) -> Iterator[Request]:
    """The requests of a trace (CSV with the columns ContextTokens and GeneratedTokens), again and again."""
    requests = list(read_trace(path))
    if not requests:
        raise BadTrace(f"{path} has no requests")
    return itertools.cycle(requests)


def read_trace(path: Path) -> Iterator[Request]:
    """The requests of a trace, in order; raises BadTrace."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not {"ContextTokens", "GeneratedTokens"} <= set(rows.fieldnames or ()):
                raise BadTrace(f"{path} needs the columns ContextTokens and GeneratedTokens")
            for row in rows:
                yield Request(
                    TRACE_MODEL, _count(path, rows, row["ContextTokens"]), _count(path, rows, row["GeneratedTokens"])
                )
    except OSError as error:
        raise BadTrace(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadTrace(f"{path} is no text") from None


def _count(path: Path, rows: "csv.DictReader[str]", text: str | None) -> int:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise BadTrace(f"{path}, line {rows.line_num}: a number of tokens is missing")
    return int(text)
