"""Problem as `application/problem+json` (RFC 9457): type, title, status, detail, code, request_id, errors."""

from typing import Any

import msgspec

from farebox.errors import Problem

DOCS = "/docs#"


def problem_body(problem: Problem, request_id: str) -> bytes:
    """The body of an error answer."""
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
    return msgspec.json.encode(document | problem.extra)


def retry_after(problem: Problem) -> list[tuple[bytes, bytes]]:
    """The Retry-After header, where the problem knows when to come back."""
    return [] if problem.retry_after_s is None else [(b"retry-after", b"%d" % problem.retry_after_s)]
