"""Teams: an organization, its members, the agents that spend for them, and what is left of the credits."""

from datetime import datetime

from msgspec import Struct

from farebox.consent.types import GrantRef

CREDIT = "CREDIT"
"""The asset that organizations' own usage is paid in; its price in USD is the rate of every recharge."""

NAME_CHARACTERS = 200
"""The longest name of a member or an agent."""


class Team(Struct, frozen=True):
    """An organization with its credit wallet."""

    organization_id: str
    name: str
    wallet_id: int
    created_at: datetime


class Member(Struct, frozen=True):
    """Somebody who belongs to an organization. `name` is the organization's own for them, and unique there."""

    id: int
    organization_id: str
    name: str
    display_name: str
    created_at: datetime


class Agent(Struct, frozen=True):
    """What spends an organization's credits. Its grant is its allowance, and counts what it has spent."""

    id: int
    organization_id: str
    name: str
    member: str | None
    member_id: int | None
    metadata: str
    """JSON text."""
    wallet_id: int
    grant_id: int
    created_at: datetime


class AgentStanding(Struct, frozen=True):
    """An agent with what it has spent and may spend, in units of its wallet's asset."""

    id: int
    organization_id: str
    name: str
    member: str | None
    wallet_id: int
    asset: str
    scale: int
    spent: int
    held: int
    limit_units: int | None
    charge_limit_units: int | None
    expires_at: datetime | None
    end_reason: str | None
    expired: bool
    created_at: datetime

    @property
    def state(self) -> str:
        """`active`, `expired` or `paused`."""
        if self.end_reason is not None:
            return "paused"
        return "expired" if self.expired else "active"


class Spender(Struct, frozen=True, gc=False):
    """What an ask needs to know of who spends; none of it ever changes."""

    grant: GrantRef
    member_id: int | None


class Standing(Struct, frozen=True):
    """What an organization or an agent can spend, in units of CREDIT; below zero it is debt."""

    organization_id: str
    wallet_id: int
    available: int
    debt: int
    updated_at: datetime
    agent: str | None = None
    spent: int = 0
    """By the agent, in all."""
    allowance: int | None = None
    """What the agent may spend in all; None: whatever the organization has."""
