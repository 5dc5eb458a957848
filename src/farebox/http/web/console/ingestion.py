"""Ingestion: how far usage records are booked, what waits, and dead letters: read, sent again, or dismissed."""

import contextlib
from collections.abc import Iterator
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from farebox.errors import Busy, NotFound
from farebox.http.depends import TheServices
from farebox.http.web.console.acts import Act, once, reason_of, unconfirmed
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.render import page, to
from farebox.identity.service import note
from farebox.ingest.redis import AWAY
from farebox.ingest.service import Ingest
from farebox.ingest.stream import Letter
from farebox.services import Services

_SHOWN = 100


@get("/console/ingestion")
async def ingestion(services: TheServices, desk: TheDesk) -> Response[bytes]:
    told: dict[str, Any] = {"ingest": services.ingest, "letters": [], "parked": [], "dismissed": [], "away": False}
    if services.ingest is not None:
        told["parked"] = await services.ingest.books.parked(_SHOWN)
        told["dismissed"] = await services.ingest.books.parked(_SHOWN, dismissed=True)
        try:
            told["letters"] = await services.ingest.stream.letters(_SHOWN)
        except AWAY:
            told["away"] = True
    return page("console/ingestion.html", desk=desk, **told)


@get("/console/ingestion/{letter_id:str}")
async def letter(services: TheServices, desk: TheDesk, letter_id: FromPath[str]) -> Response[bytes]:
    return await _shown(desk, await _letter(services, letter_id))


@post("/console/ingestion/{letter_id:str}/retry")
async def retry(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, letter_id: FromPath[str]
) -> Response[Any]:
    """Puts a letter back on the stream, as it came. A record that was booked before is not booked again."""
    form = await desk.form(request)
    found = await _letter(services, letter_id)
    await once(services, form)
    with _redis():
        await ingest_of(services).stream.replay(found)
    await note(services.pool, desk.actor, "letter.retry", letter_id, reason=found.reason)
    return to("/console/ingestion")


@post("/console/ingestion/{letter_id:str}/dismiss")
async def dismiss(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, letter_id: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await _letter(services, letter_id)
    effects = [
        f"The record that was put aside because of “{found.reason}” is removed for good.",
        "It is never booked: what was used stays unpaid. What was in it stands in the log.",
    ]
    act = Act("Dismiss a dead letter", effects, "Dismiss it", f"/console/ingestion/{letter_id}")
    asked = unconfirmed(request, desk, form, act)
    if asked is not None:
        return asked
    with _redis():
        done = await ingest_of(services).stream.dismiss(found)
    if done:
        told = {"reason": reason_of(form), "because": found.reason, "record": plain(found)}
        await note(services.pool, desk.actor, "letter.dismiss", letter_id, **told)
    return to("/console/ingestion")


def plain(found: Letter) -> dict[str, str]:
    """A letter's fields as text."""
    return {_text(name): _text(value) for name, value in found.fields.items()}


def ingest_of(services: Services) -> Ingest:
    """What books the stream; raises NotFound on a server that books none."""
    if services.ingest is None:
        raise NotFound("this server books no stream")
    return services.ingest


@contextlib.contextmanager
def _redis() -> Iterator[None]:
    """Raises Busy where Redis is away."""
    try:
        yield
    except AWAY:
        raise Busy("Redis does not answer: try again in a moment", "redis_away", retry_after_s=2) from None


async def _letter(services: Services, letter_id: str) -> Letter:
    with _redis():
        found = await ingest_of(services).stream.letter(letter_id)
    if found is None:
        raise NotFound("there is no such dead letter")
    return found


async def _shown(desk: Desk, found: Letter) -> Response[bytes]:
    return page("console/letter.html", desk=desk, letter=found, fields_of=plain(found))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
