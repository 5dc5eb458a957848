"""Agents of organizations, natively: what each has spent, and what it may spend."""

from typing import Annotated

from litestar import Controller, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from farebox import ids
from farebox.consent.types import Terms
from farebox.http.depends import TheAuthority, ThePaging, TheServices
from farebox.http.native import wire
from farebox.http.native.wire.fields import Body, Count, Moment, Name, Seconds, Units
from farebox.services import Services
from farebox.teams.types import Agent


class NewAgent(Body, frozen=True):
    """An agent of the organization; `member` has to be one of its members."""

    name: Name
    member: Name | None = None


class Allowance(Body, frozen=True):
    """What an agent may spend of the organization's credits from now on; what is not given has no bound."""

    limit: Annotated[Units | None, Meta(description="In all since the agent was made, in units of CREDIT.")] = None
    charge_limit: Annotated[Units | None, Meta(description="At once.")] = None
    expires_in_s: Seconds | None = None


class AgentView(Struct, frozen=True):
    """An agent. Its grant is its allowance; ending the grant stops it, and a new allowance lets it go on."""

    name: str
    member: str | None
    grant: str
    spent: Count
    limit: Count | None
    charge_limit: Count | None
    expires_at: Moment | None
    state: str
    created_at: Moment


class Agents(Controller):
    """What spends an organization's credits."""

    path = "/v1/organizations/{organization_id:str}/agents"
    tags = ("Organizations",)

    @post(summary="Register an agent; again with the same name gives the same one")
    async def add(
        self,
        services: TheServices,
        authority: TheAuthority,
        organization_id: FromPath[str],
        data: JSONBody[NewAgent],
    ) -> AgentView:
        authority.organization(organization_id)
        made = await services.teams.add_agent(authority.actor, organization_id, data.name, data.member)
        return await _view(services, made)

    @get(summary="List an organization's agents, with what they have spent and may spend")
    async def page(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        organization_id: FromPath[str],
    ) -> wire.Page[AgentView]:
        authority.organization(organization_id)
        await services.directory.organization(organization_id)
        scope = f"agents:{organization_id}"
        found = await services.teams.agents(organization_id, paging.name(scope), paging.most)
        shown = [await _view(services, agent) for agent in found[: paging.limit]]
        return wire.Page(shown, paging.next_cursor(scope, found, lambda agent: agent.name))

    @put("/{agent:str}/allowance", summary="Set what an agent may spend")
    async def allow(
        self,
        services: TheServices,
        authority: TheAuthority,
        organization_id: FromPath[str],
        agent: FromPath[str],
        data: JSONBody[Allowance],
    ) -> AgentView:
        authority.organization(organization_id)
        found = await services.teams.agent(organization_id, agent)
        await services.teams.allow(authority.actor, found, Terms(data.limit, data.charge_limit, data.expires_in_s))
        return await _view(services, found)


async def _view(services: Services, agent: Agent) -> AgentView:
    grant = await services.consent.get(agent.grant_id)
    return AgentView(
        name=agent.name,
        member=agent.member,
        grant=ids.public("gr", agent.grant_id),
        spent=grant.spent,
        limit=grant.limit_units,
        charge_limit=grant.charge_limit_units,
        expires_at=grant.expires_at,
        state=grant.state,
        created_at=agent.created_at,
    )
