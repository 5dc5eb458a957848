"""A problem as bytes, in the shape of the API that was asked: for what is answered before the framework."""

from collections.abc import Callable

from farebox.errors import Problem
from farebox.http import edge
from farebox.http.dialects.conxa import answers as conxa_answers
from farebox.http.dialects.conxa import routes as conxa
from farebox.http.dialects.knai import answers as knai_answers
from farebox.http.dialects.knai import routes as knai
from farebox.http.dialects.syftbox import answers as syftbox_answers
from farebox.http.dialects.syftbox import routes as syftbox
from farebox.http.dialects.tokenvault import answers as tokenvault_answers
from farebox.http.dialects.tokenvault import routes as tokenvault
from farebox.http.dialects.x402tools import answers as x402tools_answers
from farebox.http.dialects.x402tools import routes as x402tools
from farebox.http.problem import problem_body, request_id, retry_after

Header = edge.Header

SHAPES: dict[str, Callable[[Problem], tuple[int, bytes]]] = {
    f"{conxa.PREFIX}/": conxa_answers.problem,
    f"{knai.PREFIX}/": knai_answers.problem,
    f"{syftbox.PREFIX}/": syftbox_answers.problem,
    f"{tokenvault.PREFIX}/": tokenvault_answers.problem,
    f"{x402tools.PREFIX}/": x402tools_answers.problem,
}


def written(problem: Problem, path: str) -> tuple[int, list[Header], bytes]:
    """Status, headers and body for a problem of a request to `path`."""
    for prefix, shape in SHAPES.items():
        if path.startswith(prefix):
            status, body = shape(problem)
            return status, [edge.JSON, *retry_after(problem)], body
    name = request_id(problem)
    headers = [edge.PROBLEM_JSON, (b"x-request-id", name.encode()), *retry_after(problem)]
    return problem.status, headers, problem_body(problem, name)
