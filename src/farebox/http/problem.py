"""Problem as `application/problem+json` (RFC 9457): type, title, status, detail, code, request_id, errors."""

import itertools
import secrets
from typing import Any

import msgspec
import structlog

from farebox.db.pool import AWAY
from farebox.errors import Busy, Internal, Problem

DOCS = "/docs#"
log = structlog.get_logger()
_ids = itertools.count(1)
_prefix = f"req_{secrets.token_hex(5)}"


def problem_of(error: Exception, path: str) -> Problem:
    """Any exception as a problem. One that nobody expected is logged, and shown as nothing but that."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, AWAY):
        log.warning("http.database_away", path=path, error=type(error).__name__)
        return Busy("the database does not answer: try again", "database_away", retry_after_s=1)
    found = Internal("")
    found.logged_as = request_id(found)
    found.detail = f"something broke on our side: the log has it as {found.logged_as}"
    log.error("http.unexpected", path=path, request_id=found.logged_as, exc_info=error)
    return found


def request_id(problem: Problem) -> str:
    """The id under which a problem is told: the log's, where it stands there, else a fresh one.

    It is random for the process, and counted within it.
    """
    return problem.logged_as or f"{_prefix}{next(_ids):08x}"


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
