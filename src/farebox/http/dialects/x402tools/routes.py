"""The x402tools dialect, under `/x402tools`: translation and nothing else."""

from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET

from farebox import ids
from farebox.envelopes.types import Envelope, EnvelopeChange, NewEnvelope
from farebox.errors import Invalid, NotFound
from farebox.http import edge
from farebox.http.depends import TheAccess, ThePaging, TheServices
from farebox.http.dialects.problems import problem_writer
from farebox.http.dialects.x402tools import answers, pages, recording, wire
from farebox.http.dialects.x402tools.caller import organization_of, own
from farebox.http.dialects.x402tools.pages import CAP, page
from farebox.http.native.context import IdempotencyKey
from farebox.identity.service import note
from farebox.identity.types import READ, RECHARGE, WRITE, Principal
from farebox.ids import NEWEST
from farebox.ledger.envelopes import Counts
from farebox.services import Services
from farebox.windows import Period

PREFIX = "/x402tools"
USAGE = f"{PREFIX}/usage"

TheCaller = NamedDependency[Principal]


async def caller(request: Request[Any, Any, Any], access: TheAccess) -> Principal:
    """The organization that calls, identified before its body is read."""
    scope: Any = request.scope
    right = READ if scope["method"] == "GET" else WRITE
    return await organization_of(access, request.headers.get("authorization"), edge.address_of(scope), right)


@get("/health", opt={"public": True})
async def health() -> dict[str, str]:
    return {"status": "ok"}


@get("/envelopes")
async def envelopes(services: TheServices, caller: TheCaller, paging: ThePaging) -> Response[Any]:
    scope = f"x402tools.envelopes:{own(caller)}"
    found = await services.envelopes.page(own(caller), paging.number(scope, NEWEST), paging.most, Counts.USAGE)
    return page(paging.page(scope, found, wire.envelope), limit=paging.limit)


@post("/envelopes", status_code=201)
async def add_envelope(services: TheServices, caller: TheCaller, data: JSONBody[wire.EnvelopeBody]) -> dict[str, Any]:
    new = NewEnvelope(
        name=data.name,
        limit_units=data.limit,
        period=Period(data.period),
        reset_day=data.reset_day,
        organization_id=own(caller),
    )
    return wire.envelope(await services.envelopes.add(_actor(caller), new))


@get("/envelopes/{envelope_id:str}")
async def one_envelope(services: TheServices, caller: TheCaller, envelope_id: FromPath[str]) -> dict[str, Any]:
    return wire.envelope(await _own_envelope(services, caller, envelope_id))


@put("/envelopes/{envelope_id:str}")
async def change_envelope(
    services: TheServices, caller: TheCaller, envelope_id: FromPath[str], data: JSONBody[wire.EnvelopeChangeBody]
) -> dict[str, Any]:
    found = await _own_envelope(services, caller, envelope_id)
    change = EnvelopeChange(
        name=data.name,
        limit_units=data.limit,
        period=UNSET if data.period is UNSET else Period(data.period),
        reset_day=data.reset_day,
    )
    return wire.envelope(await services.envelopes.change(_actor(caller), found.id, change))


@delete("/envelopes/{envelope_id:str}")
async def delete_envelope(services: TheServices, caller: TheCaller, envelope_id: FromPath[str]) -> None:
    found = await _own_envelope(services, caller, envelope_id)
    await services.envelopes.delete(_actor(caller), found.id)


@get("/usage")
async def usage(
    services: TheServices,
    caller: TheCaller,
    paging: ThePaging,
    envelope_id: Annotated[str | None, QueryParameter(name="envelopeId")] = None,
) -> Response[Any]:
    named = None if envelope_id is None else (await _own_envelope(services, caller, envelope_id)).id
    scope = f"x402tools.usage:{own(caller)}:{named}"
    found = await services.usage_records.page(own(caller), named, paging.number(scope, NEWEST), paging.most)
    number = await services.usage_records.number(own(caller))
    shown = paging.page(scope, found, lambda item: wire.usage(number, item))
    return page(shown, limit=paging.limit, envelopeId=envelope_id)


@post("/usage", status_code=201)
async def record_usage(
    services: TheServices,
    caller: TheCaller,
    data: JSONBody[wire.UsageBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    """As `recording.route`, which is asked before the framework; here, so that the address names its methods."""
    given = None if idempotency_key is None else idempotency_key.encode("latin-1", "replace")
    key = edge.idempotency_key(given, required=False)
    outcome = await recording.record(services, caller, data, key)
    status, body = await recording.answered(services, caller, data, outcome)
    headers = {"idempotent-replayed": "true"} if outcome.replayed else {}
    return Response(body, status_code=status, media_type="application/json", headers=headers)


@get("/usage/stats")
async def stats(services: TheServices, caller: TheCaller) -> dict[str, Any]:
    found = await services.usage_records.totals(own(caller), CAP)
    return {
        "totalUsage": found.total,
        "envelopeCount": found.count,
        "activeEnvelopes": found.active,
        "periodUsage": [wire.period_usage(envelope) for envelope in found.envelopes],
    }


@get("/api-keys")
async def api_keys(services: TheServices, caller: TheCaller, paging: ThePaging) -> Response[Any]:
    scope = f"x402tools.api-keys:{own(caller)}"
    before = paging.number(scope, NEWEST)
    await services.keys.note_uses()
    everything = await services.keys.owned("organization", organization_id=own(caller))
    found = [key for key in everything if key.revoked_at is None and key.id < before][: paging.most]
    return page(paging.page(scope, found, lambda key: wire.api_key(key, own(caller))), limit=paging.limit)


@post("/api-keys", status_code=201)
async def add_api_key(services: TheServices, caller: TheCaller, data: JSONBody[wire.ApiKeyBody]) -> dict[str, Any]:
    if data.expires_at is not None and data.expires_at <= datetime.now(UTC):
        raise Invalid.field("expires_at", "is over")
    made, secret = await services.keys.make(
        "organization",
        data.name,
        organization_id=own(caller),
        scopes=tuple(sorted(caller.scopes - {RECHARGE})),  # that right only an administrator gives
        expires_at=data.expires_at,
    )
    await note(services.pool, _actor(caller), "key.add", f"{own(caller)}/{ids.public('key', made.id)}", name=data.name)
    return wire.api_key(made, own(caller), secret)


@delete("/api-keys/{key_id:str}")
async def delete_api_key(services: TheServices, caller: TheCaller, key_id: FromPath[str]) -> None:
    number = ids.parse("key", key_id)
    if number is None:
        raise NotFound("there is no such key")
    await services.keys.revoke(number, "organization", organization_id=own(caller))
    await note(services.pool, _actor(caller), "key.revoke", f"{own(caller)}/{key_id}")


async def _own_envelope(services: Services, caller: Principal, envelope_id: str) -> Envelope:
    """An envelope of the caller's that counts usage; NotFound for any other."""
    number = ids.parse("env", envelope_id)
    found = None if number is None else await services.envelopes.get(number)
    if found is None or found.standing.organization_id != own(caller) or found.standing.counts is not Counts.USAGE:
        raise NotFound("there is no such envelope")
    return found


def _actor(caller: Principal) -> str:
    return f"{caller.client}/key_{caller.credential_id}"


write_problem = problem_writer(answers.problem)


def router() -> Router:
    """All but the recording of usage."""
    return Router(
        PREFIX,
        route_handlers=[
            health,
            envelopes,
            add_envelope,
            one_envelope,
            change_envelope,
            delete_envelope,
            usage,
            record_usage,
            stats,
            api_keys,
            add_api_key,
            delete_api_key,
        ],
        dependencies={"caller": caller, "paging": pages.paging},
        include_in_schema=False,
    )
