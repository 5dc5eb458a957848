"""Usage records that wait for a price, an organization or a person: dismissed by their kind, and taken up again."""

from typing import Any

from litestar import Request, Response, post

from farebox.errors import NotFound
from farebox.http.depends import TheServices
from farebox.http.web.console.acts import Act, reason_of, unconfirmed
from farebox.http.web.console.given import TheDesk
from farebox.http.web.console.ingestion import ingest_of
from farebox.http.web.forms import Form
from farebox.http.web.render import to
from farebox.identity.service import note
from farebox.ingest.book import Books
from farebox.ingest.types import Kind

_BACK = "/console/ingestion"


@post("/console/waiting/dismiss")
async def dismiss_waiting(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    form = await desk.form(request)
    books, kind = ingest_of(services).books, _kind(form)
    effects = [
        f"{await _records(books, kind, dismissed=False)} wait no longer: what was used stays unpaid, "
        "also when there is a price or such an organization later.",
        "They are kept, and can be taken up again. Those that come after this wait anew.",
    ]
    asked = unconfirmed(request, desk, form, Act("Dismiss what waits", effects, "Dismiss it", _BACK))
    if asked is None and (done := await books.dismiss(kind)):
        await note(services.pool, desk.actor, "usage.dismiss", _subject(kind), records=done, reason=reason_of(form))
    return asked or to(_BACK)


@post("/console/waiting/resume")
async def resume_waiting(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    form = await desk.form(request)
    books, kind = ingest_of(services).books, _kind(form)
    effects = [
        f"{await _records(books, kind, dismissed=True)} wait again.",
        "They are booked as soon as there is a price and such an organization; as debt, where credits do not suffice.",
    ]
    asked = unconfirmed(request, desk, form, Act("Take usage up again", effects, "Take it up", _BACK, grave=False))
    if asked is None and (done := await books.resume(kind)):
        await note(services.pool, desk.actor, "usage.resume", _subject(kind), records=done, reason=reason_of(form))
    return asked or to(_BACK)


def _kind(form: Form) -> Kind:
    return Kind(*(form.fields.get(name, "") for name in ("waits_for", "model", "organization")))


def _subject(kind: Kind) -> str:
    return f"{kind.organization_id}/{kind.model}"


async def _records(books: Books, kind: Kind, *, dismissed: bool) -> str:
    """What is meant, in words; raises NotFound for none."""
    found = await books.count(kind, dismissed=dismissed)
    if not found:
        raise NotFound("nothing like that was dismissed" if dismissed else "nothing like that waits any more")
    records = "1 record" if found == 1 else f"{found:,} records"
    return f"{records} of model “{kind.model}” for organization “{kind.organization_id}”"
