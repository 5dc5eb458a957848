"""What nobody expected: told with the id under which the log has it."""

from structlog.testing import capture_logs

from farebox.errors import NotFound
from farebox.http.problem import problem_document, problem_of, request_id


def test_what_breaks_is_found_in_the_log_by_what_is_told() -> None:
    with capture_logs() as logged:
        problem = problem_of(ZeroDivisionError("secret"), "/v1/wallets")
    told = problem_document(problem, request_id(problem))
    assert told["request_id"] == logged[0]["request_id"]
    assert told["request_id"] in told["detail"], "pages and dialects have nothing but that"
    assert "secret" not in str(told)


def test_other_problems_have_an_id_of_their_own() -> None:
    problem = NotFound("there is no such thing")
    assert request_id(problem) != request_id(problem)
