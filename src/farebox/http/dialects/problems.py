"""Problems as a dialect's clients know them, where the framework answers."""

from collections.abc import Callable, Iterable
from typing import Any

from litestar import Request, Response

from farebox.errors import Problem
from farebox.http.problem import retry_after

Shape = Callable[[Problem], tuple[int, bytes]]
"""Status and body of a problem, as a dialect has them."""
Headers = Iterable[tuple[bytes, bytes]]


def _none(status: int) -> Headers:
    """No header but what every answer has."""
    return ()


def problem_writer(
    shape: Shape, headers_of: Callable[[int], Headers] = _none
) -> Callable[[Request[Any, Any, Any], Problem], Response[bytes]]:
    """What writes problems in a shape; `headers_of` a status are its own, beside Retry-After."""

    def write(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
        status, body = shape(problem)
        headers = {name.decode(): value.decode() for name, value in (*retry_after(problem), *headers_of(status))}
        return Response(body, status_code=status, media_type="application/json", headers=headers)

    return write
