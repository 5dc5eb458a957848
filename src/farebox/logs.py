"""Logging: one line an event, for people or for machines; secrets and control characters never pass."""

import contextlib
import io
import logging
import re
import sys
from typing import Any

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from farebox.settings import Settings

_SECRET = re.compile(
    r"((?:pk_(?:live|test)|ok_live|fbx_admin)_)[0-9A-Za-z_-]{8,}|((?:ps|dt|ws)_)[0-9A-Fa-f]{8,}", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*:)\S*@")
_OF_LINES = ("exception", "stack")
"""What has lines of its own: tracebacks."""

_tracebacks = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
"""Without the values of variables: they are what callers have sent."""


class _Output(io.StringIO):
    """Standard error, where a line that can't be written is lost, and nothing else.

    No charge fails because a disk is full or a terminal is gone.
    """

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


def configure(settings: Settings) -> None:
    """Sets up logging for this process; uvicorn's own lines take the same way."""
    last: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tracebacks if settings.log_format == "json" else structlog.processors.format_exc_info,
        clean,
    ]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.PrintLoggerFactory(_Output()),
    )
    handler = logging.StreamHandler(_Output())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, getattr(logging, settings.log_level.upper())))


def clean(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Cuts secrets out and escapes control characters in everything that is logged."""
    return {
        _cleaned(name): value if name.startswith("_") else _cleaned(value, lines=name in _OF_LINES)
        for name, value in event.items()
    }


def _cleaned(value: Any, *, lines: bool = False) -> Any:
    if isinstance(value, (int, float, type(None))):
        return value
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(inner, lines=lines) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(inner, lines=lines) for inner in value]
    text = value if isinstance(value, str) else repr(value)
    return escape(_URL_PASSWORD.sub(r"\1…@", _SECRET.sub(r"\1\2…", text)), lines=lines)


def escape(text: str, *, lines: bool = False) -> str:
    """The text with control characters as escapes: it can't steer a terminal, nor, without `lines`, start a line."""
    return "".join(
        char if char.isprintable() or (lines and char == "\n") else char.encode("unicode_escape").decode()
        for char in text
    )
