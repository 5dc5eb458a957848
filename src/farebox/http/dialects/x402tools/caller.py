"""Who calls: an organization, by its bearer key."""

from farebox.errors import Unauthorized
from farebox.http.access import Access, bearer
from farebox.identity.types import Principal


async def organization_of(access: Access, authorization: str | None, address: str, scope: str) -> Principal:
    """The organization that calls; raises Unauthorized, TooMany, Forbidden."""
    return _organization(await access.principal(bearer(authorization), address, scope))


async def remembered(access: Access, authorization: str | None, address: str, scope: str) -> tuple[Principal, bool]:
    """As `organization_of`, but from memory where it can be (then True): the ledger checks the key again."""
    found, from_memory = await access.remembered(bearer(authorization), address, scope)
    return _organization(found), from_memory


def own(principal: Principal) -> str:
    """The id of the organization that calls."""
    assert principal.organization_id is not None
    return principal.organization_id


def _organization(found: Principal) -> Principal:
    if found.organization_id is None:
        raise Unauthorized("this is not an organization's key")
    return found
