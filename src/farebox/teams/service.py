"""Teams: organizations with credits, their members and agents; each is made once, and again is the same one."""

from collections import OrderedDict
from typing import Any

from asyncpg import Pool, Record, UniqueViolationError

from farebox import ids
from farebox.consent.service import Consent
from farebox.consent.types import GrantRef, Terms
from farebox.db import queries
from farebox.errors import Conflict, Invalid, NotFound
from farebox.identity.service import Directory, note
from farebox.identity.types import Provider
from farebox.teams.types import CREDIT, NAME_CHARACTERS, Agent, AgentStanding, Member, Spender, Standing, Team
from farebox.wallets.service import Wallets

_SQL = queries.load("farebox.teams")
_REMEMBERED = 100_000


class Teams:
    """The teams of one database."""

    def __init__(
        self, pool: "Pool[Record]", directory: Directory, consent: Consent, wallets: Wallets, house: str
    ) -> None:
        self._pool = pool
        self._directory = directory
        self._consent = consent
        self._wallets = wallets
        self._house_slug = house
        self._house: Provider | None = None
        self._spenders: OrderedDict[tuple[str, str, str], Spender] = OrderedDict()

    async def house(self) -> Provider:
        """The provider in whose name organizations' own usage is priced; made when it is first needed."""
        if self._house is None:
            try:
                self._house = await self._directory.provider(self._house_slug)
            except NotFound:
                try:
                    self._house = await self._directory.add_provider("system", self._house_slug, "This installation")
                except Conflict:  # another node was quicker
                    self._house = await self._directory.provider(self._house_slug)
        return self._house

    async def add(self, actor: str, organization_id: str, name: str) -> Team:
        """An organization with its credit wallet; again with the same id gives the same one."""
        await self._directory.add_organization(actor, organization_id, name)
        return await self.team(organization_id)

    async def team(self, organization_id: str) -> Team:
        """An organization with its credit wallet, which is made where it is missing; NotFound where there is none."""
        row = await _SQL.team.first(self._pool, id=organization_id)
        if row is None:
            raise NotFound("there is no such organization")
        wallet_id = row["wallet_id"] or await self._make_wallet(organization_id)
        return Team(**dict(row) | {"wallet_id": wallet_id})

    async def _make_wallet(self, organization_id: str) -> int:
        async with self._pool.acquire() as conn, conn.transaction():
            known: int | None = await _SQL.lock_team.value(conn, id=organization_id)
            if known is not None:
                return known
            made = await self._wallets.add_on(conn, "system", CREDIT, None, organization_id)
            await _SQL.set_wallet.run(conn, id=organization_id, wallet_id=made)
            return made

    async def add_member(self, actor: str, organization_id: str, name: str, display_name: str) -> Member:
        """A member of an organization; again with the same name gives the same one."""
        _check("id", name)
        await self.team(organization_id)
        given = {"organization_id": organization_id, "name": name}
        async with self._pool.acquire() as conn, conn.transaction():
            row = await _SQL.add_member.first(conn, **given, display_name=display_name)
            if row is not None:
                await note(conn, actor, "member.add", f"{organization_id}/{name}")
        return Member(**(row or await _SQL.member.one(self._pool, **given)))

    async def member(self, organization_id: str, name: str) -> Member:
        """A member; NotFound where there is none."""
        row = await _SQL.member.first(self._pool, organization_id=organization_id, name=name)
        if row is None:
            raise NotFound("there is no such user")
        return Member(**row)

    async def add_agent(
        self, actor: str, organization_id: str, name: str, member: str | None = None, metadata: str = "{}"
    ) -> Agent:
        """An agent of an organization, and of a member of it; again with the same name gives the same one."""
        _check("id", name)
        known = await self._agent(organization_id, name)
        if known is not None:
            return known
        team = await self.team(organization_id)
        member_id = None if member is None else (await self.member(organization_id, member)).id
        house = await self.house()
        async with self._pool.acquire() as conn, conn.transaction():
            await _SQL.lock_team.run(conn, id=organization_id)
            if await _SQL.agent.first(conn, organization_id=organization_id, name=name) is None:
                grant_id, _ = await self._consent.grant_on(
                    conn, actor, team.wallet_id, house, f"{organization_id}/{name}", Terms(), None
                )
                made = {"organization_id": organization_id, "name": name, "member_id": member_id}
                await _SQL.add_agent.run(conn, **made, grant_id=grant_id, metadata=metadata)
                await note(conn, actor, "agent.add", f"{organization_id}/{name}")
        return await self.agent(organization_id, name)

    async def agent(self, organization_id: str, name: str) -> Agent:
        """An agent; NotFound where there is none."""
        found = await self._agent(organization_id, name)
        if found is None:
            raise NotFound("there is no such profile")
        return found

    async def _agent(self, organization_id: str, name: str) -> Agent | None:
        row = await _SQL.agent.first(self._pool, organization_id=organization_id, name=name)
        return None if row is None else Agent(**row)

    async def agents(self, organization_id: str, after: str, limit: int) -> list[Agent]:
        """A page of an organization's agents, by name."""
        rows = await _SQL.agents_of.all(self._pool, organization_id=organization_id, after=after, limit=limit)
        return [Agent(**row) for row in rows]

    async def agent_by_id(self, agent_id: int) -> Agent:
        """An agent by its number; NotFound where there is none."""
        row = await _SQL.agent_by_id.first(self._pool, id=agent_id) if 0 < agent_id <= ids.MAX_NUMBER else None
        if row is None:
            raise NotFound("there is no such agent")
        return Agent(**row)

    async def search_agents(self, words: str, limit: int) -> list[AgentStanding]:
        """Agents whose name, organization or member has these words in it, with what each may spend, newest first."""
        return [AgentStanding(**row) for row in await _SQL.search_agents.all(self._pool, words=words, limit=limit)]

    async def members(self, organization_id: str, limit: int) -> list[Member]:
        """An organization's members, by name."""
        rows = await _SQL.members_of.all(self._pool, organization_id=organization_id, limit=limit)
        return [Member(**row) for row in rows]

    async def organization_of(self, agent: str) -> str:
        """The one organization that has an agent of this name; NotFound for none, Conflict for several."""
        rows = await _SQL.agents_named.all(self._pool, name=agent)
        if not rows:
            raise NotFound("there is no such profile")
        if len(rows) > 1:
            raise Conflict("several organizations have a profile of this name: ask with a key of one of them")
        found: str = rows[0]["organization_id"]
        return found

    async def allow(self, actor: str, agent: Agent, terms: Terms, **why: str) -> None:
        """What an agent may spend from now on: in all since it was made, per charge, and until when."""
        async with self._pool.acquire() as conn, conn.transaction():
            await _SQL.end_rivals.run(conn, grant_id=agent.grant_id)
            try:
                await _SQL.set_allowance.run(
                    conn,
                    grant_id=agent.grant_id,
                    limit_units=terms.limit_units,
                    charge_limit_units=terms.charge_limit_units,
                    ttl_s=terms.ttl_s,
                )
            except UniqueViolationError:
                raise Conflict("another grant for this agent was quicker: ask again") from None
            given: dict[str, Any] = {name: getattr(terms, name) for name in terms.__struct_fields__}
            await note(conn, actor, "agent.allow", f"{agent.organization_id}/{agent.name}", **given, **why)

    def remembered(self, organization_id: str, agent: str, member: str) -> Spender | None:
        """Who spends, if it was asked for before."""
        return self._spenders.get((organization_id, agent, member))

    async def spender(self, organization_id: str, agent: str, member: str = "") -> Spender:
        """Who spends. Agents and members that nobody has registered are, here: what they use has to be somebody's.

        Raises NotFound for an organization that there is not, Invalid for names that can't be any.
        """
        known = self.remembered(organization_id, agent, member)
        if known is not None:
            return known
        member_id = (await self.add_member("system", organization_id, member, member)).id if member else None
        found = await self.add_agent("system", organization_id, agent, member or None)
        house = await self.house()
        grant = GrantRef(found.grant_id, found.wallet_id, CREDIT, house.id)
        self._spenders[organization_id, agent, member] = spender = Spender(grant, member_id or found.member_id)
        if len(self._spenders) > _REMEMBERED:
            self._spenders.popitem(last=False)
        return spender

    async def standing(self, organization_id: str) -> Standing:
        """What an organization can spend."""
        row = await _SQL.standing.first(self._pool, organization_id=organization_id)
        if row is None:
            await self.team(organization_id)
            row = await _SQL.standing.one(self._pool, organization_id=organization_id)
        return Standing(**row)

    async def standing_of_agent(self, organization_id: str, name: str) -> Standing:
        """What an agent can spend, which is never more than its organization can, and what it has spent."""
        row = await _SQL.standing_of_agent.first(self._pool, organization_id=organization_id, name=name)
        if row is None:
            raise NotFound("there is no such profile")
        fields: dict[str, Any] = dict(row)
        ended, reserved = fields.pop("ended"), fields.pop("reserved")
        if ended:
            left: int | None = 0
        else:
            left = None if fields["allowance"] is None else fields["allowance"] - fields["spent"] - reserved
        if left is not None:
            fields["available"] = min(left, fields["available"])
        return Standing(**fields)


def _check(field: str, name: str) -> None:
    if not 1 <= len(name) <= NAME_CHARACTERS or not name.isprintable():
        raise Invalid.field(field, f"1 to {NAME_CHARACTERS} printable characters")
