"""Problem as `application/problem+json` (RFC 9457): type, title, status, detail, code, request_id, errors."""

from typing import Any

import msgspec
import structlog

from farebox.db.pool import AWAY
from farebox.errors import Busy, Internal, Problem

DOCS = "/docs#"
log = structlog.get_logger()


def problem_of(error: Exception, path: str) -> Problem:
    """Any exception as a problem. One that nobody expected is logged, and shown as nothing but that."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, AWAY):
        log.warning("http.database_away", path=path, error=type(error).__name__)
        return Busy("the database does not answer: try again", "database_away", retry_after_s=1)
    log.error("http.unexpected", path=path, exc_info=error)
    return Internal("something broke on our side; the request id helps us to find it")


def problem_body(problem: Problem, request_id: str) -> bytes:
    """The body of an error answer."""
    return msgspec.json.encode(problem_document(problem, request_id))


def problem_document(problem: Problem, request_id: str) -> dict[str, Any]:
    """The members of an error answer."""
    document: dict[str, Any] = {
        "type": DOCS + problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
    }
    if problem.errors:
        document["errors"] = problem.errors
    return document | problem.extra


def retry_after(problem: Problem) -> list[tuple[bytes, bytes]]:
    """The Retry-After header, where the problem knows when to come back."""
    return [] if problem.retry_after_s is None else [(b"retry-after", b"%d" % problem.retry_after_s)]
