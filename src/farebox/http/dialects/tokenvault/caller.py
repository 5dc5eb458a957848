"""Who calls: a key in the address's user part (Basic), as a bearer, or, where the operator allows it, nobody known."""

import base64
import binascii

import msgspec

from farebox.errors import Forbidden, NotFound, Unauthorized
from farebox.http.access import Access
from farebox.identity.types import READ, RECHARGE, WRITE, Principal

ANYBODY = Principal("open", None, "open", frozenset((READ, WRITE, RECHARGE)))
"""Who comes without a key to a server that asks for none."""


class Callers:
    """Identifies the callers of the dialect."""

    def __init__(self, access: Access, *, open_to_all: bool) -> None:
        self._access = access
        self._open = open_to_all

    async def identify(
        self, authorization: str | None, address: str, scope: str, *, from_memory: bool = False
    ) -> tuple[Principal, bool]:
        """The caller, and whether it comes from memory; raises Unauthorized, TooMany, Forbidden."""
        if authorization is None and self._open:
            return ANYBODY, False
        user, secret = credentials(authorization)
        if from_memory:
            found, remembered = await self._access.remembered(secret, address, scope)
        else:
            found, remembered = await self._access.principal(secret, address, scope), False
        if found.provider_id is not None:
            raise Unauthorized("this is a provider's key, not an organization's")
        if user and found.organization_id not in (None, user):
            raise Unauthorized("this key is another organization's")
        return found, remembered

    def again(self, known: Principal | None) -> Principal | None:
        """A caller whose head has come before; raises TooMany, Forbidden. None for who has not, or needs no key."""
        return None if known is None or known.credential_id is None else self._access.again(known, WRITE)


def credentials(authorization: str | None) -> tuple[str, str | None]:
    """User and key of an Authorization header; a bearer has no user, and what can't be read no key."""
    kind, _, rest = (authorization or "").partition(" ")
    rest = rest.strip()
    if kind.lower() == "bearer":
        return "", rest or None
    if kind.lower() != "basic":
        return "", None
    try:
        user, _, secret = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", None
    return user, secret or None


def administers(principal: Principal) -> bool:
    """Whether the caller may act for every organization."""
    return principal.is_admin or principal is ANYBODY


def acting_for(principal: Principal, organization_id: str) -> Principal:
    """The caller in the name of an organization: a record's id is the organization's, whichever key it came with.

    Raises NotFound for an organization of somebody else's, as for one that there is not.
    """
    if not administers(principal) and principal.organization_id != organization_id:
        raise NotFound("there is no such organization")
    client = f"organization:{organization_id}"
    return principal if principal.client == client else msgspec.structs.replace(principal, client=client)


def may_recharge(principal: Principal) -> None:
    """Raises Forbidden for a caller that must not make credits of nothing."""
    if not administers(principal) and RECHARGE not in principal.scopes:
        raise Forbidden("a recharge takes an administrator's key, or one with the recharge scope", "scope_missing")


def actor(principal: Principal) -> str:
    """How the audit log names the caller."""
    return f"{principal.client}/key_{principal.credential_id}"
