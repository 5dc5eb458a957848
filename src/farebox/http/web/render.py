"""Templates into answers, with the headers that keep a page to itself."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response
from litestar.response import Redirect

from farebox import ids
from farebox.errors import Invalid, NotFound, Problem
from farebox.http.web.assets import address, icon
from farebox.http.web.forms import Form
from farebox.money import Asset, ones, show
from farebox.reports.service import NewestCharge, OpenHold
from farebox.wallets.types import TransferRecord

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    # Not `no-referrer`: with it a browser hides from us, too, that a form comes from our own page.
    "referrer-policy": "same-origin",
}

_LONGEST_PATH = 12_500
"""Characters of a path to go on to, at most: the longest code of a link to `/wallet/scan`, escaped."""
_LABELS = {"limit": "at most, in all", "charge_limit": "at most for one charge", "recipient": "e-mail address"}
_NOT_DONE = "You are signed out by now, and what you sent was not done. Sign in, then do it again."
Typed = Mapping[str, str]
"""What somebody has typed into a form, by the name of the field."""
_KEPT = "\t\n\r\u00a0\u200c\u200d"
KINDS = {
    "deposit": "Money in",
    "charge": "Charge",
    "capture": "Charge of a reservation",
    "usage": "Usage",
    "hold": "Reservation",
    "release": "Reservation freed",
    "refund": "Refund",
    "transfer": "Sent",
}
"""The journal's kinds in a payer's words."""


@cache
def environment() -> Environment:
    """The templates."""
    env = Environment(
        loader=PackageLoader("farebox.http.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals |= {"asset_address": address, "icon": icon, "show": show, "ones": ones, "public": ids.public}
    env.globals |= {"kinds": KINDS, "signed": signed, "public_transfer": public_transfer}
    env.globals |= {"public_charge": public_charge, "figure": figure}
    env.globals |= {"charge_number": charge_number, "hold_number": hold_number}
    env.filters |= {"moment": moment, "iso": datetime.isoformat, "card": card, "age": age, "visible": visible}
    env.filters |= {"written": written, "detail": detail, "past": past, "spoken": spoken}
    return env


def page(template: str, status: int = 200, /, **told: Any) -> Response[bytes]:
    """A page. `typed` is what stands in the fields of its form, where that was sent and is to be mended."""
    body = environment().get_template(template).render(told | {"typed": told.get("typed") or {}}).encode()
    return Response(body, status_code=status, media_type="text/html", headers=HEADERS)


def form_key() -> str:
    """A key for one form: sent twice, it is done once."""
    return f"page:{secrets.token_hex(16)}"


def to(path: str) -> Response[Any]:
    """On to another page, after a form."""
    return Redirect(path, status_code=303)


def problem_page(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """What went wrong, as a page of the wallet or the console."""
    area = "console" if request.url.path.startswith("/console") else "wallet"
    if problem.status == 401:
        error = None if request.method == "GET" or request.url.path.endswith("/sign-out") else _NOT_DONE
        told = {"error": error, "email": "", "visitor": None, "desk": None}
        return page(f"{area}/sign_in.html", 401, next=_asked(request, area), **told)
    answer = page("problem.html", problem.status, area=area, problem=problem, told=_told(problem), visitor=None)
    if problem.retry_after_s is not None:
        answer.headers["retry-after"] = str(problem.retry_after_s)
    return answer


def _told(problem: Problem) -> str:
    """What went wrong, for who reads pages: no methods, and no documents for programs."""
    if problem.status == 405:
        return "This page comes after a form, and can't be opened again. Go back to where the form was."
    if problem.status == 404 and problem.code == NotFound.default_code:
        return f"{problem.detail.partition(';')[0]}."
    return f"{problem.detail}."


def own_path(path: str, area: str) -> str:
    """A path to go on to after signing in; raises Invalid for one that leads anywhere else."""
    place = path.partition("?")[0]
    known = place == f"/{area}" or place.startswith(f"/{area}/")
    if not known or "\\" in path or "//" in place or not path.isprintable() or ".." in place:
        raise Invalid.field("next", "a page of ours")
    return path


def next_of(form: Form, area: str) -> str:
    """Where a form of signing in or up leads on to: the area's first page, if it names none. Raises Invalid."""
    return own_path(form.text("next", _LONGEST_PATH) or f"/{area}", area)


def visible(told: str) -> str:
    """A text of somebody else's, without what turns the direction of text, or hides in it: that stands as its number.

    Kept are line ends, and the joiners that scripts and emoji are written with.
    """
    return "".join(one if one.isprintable() or one in _KEPT else f"[U+{ord(one):04X}]" for one in told)


def moment(at: datetime) -> str:
    """A time as it stands where no script makes it the reader's own."""
    return at.strftime("%Y-%m-%d %H:%M UTC")


def written(text: str) -> datetime | None:
    """The time that a text in ISO's format says; None for another text."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def signed(one: TransferRecord, asset: Asset) -> str:
    """What a row of the journal did to the wallet: `+` in, `−` out, nothing before what is only reserved."""
    if one.refusal is not None:
        return show(one.amount, asset)
    sign = {"deposit": "+", "refund": "+", "hold": "", "release": ""}.get(one.kind, "−")
    return sign + show(one.amount, asset)


def figure(units: int, scale: int) -> str:
    """Units as ones of their asset, in groups of three: `1,204.0042`."""
    whole, point, fraction = ones(abs(units), scale).partition(".")
    return f"{'−' if units < 0 else ''}{int(whole):,}{point}{fraction}"


def public_transfer(one: TransferRecord) -> str:
    """The number under which a row of the journal is shown."""
    return ids.transfer("tr", one.wallet_id, one.id)


def public_charge(one: TransferRecord) -> str:
    """The number under which a charge is known to the API."""
    return ids.transfer("ch", one.wallet_id, one.id)


def spoken(error: str) -> str:
    """What is wrong, as a sentence for who fills in a form: `charge_limit: say how much` names it as the form does."""
    name, colon, rest = error.partition(": ")
    if colon and name.isidentifier() and name.islower():
        error = f"{_LABELS.get(name, name.replace('_', ' '))}: {rest}"
    error = error[:1].upper() + error[1:]
    return error if error.endswith((".", "!", "?", "”")) else f"{error}."


def past(at: datetime) -> bool:
    """Whether a time is over, by this machine's clock: good enough to say so, not to decide on."""
    return at <= datetime.now(UTC)


def detail(text: str) -> dict[str, str]:
    """What a line of the audit log says besides, by name: text as it is, anything else as JSON."""
    told: dict[str, Any] = msgspec.json.decode(text)
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode() for name, value in told.items()
    }


def charge_number(one: NewestCharge) -> str:
    """The same, of a line of the stream of charges."""
    return ids.transfer("ch", one.wallet_id, one.id)


def hold_number(one: OpenHold) -> str:
    """The number under which a hold is known to the API."""
    return ids.transfer("hd", one.wallet_id, one.id)


def age(passed: timedelta) -> str:
    """A duration, roughly: `3 min`."""
    seconds = int(passed.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def card(number: int) -> str:
    """A wallet's number in groups of four."""
    text = str(number)
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def _asked(request: Request[Any, Any, Any], area: str) -> str:
    """The page that was asked for, with its question, where signing in can lead back to it."""
    if request.method != "GET":
        return f"/{area}"
    path, query = request.url.path, request.url.query
    asked = f"{path}?{query}" if query else path
    try:
        return own_path(asked if len(asked) <= _LONGEST_PATH else path, area)
    except Invalid:
        return f"/{area}"
