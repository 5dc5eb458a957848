"""Errors of the clients go whole from a pool's process to the one that waits: else it would wait for ever."""

import copy
import pickle

import pytest

from farebox.client import errors
from syft_accounting_sdk import ServiceException

PROBLEM = {"code": "insufficient_balance", "detail": "The wallet does not hold enough", "available": 5, "id": "ch_1"}
WRONG = {**PROBLEM, "errors": [{"field": "amount", "message": "Expected `int` >= 1"}]}


@pytest.mark.parametrize(
    "error",
    [
        errors.FareboxError("something"),
        errors.Unreachable("no answer in time", maybe_done=True, timed_out=True),
        errors.BadAnswer("a page", 502),
        errors.NoUsage(),
        errors.Problem(418, PROBLEM),
        *(kind(status, WRONG, 1.5) for status, kind in errors.OF_STATUS.items()),
        ServiceException(402, {"message": "not enough", "code": "insufficient_balance"}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_the_same_in_another_process(error: Exception) -> None:
    for found in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(found) is type(error)
        assert (str(found), found.args, vars(found)) == (str(error), error.args, vars(error))
