"""How a provider's users connect: asking how far one has come, and waiting for it."""

import time

import msgspec

from farebox.client.call import Call, program
from farebox.client.core import Pause, Policy, Program, Request
from farebox.client.errors import FareboxError
from farebox.client.types import Session

POLL_S = 2.0


class NotConnected(FareboxError):
    """Nobody connected in time, or the session that was found had ended; `session` says which."""

    def __init__(self, message: str, session: Session) -> None:
        super().__init__(message)
        self.session = session


def session(key: str, provider_username: str) -> Call[Session]:
    """How far a user of the provider with this key has connected. Reads only: to ask often is cheap."""
    # The native API has no such call; every provider's key is taken by the dialect's.
    headers = {"X-Provider-API-Key": key}
    query = {"provider_username": provider_username}
    return Call(Request("GET", "/conxa/providers/session/status", query, headers=headers, repeatable=True), Session)


def wait(key: str, provider_username: str, policy: Policy, wait_s: float) -> Program[Session]:
    """Asks until the user has connected; the active session.

    Asks once at least; raises NotConnected after `wait_s` seconds.
    """
    began = time.monotonic()
    while True:
        left_s = wait_s - (time.monotonic() - began)
        patience = msgspec.structs.replace(policy, deadline_s=min(policy.deadline_s, max(left_s, policy.timeout_s)))
        found = yield from program(session(key, provider_username), patience)
        if found.status == "active":
            return found
        left_s = wait_s - (time.monotonic() - began)
        if left_s <= 0:
            raise NotConnected(f"nobody connected within {wait_s:g} seconds", found)
        yield Pause(min(POLL_S, left_s))
