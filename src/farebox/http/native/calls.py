"""The native calls that are answered before the framework: who asks, under which key, for what."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from farebox.errors import Problem
from farebox.http import edge
from farebox.http.access import Access, bearer
from farebox.http.headers import ALWAYS, PRIVATE
from farebox.http.native.may import May
from farebox.http.problem import problem_body, request_id, retry_after
from farebox.http.strict import Reader
from farebox.identity.types import WRITE, Principal

D = TypeVar("D")
Act = Callable[[Principal, str, D, str], Coroutine[Any, Any, edge.Answer]]
"""Does what the caller asks under an idempotency key, at a path; raises Problem where the ledger was not asked."""

GUARDED = tuple((name.encode(), value.encode()) for name, value in (ALWAYS | PRIVATE).items())
"""What the framework's answers carry, for those that come without it."""
REPLAYED = ((b"idempotent-replayed", b"true"),)
_AUTHENTICATE = ((b"www-authenticate", b"Bearer"),)


def route(access: Access, limit: int, reader: Reader[D], act: Act[D], may: May, *more: edge.Header) -> edge.Route:
    """A call that the ledger checks the caller's API key for. `more` stands in the head of every problem."""

    async def call(request: edge.Request) -> edge.Answer:
        known = None
        try:
            known = access.known_by(request, secret_of, WRITE)
            principal = known or await access.principal(secret_of(request.headers), request.address, WRITE)
            may(principal)
            key = edge.idempotency_key(request.headers.get(b"idempotency-key"), required=True) or ""
            data = reader.read(edge.whole_body(request, limit) or await edge.body_of(request, limit))
            answer = await act(principal, key, data, request.path)
        except Exception as error:
            secret = secret_of(request.headers)
            problem = await access.problem(error, request, secret, from_memory=known is not None)
            return answered_problem(problem, *more)
        request.seen.principal = principal
        return answer

    return call


def secret_of(headers: dict[bytes, bytes]) -> str | None:
    """The API key that a request came with."""
    return bearer(edge.text(headers.get(b"authorization")))


def answered_problem(problem: Problem, *more: edge.Header) -> edge.Answer:
    """A problem in our own shape."""
    name = request_id(problem)
    headers = [
        (b"x-request-id", name.encode()),
        *retry_after(problem),
        *(_AUTHENTICATE if problem.status == 401 else ()),
        *more,
    ]
    return edge.Answer(problem.status, problem_body(problem, name), headers, edge.PROBLEM_JSON)
