"""The TokenVault dialect, under `/tokenvault`: translation and nothing else."""

from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farebox.charging.service import own_key
from farebox.errors import Forbidden, Invalid
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.depends import TheServices
from farebox.http.dialects.problems import problem_writer
from farebox.http.dialects.tokenvault import answers, streams, wire
from farebox.http.dialects.tokenvault.caller import (
    Callers,
    acting_for,
    actor,
    administers,
    may_recharge,
)
from farebox.identity.types import READ, WRITE, Principal
from farebox.ledger.types import Outcome
from farebox.money import parse_decimal
from farebox.services import Services
from farebox.teams.credits import TRIAL, Recharge
from farebox.teams.types import CREDIT, Standing

PREFIX = "/tokenvault"
CONSUMPTION = f"{PREFIX}/v1/consumption/process"

TheCaller = NamedDependency[Principal]


async def caller(request: Request[Any, Any, Any], services: TheServices, access: NamedDependency[Access]) -> Principal:
    """Who calls, before its body is read."""
    scope: Any = request.scope
    right = READ if scope["method"] == "GET" else WRITE
    callers = Callers(access, open_to_all=services.settings.tokenvault_open)
    found, _ = await callers.identify(request.headers.get("authorization"), edge.address_of(scope), right)
    return found


@get("/health", opt={"public": True})
async def health() -> dict[str, str]:
    return {"status": "ok"}


@post("/v1/wallet/organizations", status_code=200)
async def add_organization(
    services: TheServices, caller: TheCaller, data: JSONBody[wire.OrganizationBody]
) -> dict[str, Any]:
    if not administers(caller) and caller.organization_id != data.id:
        raise Forbidden("this key is another organization's", "admin_only")
    made = await services.teams.add(actor(caller), data.id, data.name or data.id)
    return {
        "id": made.organization_id,
        "name": made.name,
        "wallet_id": str(made.wallet_id),
        "created_at": made.created_at,
    }


@post("/v1/wallet/users", status_code=200)
async def add_user(services: TheServices, caller: TheCaller, data: JSONBody[wire.UserBody]) -> dict[str, Any]:
    acting_for(caller, data.organization_id)
    made = await services.teams.add_member(actor(caller), data.organization_id, data.id, data.name or data.id)
    return {
        "id": made.name,
        "organization_id": made.organization_id,
        "name": made.display_name,
        "created_at": made.created_at,
    }


@post("/v1/wallet/profiles", status_code=200)
async def add_profile(services: TheServices, caller: TheCaller, data: JSONBody[wire.ProfileBody]) -> dict[str, Any]:
    acting_for(caller, data.organization_id)
    metadata = msgspec.json.encode(data.metadata or {}).decode()
    if len(metadata) > wire.MAX_METADATA:
        raise Invalid.field("metadata", f"at most {wire.MAX_METADATA} bytes")
    made = await services.teams.add_agent(actor(caller), data.organization_id, data.id, data.user_id or None, metadata)
    return {
        "id": made.name,
        "organization_id": made.organization_id,
        "user_id": made.member,
        "metadata": msgspec.Raw(made.metadata.encode()),
        "created_at": made.created_at,
    }


@post(["/v1/recharge", "/v1/wallet/recharge"], status_code=200)
async def recharge(
    request: Request[Any, Any, Any], services: TheServices, caller: TheCaller, data: JSONBody[wire.RechargeBody]
) -> Response[bytes]:
    acting = acting_for(caller, data.organization_id)
    money = wire.number("money_amount", data.money_amount)
    metadata = data.metadata or {}
    key = request.headers.get("idempotency-key")
    given = edge.idempotency_key(None if key is None else key.encode("latin-1", "replace"), required=False)
    if metadata.get("reason") == TRIAL:
        most = parse_decimal(services.settings.free_trial_usd)
        if money > most and not administers(caller):
            raise Forbidden(f"a free trial is at most {most} USD here", "trial_too_large")
        outcome = await services.credits.trial(acting, data.organization_id, money)
    else:
        may_recharge(caller)
        outcome = await services.credits.recharge(acting, data.organization_id, _asked(data, metadata, given))
    return _recharged(services, data.organization_id, outcome)


def _asked(data: wire.RechargeBody, metadata: dict[str, Any], key: str | None) -> Recharge:
    source = _text(metadata, "source") or "recharge"
    reference = _text(metadata, "reference")
    named = f"reference:{source}:{reference}" if reference else own_key()
    note = msgspec.json.encode(metadata).decode() if metadata else None
    if note is not None and len(note) > wire.MAX_METADATA:
        raise Invalid.field("metadata", f"at most {wire.MAX_METADATA} bytes")
    return Recharge(wire.number("money_amount", data.money_amount), key or named, source, reference, note)


def _text(metadata: dict[str, Any], name: str) -> str | None:
    found = metadata.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or not 1 <= len(found) <= 200 or not found.isprintable():
        raise Invalid.field(f"metadata.{name}", "a text of 1 to 200 printable characters")
    return found


def _recharged(services: Services, organization_id: str, outcome: Outcome) -> Response[bytes]:
    if outcome.refusal is not None:
        status, body = answers.refused(outcome.refusal)
        return Response(body, status_code=status, media_type="application/json")
    credit = services.prices.book.assets[CREDIT]
    return Response(msgspec.json.encode(answers.moved(organization_id, outcome, credit)), media_type="application/json")


def _balance(services: Services, found: Standing) -> Response[bytes]:
    body = msgspec.json.encode(answers.balance(found, services.prices.book.assets[CREDIT]))
    return Response(body, media_type="application/json")


@get(["/v1/balance/organizations/{organization_id:str}", "/v1/wallet/organizations/{organization_id:str}/balance"])
async def organization_balance(
    services: TheServices, caller: TheCaller, organization_id: FromPath[str]
) -> Response[bytes]:
    acting_for(caller, organization_id)
    return _balance(services, await services.teams.standing(organization_id))


@get("/v1/balance/profiles/{profile_id:str}")
async def profile_balance(services: TheServices, caller: TheCaller, profile_id: FromPath[str]) -> Response[bytes]:
    organization_id = caller.organization_id or await services.teams.organization_of(profile_id)
    return _balance(services, await services.teams.standing_of_agent(organization_id, profile_id))


@post("/v1/tickets", status_code=200)
async def add_ticket(services: TheServices, caller: TheCaller, data: JSONBody[wire.TicketBody]) -> dict[str, Any]:
    acting_for(caller, data.organization_id)
    subject = streams.organization_subject(data.organization_id)
    if data.profile_id is not None:
        await services.teams.agent(data.organization_id, data.profile_id)
        subject = streams.profile_subject(data.profile_id)
    ticket = services.tickets.make(subject, caller.credential_id, data.organization_id)
    return {"ticket": ticket, "expires_in": services.tickets.ttl_s}


write_problem = problem_writer(answers.problem)


def router() -> Router:
    """All but the charge and the streams."""
    return Router(
        PREFIX,
        route_handlers=[
            health,
            add_organization,
            add_user,
            add_profile,
            recharge,
            organization_balance,
            profile_balance,
            add_ticket,
        ],
        dependencies={"caller": caller},
        include_in_schema=False,
    )
