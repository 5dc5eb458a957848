"""Envelopes: limits of a day, week, month or year; setting, changing and removing them."""

from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec import UNSET

from farebox import ids
from farebox.envelopes.types import Envelope, EnvelopeChange, NewEnvelope
from farebox.errors import Invalid, NotFound
from farebox.http.depends import TheServices
from farebox.http.native import wire
from farebox.http.native.scopes import scope_of
from farebox.http.web.console.acts import Act, once, reason_of, unconfirmed
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.console.paging import Number, cut
from farebox.http.web.forms import Form
from farebox.http.web.render import Typed, figure, page, to
from farebox.ids import NEWEST
from farebox.ledger.envelopes import Counts
from farebox.ledger.types import MAX_UNITS
from farebox.money import Asset
from farebox.services import Services
from farebox.windows import Period

_SHOWN = 200
KINDS = {
    "all": "everything",
    "wallet": "a wallet (its number)",
    "person": "a person (e-mail address)",
    "agent": "an agent (its name)",
    "grant": "a grant (gr_…)",
    "provider": "a provider (its slug)",
    "model": "a model (its name, as charges say it)",
    "": "nothing: only what is recorded on it",
}
_EVERY = {"daily": Period.DAILY, "weekly": Period.WEEKLY, "monthly": Period.MONTHLY, "yearly": Period.YEARLY}


@get("/console/envelopes")
async def envelopes(services: TheServices, desk: TheDesk, after: Number = NEWEST) -> Response[bytes]:
    return await _list(services, desk, before=after)


@post("/console/envelopes")
async def add_envelope(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    form = await desk.form(request)
    try:
        new = await _new(services, desk, form)
    except (Invalid, NotFound) as problem:
        return await _list(services, desk, problem.detail, 422, typed=form.fields)
    effects = [
        f"“{new.name}” lets {_limit(services, new.limit_units, new.asset)} through {new.period.value.lower()}.",
        "It applies to " + (KINDS[""] if new.scope is None else _attached(form)) + ", from now on.",
        "A charge that would pass it is refused. What was spent before is not counted.",
    ]
    asked = unconfirmed(request, desk, form, Act("Set a limit", effects, "Set it", "/console/envelopes"))
    if asked is not None:
        return asked
    await once(services, form)
    try:
        made = await services.envelopes.add(desk.actor, new, reason=reason_of(form))
    except Invalid as problem:
        return await _list(services, desk, problem.detail, 422, typed=form.fields)
    return to(_path(made))


@get("/console/envelopes/{number:str}")
async def envelope(services: TheServices, desk: TheDesk, number: FromPath[str]) -> Response[bytes]:
    return await _shown(services, desk, await desk.authority.envelope(number))


@post("/console/envelopes/{number:str}/change")
async def change_envelope(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, number: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await desk.authority.envelope(number)
    at = found.standing
    try:
        change = EnvelopeChange(
            name=form.text("name", 200) or UNSET,
            limit_units=_units(services, form, at.asset),
            period=_period(form),
            reset_day=_reset_day(form),
        )
        effects = [
            f"The limit becomes {_limit(services, _units(services, form, at.asset), at.asset)} "
            f"{_period(form).value.lower()}; it is {_limit(services, at.limit_units, at.asset)} "
            f"{at.period.value.lower()} now.",
            "This holds at once. What was used in the window of now stays used.",
        ]
        asked = unconfirmed(request, desk, form, Act("Change a limit", effects, "Change it", _path(found)))
        if asked is not None:
            return asked
        await once(services, form)
        await services.envelopes.change(desk.actor, found.id, change, reason=reason_of(form))
    except Invalid as problem:
        return await _shown(services, desk, found, problem.detail, 422)
    return to(_path(found))


@post("/console/envelopes/{number:str}/remove")
async def remove_envelope(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, number: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await desk.authority.envelope(number)
    effects = [
        f"“{found.standing.name}” limits nothing any more, at once.",
        "What it has counted stays in the journal; the limit itself can't be brought back.",
    ]
    asked = unconfirmed(request, desk, form, Act("Remove a limit", effects, "Remove it", _path(found)))
    if asked is None:
        await services.envelopes.delete(desk.actor, found.id, reason=reason_of(form))
    return asked or to("/console/envelopes")


async def _new(services: Services, desk: Desk, form: Form) -> NewEnvelope:
    kind, organization_id = form.text("kind", 20), form.text("organization", 64) or None
    if kind not in KINDS:
        raise Invalid.field("kind", "one of the choices")
    if organization_id is not None:
        await services.directory.organization(organization_id)
    counts = Counts.MONEY if form.text("asset", 12) else Counts.USAGE
    if counts is Counts.MONEY and not kind:
        raise Invalid.field("kind", "say what it applies to: money is counted by charges alone")
    if not kind and organization_id is None:
        raise Invalid.field("organization", "say whose: only an organization records usage itself")
    name = form.text("name", 200)
    if not name:
        raise Invalid.field("name", "say what it is called")
    asset = form.text("asset", 12) or None
    applies = wire.AppliesTo(kind, form.text("applies_to", 320) or None) if kind else None  # type: ignore[arg-type]  # one of KINDS
    return NewEnvelope(
        name=name,
        limit_units=_units(services, form, asset),
        period=_period(form),
        reset_day=_reset_day(form),
        zone=form.text("zone", 64) or None,
        counts=counts,
        asset=asset,
        organization_id=organization_id,
        scope=await scope_of(services, desk.authority, organization_id, applies),
    )


def _units(services: Services, form: Form, asset: str | None) -> int:
    if asset is not None and asset not in services.prices.book.assets:
        raise Invalid.field("asset", "one of the choices")
    if asset is not None:
        amount = form.amount("limit", services.prices.book.assets[asset])
    else:
        amount = form.amount("limit", Asset("unit", "", 1, None))
    if amount is None:
        raise Invalid.field("limit", "say how much")
    return min(amount, MAX_UNITS)


def _period(form: Form) -> Period:
    found = _EVERY.get(form.text("period"))
    if found is None:
        raise Invalid.field("period", "one of the choices")
    return found


def _reset_day(form: Form) -> int | None:
    text = form.text("reset_day", 3)
    if text and not (text.isascii() and text.isdigit()):
        raise Invalid.field("reset_day", "a number such as 1")
    return int(text) if text else None


def _limit(services: Services, units: int, asset: str | None) -> str:
    scale = 1 if asset is None else services.prices.book.assets[asset].scale
    return f"{figure(units, scale)} {asset or 'units of usage'}"


def _attached(form: Form) -> str:
    return f"{KINDS[form.text('kind')].partition(' (')[0]} {form.text('applies_to')}".strip()


def _path(found: Envelope) -> str:
    return f"/console/envelopes/{ids.public('env', found.id)}"


async def _list(
    services: Services,
    desk: Desk,
    error: str | None = None,
    status: int = 200,
    before: int = NEWEST,
    typed: Typed | None = None,
) -> Response[bytes]:
    found = await services.envelopes.page_of_all(before, _SHOWN + 1)
    shown, older = cut(found, _SHOWN, lambda one: one.id, "/console/envelopes")
    told = {"older": older, "assets": services.prices.book.assets, "kinds": KINDS, "every": _EVERY, "error": error}
    return page("console/envelopes.html", status, desk=desk, envelopes=shown, **told, typed=typed)


async def _shown(
    services: Services, desk: Desk, found: Envelope, error: str | None = None, status: int = 200
) -> Response[bytes]:
    at = found.standing
    return page(
        "console/envelope.html",
        status,
        desk=desk,
        envelope=found,
        scale=1 if at.asset is None else services.prices.book.assets[at.asset].scale,
        windows=await services.envelopes.windows(found.id, datetime.max.replace(tzinfo=UTC), _SHOWN),
        every=_EVERY,
        error=error,
    )
