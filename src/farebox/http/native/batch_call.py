"""Many charges in one request: one implementation, called by the hot route and by the framework's."""

import asyncio

import msgspec
from msgspec import Struct

from farebox.charging.service import Charging
from farebox.consent.types import GrantRef
from farebox.errors import Problem
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.native import wire
from farebox.http.native.calls import GUARDED, answered_problem, secret_of
from farebox.http.native.charge_call import bill_of, drawn_grant, mark_of, outcome_of
from farebox.http.native.outcomes import charged
from farebox.http.problem import problem_document, problem_of, request_id
from farebox.http.strict import Reader
from farebox.identity.types import WRITE, Principal
from farebox.ledger.types import Outcome, Refusal
from farebox.services import Services

PATH = "/v1/charges/batch"
_reader = Reader(wire.NewCharges)
_encode = msgspec.json.Encoder().encode


class _Begun(Struct, gc=False):
    """One of many charges, on its way."""

    data: wire.BatchedCharge
    grant: GrantRef
    outcome: "asyncio.Future[Outcome]"


def route(services: Services, access: Access) -> edge.Route:
    """`POST /v1/charges/batch`, answered before the framework."""
    limit = services.settings.max_body_bytes

    async def call(request: edge.Request) -> edge.Answer:
        from_memory = False
        try:
            known = access.known_by(request, secret_of, WRITE)
            from_memory = known is not None
            principal = known or await access.principal(secret_of(request.headers), request.address, WRITE)
            data = _reader.read(edge.whole_body(request, limit) or await edge.body_of(request, limit))
            access.count_more(principal, len(data.charges) - 1)
            results = await charge_each(services, principal, data)
            if from_memory and all(result.charge is None for result in results):
                from_memory = False  # it does not show whether the ledger has looked at the key
                await access.look_again(secret_of(request.headers), request.address)
        except Exception as error:
            secret = secret_of(request.headers)
            problem = await access.problem(error, request, secret, from_memory=from_memory)
            return answered_problem(problem, *GUARDED)
        request.seen.principal = principal
        return edge.Answer(200, _encode(wire.ChargeResults(results)), GUARDED)

    return call


async def charge_each(services: Services, principal: Principal, asked: wire.NewCharges) -> list[wire.ChargeResult]:
    """Charges one by one, in their order, all in the ledger's next batch; refusals are results."""
    drawn: dict[tuple[str | None, str | None], GrantRef | Problem] = {}
    for data in asked.charges:
        drawn_on = (data.session_token, data.grant)
        if drawn_on not in drawn:
            drawn[drawn_on] = await _drawn_or_problem(services, principal, data)
    # What has to be looked up is looked up before the first is asked for: they reach the ledger in their order.
    await services.charging.look_up(grant for grant in drawn.values() if isinstance(grant, GrantRef))
    begun = [
        _begun(services.charging, principal, data, drawn[data.session_token, data.grant]) for data in asked.charges
    ]
    return [_of_problem(one) if isinstance(one, Problem) else await _ended(services, principal, one) for one in begun]


async def _drawn_or_problem(services: Services, principal: Principal, data: wire.NewCharge) -> GrantRef | Problem:
    try:
        return await drawn_grant(services, principal, data)
    except Problem as problem:
        return problem


def _begun(
    charging: Charging, principal: Principal, data: wire.BatchedCharge, grant: GrantRef | Problem
) -> _Begun | Problem:
    """Asks for the charge, so that all are in the ledger's next batch: they wait without tasks of their own."""
    try:
        key = edge.callers_own(data.idempotency_key)
        if isinstance(grant, Problem):
            raise grant
        asked = (principal, grant.provider_id, grant, key, mark_of(data, grant), bill_of(data, grant.asset))
        return _Begun(data, grant, charging.begin(*asked) or asyncio.ensure_future(charging.charge(*asked)))
    except Exception as error:
        return problem_of(error, PATH)


async def _ended(services: Services, principal: Principal, begun: _Begun) -> wire.ChargeResult:
    try:
        outcome = await services.charging.ended(begun.outcome)
        if outcome.refusal is Refusal.PRICE_CHANGED:
            outcome = await outcome_of(services, principal, begun.data.idempotency_key, begun.data, begun.grant)
        view = charged(outcome, "ch", begun.grant)
    except Exception as error:
        return _of_problem(problem_of(error, PATH))
    return wire.ChargeResult(201, replayed=outcome.replayed, charge=view)


def _of_problem(problem: Problem) -> wire.ChargeResult:
    return wire.ChargeResult(problem.status, replayed=False, problem=problem_document(problem, request_id(problem)))
