"""Logging: one line an event, for people or for machines; secrets and control characters never pass."""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from farebox.settings import Settings

_SECRET = re.compile(r"\b((?:pk_(?:live|test)_[a-z0-9-]+|ok_live|fbx_admin|ps)_)[0-9A-Za-z]{8,}")
_URL_PASSWORD = re.compile(r"(://[^:/@\s]+:)[^@\s]+@")


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
        structlog.processors.dict_tracebacks if settings.log_format == "json" else structlog.processors.format_exc_info,
        clean,
    ]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
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
    return {name: _cleaned(value) for name, value in event.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return escape(_URL_PASSWORD.sub(r"\1…@", _SECRET.sub(r"\1…", value)))
    if isinstance(value, dict):
        return {name: _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(inner) for inner in value]
    return value


def escape(text: str) -> str:
    """The text with control characters as escapes, so that it can't steer a terminal; newlines of tracebacks stay."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text
    )
