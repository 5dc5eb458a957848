"""What a form of the console has to pass before it acts: what will happen was shown, the reason was given, once."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response
from msgspec import Struct

from farebox.errors import Conflict, Invalid
from farebox.http.web.console.given import Desk
from farebox.http.web.forms import Form
from farebox.http.web.render import page
from farebox.services import Services

_OURS = ("csrf", "confirmed", "reason")
REASON_CHARACTERS = 200


class Act(Struct, frozen=True):
    """What is about to be done, in the words of whoever is about to do it; `back` is where "no" leads."""

    title: str
    effects: Sequence[str]
    verb: str
    back: str
    grave: bool = True


def unconfirmed(request: Request[Any, Any, Any], desk: Desk, form: Form, act: Act) -> Response[bytes] | None:
    """The page that says what will happen and asks for the reason; None where it was shown and answered."""
    reason = form.text("reason", REASON_CHARACTERS)
    answered = form.text("confirmed") == "yes"
    if answered and reason:
        return None
    error = "Say why: it stands in the log." if answered else None
    fields = {name: value for name, value in form.fields.items() if name not in _OURS}
    told = {"act": act, "fields": fields, "reason": reason, "path": request.url.path, "error": error}
    return page("console/confirm.html", 422 if error else 200, desk=desk, **told)


def reason_of(form: Form) -> str:
    """Why; it stands in the log, and in the books where money moves. Raises Invalid."""
    reason = form.text("reason", REASON_CHARACTERS)
    if not reason:
        raise Invalid.field("reason", "say why: it stands in the log")
    return reason


async def once(services: Services, form: Form) -> None:
    """Raises Conflict for a form that was acted on before."""
    if not await services.sent_forms.first(form.key()):
        raise Conflict("this form was sent before, and what it asks for is done: go back to look at it", "sent_before")
