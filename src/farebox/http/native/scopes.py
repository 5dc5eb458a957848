"""What an envelope is attached to: in the words of the API, and as the ledger looks it up."""

from farebox import ids
from farebox.envelopes.types import Envelope, Scope
from farebox.errors import Invalid, NotFound
from farebox.http.native import wire
from farebox.http.native.authority import Authority
from farebox.services import Services


async def scope_of(
    services: Services, authority: Authority, organization_id: str | None, given: wire.AppliesTo | None
) -> Scope | None:
    """The scope that a request names, for an organization's envelope or the operator's. Raises Invalid, NotFound."""
    if given is None:
        return None
    if given.kind == "all":
        if given.name is not None:
            raise Invalid.field("applies_to.name", "all has none")
        return Scope("all")
    if given.name is None:
        raise Invalid.field("applies_to.name", "Missing")
    if given.kind == "model":
        return Scope("model", given.name)
    if given.kind == "provider":
        return await _provider(services, given.name)
    return await _of_a_wallet(services, authority, organization_id, given.kind, given.name)


def applies_to(found: Envelope) -> wire.AppliesTo | None:
    """How the API shows it: people by their wallets, agents by their grants."""
    scope = found.scope
    if scope is None:
        return None
    if scope.kind == "all":
        return wire.AppliesTo("all")
    names = {"grant": f"gr_{scope.name}", "provider": found.provider or ""}
    return wire.AppliesTo(scope.kind, names.get(scope.kind, scope.name))  # type: ignore[arg-type]  # one of them


async def _provider(services: Services, slug: str) -> Scope:
    try:
        found = await services.directory.provider(slug)
    except NotFound:
        raise Invalid.field("applies_to.name", "there is no such provider", "unknown_provider") from None
    return Scope("provider", str(found.id))


async def _of_a_wallet(
    services: Services, authority: Authority, organization_id: str | None, kind: str, name: str
) -> Scope:
    """A wallet or a grant on one. An organization's envelope is for its own: on others it would limit nothing."""
    try:
        scope, wallet_id = await _found(services, authority, organization_id, kind, name)
        owner = (await services.wallets.get(wallet_id)).organization_id
    except NotFound:
        raise Invalid.field("applies_to.name", f"there is no such {kind}") from None
    if organization_id is not None and owner != organization_id:
        raise Invalid.field("applies_to.name", f"there is no such {kind} of this organization")
    return scope


async def _found(
    services: Services, authority: Authority, organization_id: str | None, kind: str, name: str
) -> tuple[Scope, int]:
    if kind == "grant":
        grant = ids.parse("gr", name)
        ref = None if grant is None else await services.consent.ref(grant)
        if ref is None:
            raise NotFound("there is no such grant")
        return Scope("grant", str(ref.grant_id)), ref.wallet_id
    if kind == "agent":
        if organization_id is None:
            raise Invalid.field("organization", "an agent is an organization's: name it")
        agent = await services.teams.agent(organization_id, name)
        return Scope("grant", str(agent.grant_id)), agent.wallet_id
    if kind == "person":
        authority.administrator()
        wallet_id = await services.people.wallet_of(name)
    else:
        wallet_id = (await authority.wallet(name)).id
    return Scope("wallet", str(wallet_id)), wallet_id
