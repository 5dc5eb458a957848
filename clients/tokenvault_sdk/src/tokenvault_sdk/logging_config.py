"""Logs of the SDK: one logger, `tokenvault_sdk`, with the context of each record."""

import logging
import sys
from typing import Any

CONTEXT = {
    "organization_id": "org_id",
    "user_id": "user_id",
    "profile_id": "profile_id",
    "balance": "balance",
    "cached": "cached",
    "latency_ms": "latency_ms",
    "model": "model",
    "total_tokens": "tokens",
}
"""Members of a record's context, and how they are called in a line."""

_DATES = "%Y-%m-%d %H:%M:%S"


class ContextFilter(logging.Filter):
    """Gives every record the members of the context, None where it has none."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets everything pass."""
        for name in CONTEXT:
            if not hasattr(record, name):
                setattr(record, name, None)
        return True


class StructuredFormatter(logging.Formatter):
    """A line a record: time, level, logger, message, context. What others sent starts no line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told = [(label, getattr(record, name, None)) for name, label in CONTEXT.items()]
        context = ", ".join(f"{label}={value}" for label, value in told if value not in (None, ""))
        parts = [f"[{self.formatTime(record, self.datefmt)}]", f"[{record.levelname}]", f"[{record.name}]"]
        line = " ".join([*parts, record.getMessage(), *([f"[{context}]"] if context else [])])
        line = line.replace("\r", "\\r").replace("\n", "\\n")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_logging(level: str = "INFO", format_style: str = "structured", stream: Any = None) -> None:
    """Logs to `stream` (standard output unless it is named), `structured` or `simple`, from `level` on."""
    logger = logging.getLogger("tokenvault_sdk")
    handler = logging.StreamHandler(sys.stdout if stream is None else stream)
    if format_style == "structured":
        handler.setFormatter(StructuredFormatter(datefmt=_DATES))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s", _DATES))
    handler.addFilter(ContextFilter())
    logger.handlers.clear()
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


def get_logger(name: str) -> logging.Logger:
    """The logger of a part of the SDK."""
    return logging.getLogger(f"tokenvault_sdk.{name}")
