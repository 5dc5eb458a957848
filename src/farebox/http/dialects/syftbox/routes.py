"""The SyftBox accounting dialect, under `/syftbox`: translation and nothing else."""

from typing import Any

from litestar import Request, Response, Router, get, post, put
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.types import Guard

from farebox.errors import Forbidden
from farebox.http import edge
from farebox.http.access import Access, bearer
from farebox.http.callers import Callers
from farebox.http.depends import TheServices
from farebox.http.dialects.problems import problem_writer
from farebox.http.dialects.syftbox import answers, wire
from farebox.http.dialects.syftbox.asker import Asker, TheAsker
from farebox.http.dialects.syftbox.tokens import TOKENS
from farebox.http.dialects.syftbox.transactions import challenge
from farebox.identity.people import NewPerson
from farebox.identity.types import READ, WRITE, Principal
from farebox.services import Services

PREFIX = "/syftbox"


TheAdmin = NamedDependency[Principal]


@get("/user/my-info")
async def my_info(services: TheServices, asker: TheAsker) -> dict[str, wire.User]:
    return {"user": wire.user(await services.funding.welcomed(asker.person))}


@put("/user/update-password")
async def update_password(
    services: TheServices, asker: TheAsker, data: JSONBody[wire.NewPassword]
) -> dict[str, wire.User]:
    changed = await services.people.change_password(asker.member, data.old_password, data.new_password)
    return {"user": wire.user(changed)}


@put("/user/update-organization")
async def update_organization(
    services: TheServices, asker: TheAsker, data: JSONBody[wire.NewOrganization]
) -> dict[str, wire.User]:
    return {"user": wire.user(await services.people.change_organization(asker.member, data.organization))}


@get("/transactions")
async def transactions(services: TheServices, asker: TheAsker) -> dict[str, list[wire.Transaction]]:
    return {"transactions": [wire.transaction(one) for one in await services.payments.history(asker.member.wallet_id)]}


@post("/user/add-balance", status_code=200)
async def add_balance(
    request: Request[Any, Any, Any], services: TheServices, admin: TheAdmin, data: JSONBody[wire.NewBalance]
) -> Response[Any]:
    key = edge.idempotency_key((request.headers.get("idempotency-key") or "").encode("latin-1"), required=False)
    units = wire.units_of(data.amount)
    person = await services.people.get(data.recipient_email)
    outcome = await services.funding.credit(admin, _actor(admin), key, person, units)
    if outcome.refusal is not None:
        status, body = answers.refused(outcome.refusal)
        return Response(body, status_code=status, media_type="application/json")
    return Response({"user": wire.user(await services.people.get(person.email))})


@get("/user/{email:path}")
async def one_user(services: TheServices, admin: TheAdmin, email: FromPath[str]) -> dict[str, wire.User]:
    return {"user": wire.user(await services.people.get(email.removeprefix("/")))}


@get("/users")
async def all_users(services: TheServices, admin: TheAdmin) -> dict[str, list[wire.User]]:
    return {"users": [wire.user(person) for person in await services.people.everybody()]}


def sign_up(services: Services, access: Access, callers: Callers) -> Any:
    """`POST /user/create`, for anyone; without a limit for administrators."""

    @post("/user/create", status_code=200)
    async def create_user(request: Request[Any, Any, Any], data: JSONBody[wire.NewUser]) -> dict[str, Any]:
        address = edge.address_of(request.scope)
        key = bearer(request.headers.get("authorization"))
        actor = "anyone"
        if key is not None:
            actor = _actor(_administrator(await access.principal(key, address, WRITE)))
        else:
            callers.sign_ups.take(address)
        new = NewPerson(data.email, data.password, data.organization)
        person, password = await services.funding.register(actor, new)
        return {"user": wire.user(person)} | ({} if password is None else {"password": password})

    return create_user


def _as_person(callers: Callers) -> Guard:
    """Identifies a person by e-mail and password, before the body is read."""

    async def identify(request: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope: Any = request.scope
        caller, person = await callers.current(request.headers.get("authorization"), edge.address_of(scope))
        scope["state"]["asker"] = Asker(caller.member, person)

    return identify


def _as_admin(access: Access) -> Guard:
    """Identifies an administrator by a key, before the body is read."""

    async def identify(request: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope: Any = request.scope
        secret = bearer(request.headers.get("authorization"))
        right = READ if scope["method"] in ("GET", "HEAD") else WRITE
        scope["state"]["admin"] = _administrator(await access.principal(secret, edge.address_of(scope), right))

    return identify


async def _asker(request: Request[Any, Any, Any]) -> Asker:
    state: Any = request.scope["state"]
    found: Asker = state["asker"]
    return found


async def _admin(request: Request[Any, Any, Any]) -> Principal:
    state: Any = request.scope["state"]
    found: Principal = state["admin"]
    return found


def _administrator(found: Principal) -> Principal:
    if not found.is_admin:
        raise Forbidden("this takes an administrator's key", "admin_only")
    return found


def _actor(admin: Principal) -> str:
    return f"{admin.client}/key_{admin.credential_id}"


write_problem = problem_writer(answers.problem, challenge)


def router(services: Services, access: Access, callers: Callers) -> Router:
    """All but what moves money between people."""
    people = [my_info, update_password, update_organization, transactions, *TOKENS]
    of_people = Router(
        "/", guards=[_as_person(callers)], dependencies={"asker": Provide(_asker)}, route_handlers=people
    )
    of_admins = Router(
        "/",
        guards=[_as_admin(access)],
        dependencies={"admin": Provide(_admin)},
        route_handlers=[add_balance, one_user, all_users],
    )
    handlers = [sign_up(services, access, callers), of_people, of_admins]
    return Router(PREFIX, route_handlers=handlers, include_in_schema=False)
