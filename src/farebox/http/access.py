"""Who may: keys out of headers into principals, with limits on guessing and on asking."""

from collections.abc import Callable

from farebox.db.pool import AWAY
from farebox.errors import Busy, Forbidden, Problem, TooMany, Unauthorized
from farebox.http import edge
from farebox.http.limits import AddressLimit, RateLimit
from farebox.http.problem import problem_of
from farebox.identity.keys import Keys
from farebox.identity.types import READ, Principal
from farebox.settings import Settings

SecretOf = Callable[[dict[bytes, bytes]], str | None]
"""Finds the API key in a request's headers."""


class Access:
    """Checks keys. Failures are counted by address, so that guessing is slow; valid keys are never in its way."""

    def __init__(self, keys: Keys, settings: Settings) -> None:
        self._keys = keys
        self._failures = AddressLimit(settings.failures_per_address_s, settings.failures_per_address_s * 10)
        self._requests = RateLimit(settings.requests_per_key_s)
        self.polls = RateLimit(settings.polls_per_user_s)

    async def principal(self, secret: str | None, address: str, scope: str = READ) -> Principal:
        """The owner of a key that is valid now; raises Unauthorized, TooMany, Forbidden."""
        found = None if secret is None else await self._keys.authenticate(secret)
        if found is None:
            raise self._refused(address)
        return self._admit(found, scope)

    async def remembered(self, secret: str | None, address: str, scope: str) -> tuple[Principal, bool]:
        """As `principal`, but from memory where it can be (then True): the ledger checks the key again."""
        known = self.known(secret, scope)
        return (await self.principal(secret, address, scope), False) if known is None else (known, True)

    def known(self, secret: str | None, scope: str) -> Principal | None:
        """The owner of a key that was valid when it was seen last, or None; raises TooMany, Forbidden."""
        known = None if secret is None else self._keys.remembered(secret)
        return None if known is None else self._admit(known, scope)

    def again(self, known: Principal, scope: str) -> Principal:
        """The owner of a key that a head has shown before; raises TooMany, Forbidden."""
        self._keys.used(known)
        return self._admit(known, scope)

    def known_by(self, request: edge.Request, secret_of: SecretOf, scope: str) -> Principal | None:
        """Who asks, where this head or another has shown the key before, or None; raises TooMany, Forbidden."""
        before = request.seen.principal
        return self.known(secret_of(request.headers), scope) if before is None else self.again(before, scope)

    async def problem(
        self, error: Exception, request: edge.Request, secret: str | None, *, from_memory: bool
    ) -> Problem:
        """The problem to answer with. A key that came from memory is looked at: the ledger was not asked."""
        request.seen.forget()
        problem = problem_of(error, request.path)
        if not from_memory or problem.status >= 500:
            return problem
        try:
            valid = secret is not None and await self._keys.authenticate(secret) is not None
        except AWAY:
            return Busy("the database does not answer: try again", "database_away", retry_after_s=1)
        return problem if valid else self._refused(request.address)

    async def look_again(self, secret: str | None, address: str) -> None:
        """Raises Unauthorized, TooMany where a key that came from memory is not valid now."""
        if secret is None or await self._keys.authenticate(secret) is None:
            raise self._refused(address)

    def count_more(self, found: Principal, more: int) -> None:
        """Counts what one request asks for beyond its first charge as requests of their own."""
        if more > 0:
            self._requests.owe(str(found.credential_id), more)

    def _admit(self, found: Principal, scope: str) -> Principal:
        if scope not in found.scopes:
            raise Forbidden(f"this key has no {scope} scope", "scope_missing")
        self._requests.take(str(found.credential_id))
        return found

    def _refused(self, address: str) -> Problem:
        try:
            self._failures.take(address)
        except TooMany as error:
            return error
        return Unauthorized("send a valid API key")


def bearer(header: str | None) -> str | None:
    """The key in an Authorization header."""
    kind, _, secret = (header or "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" and secret.strip() else None
