"""Making, replacing and revoking API keys: the same for providers, organizations and administrators."""

from typing import Any

from litestar import Request, Response
from msgspec import Struct

from farebox import ids
from farebox.errors import Invalid, NotFound
from farebox.http.web.console.acts import Act, once, reason_of, unconfirmed
from farebox.http.web.console.given import Desk
from farebox.http.web.forms import Form
from farebox.identity.service import note
from farebox.services import Services

ENDS: dict[str, int | None] = {"at once": 0, "in an hour": 3600, "in a day": 86_400, "in a week": 7 * 86_400}


class KeyOwner(Struct, frozen=True):
    """Whose keys: `name` stands in the log, `page` is where they are listed."""

    kind: str
    name: str
    page: str
    provider_id: int | None = None
    organization_id: str | None = None

    @property
    def ref(self) -> dict[str, Any]:
        """As the keys know it."""
        return {"provider_id": self.provider_id, "organization_id": self.organization_id}


async def make(services: Services, desk: Desk, form: Form, owner: KeyOwner, scopes: dict[str, tuple[str, ...]]) -> str:
    """Makes a key; its secret, which is shown this once. Raises Invalid, Conflict."""
    name, chosen = form.text("name", 100), scopes.get(form.text("scopes"))
    if not name:
        raise Invalid.field("name", "say what it is for")
    if chosen is None:
        raise Invalid.field("scopes", "say what it may do")
    await once(services, form)
    slug = owner.name if owner.kind == "provider" else ""
    made, secret = await services.keys.make(owner.kind, name, slug=slug, scopes=chosen, **owner.ref)
    await note(services.pool, desk.actor, "key.add", f"{owner.name}/{ids.public('key', made.id)}", name=made.name)
    return secret


async def replace(services: Services, desk: Desk, form: Form, owner: KeyOwner, key_id: str) -> str:
    """A new key in the place of an old one, which ends when the form says. Raises Invalid, NotFound, Conflict."""
    ends_in_s = form.choice("ends", ENDS) or 0
    number = _number(key_id)
    await once(services, form)
    made, secret = await services.keys.replace(number, owner.kind, ends_in_s, **owner.ref)
    told = {"replaced_by": ids.public("key", made.id), "ends_in_s": ends_in_s}
    await note(services.pool, desk.actor, "key.replace", f"{owner.name}/{key_id}", **told)
    return secret


async def revoke(
    request: Request[Any, Any, Any], services: Services, desk: Desk, form: Form, owner: KeyOwner, key_id: str
) -> Response[Any] | None:
    """Ends a key at once, when that was confirmed; the page that asks, where it was not. Raises NotFound."""
    number = _number(key_id)
    known = next((key for key in await services.keys.owned(owner.kind, **owner.ref) if key.id == number), None)
    if known is None:
        raise NotFound("there is no such valid key")
    effects = [
        f"The key “{known.name}” ({known.hint}) is refused from now on, on every node.",
        "Whoever has signed in with it is signed out. Nothing that it did is undone.",
    ]
    act = Act("Revoke a key", effects, "Revoke it", owner.page)
    asked = unconfirmed(request, desk, form, act)
    if asked is None:
        await services.keys.revoke(number, owner.kind, **owner.ref)
        await note(services.pool, desk.actor, "key.revoke", f"{owner.name}/{key_id}", reason=reason_of(form))
    return asked


def _number(key_id: str) -> int:
    number = ids.parse("key", key_id)
    if number is None:
        raise NotFound("there is no such valid key")
    return number
