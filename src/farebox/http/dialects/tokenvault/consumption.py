"""`POST /v1/consumption/process`: the dialect's one call per charge, answered before the framework."""

from typing import Any

import msgspec

from farebox.charging.service import Bill, fingerprint, own_key
from farebox.errors import Invalid
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.dialects.tokenvault import answers
from farebox.http.dialects.tokenvault.caller import Callers, acting_for, credentials
from farebox.http.dialects.tokenvault.wire import ConsumptionBody, note_of, optional_number
from farebox.http.problem import retry_after
from farebox.http.strict import Reader
from farebox.identity.types import WRITE, Principal
from farebox.ledger.types import MAX_UNITS, Outcome, Usage
from farebox.money import NotExact, to_units
from farebox.services import Services
from farebox.teams.types import CREDIT

CENTS = 100
"""A credit of the image service costs a cent."""

_reader = Reader(ConsumptionBody)


def route(services: Services, access: Access) -> edge.Route:
    """The call, answered before the framework."""
    callers = Callers(access, open_to_all=services.settings.tokenvault_open)
    limit = services.settings.max_body_bytes

    async def call(request: edge.Request) -> edge.Answer:
        headers, seen, from_memory = request.headers, request.seen, False
        try:
            principal, from_memory = callers.again(seen.principal), True
            if principal is None:
                given = edge.text(headers.get(b"authorization"))
                principal, from_memory = await callers.identify(given, request.address, WRITE, from_memory=True)
            key = edge.idempotency_key(headers.get(b"idempotency-key"), required=False)
            asked = _reader.read(edge.whole_body(request, limit) or await edge.body_of(request, limit))
            outcome = await spend(services, principal, asked, key)
        except Exception as error:
            secret = credentials(edge.text(headers.get(b"authorization")))[1]
            problem = await access.problem(error, request, secret, from_memory=from_memory)
            status, body = answers.problem(problem)
            return edge.Answer(status, body, retry_after(problem))
        seen.principal = principal
        return edge.Answer(*answered(services, asked, outcome))

    return call


async def spend(services: Services, principal: Principal, asked: ConsumptionBody, key: str | None) -> Outcome:
    """Takes what a record says was used. Raises Problem for what can't be asked."""
    caller = acting_for(principal, asked.organization_id)
    bill, note = bill_of(asked), note_of(asked.metadata)
    teams, member = services.teams, asked.user_id or ""
    spender = teams.remembered(asked.organization_id, asked.profile_id, member) or await teams.spender(
        asked.organization_id, asked.profile_id, member
    )
    mark = fingerprint("consumption", asked.organization_id, asked.profile_id, member, bill, note)
    named = f"usage:{asked.record_id}" if asked.record_id else key
    return await services.credits.spend(caller, spender, named or own_key(), mark, bill, note)


def bill_of(asked: ConsumptionBody) -> Bill:
    """What is to be paid for; raises Invalid for both kinds at once, and for an amount that is none."""
    bought = optional_number("bfl_credits", asked.bfl_credits)
    if bought is None:
        return Bill(asked.model, Usage(asked.prompt_tokens, asked.completion_tokens))
    if asked.prompt_tokens or asked.completion_tokens:
        raise Invalid.field("bfl_credits", "give either tokens or bfl_credits")
    try:
        usd = to_units(bought, 1_000_000 // CENTS)
    except NotExact:
        raise Invalid.field("bfl_credits", "at most 4 decimals: finer than a millionth of a dollar") from None
    if not 0 <= usd <= MAX_UNITS:
        raise Invalid.field("bfl_credits", "below zero, or more than any wallet can hold")
    return Bill(asked.model, amount=usd, asset="USD")


def answered(services: Services, asked: ConsumptionBody, outcome: Outcome) -> tuple[int, bytes]:
    """Status and body for an outcome."""
    credit = services.prices.book.assets[CREDIT]
    if outcome.refusal is not None:
        return answers.refused(outcome.refusal)
    more: dict[str, Any] = {"profile_id": asked.profile_id, "model": asked.model, "record_id": asked.record_id}
    return 200, msgspec.json.encode(answers.moved(asked.organization_id, outcome, credit, **more))
