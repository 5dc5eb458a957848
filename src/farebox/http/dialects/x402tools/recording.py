"""`POST /usage`: one implementation, called once per use, answered before the framework."""

import msgspec

from farebox import ids
from farebox.charging.service import fingerprint, own_key
from farebox.envelopes.metadata import kept
from farebox.envelopes.types import UsageRecord
from farebox.errors import NotFound
from farebox.http import edge
from farebox.http.access import Access, bearer
from farebox.http.dialects.x402tools import answers, wire
from farebox.http.dialects.x402tools.caller import own, remembered
from farebox.http.problem import retry_after
from farebox.http.strict import Reader
from farebox.identity.types import WRITE, Principal
from farebox.ledger.types import Outcome
from farebox.services import Services

_reader = Reader(wire.UsageBody)
_REPLAYED = ((b"idempotent-replayed", b"true"),)


def route(services: Services, access: Access) -> edge.Route:
    """The call, answered before the framework."""
    limit = services.settings.max_body_bytes

    async def call(request: edge.Request) -> edge.Answer:
        headers, seen = request.headers, request.seen
        given, from_memory = headers.get(b"authorization"), False
        try:
            principal, from_memory = seen.principal, True
            if principal is None:
                principal, from_memory = await remembered(access, edge.text(given), request.address, WRITE)
            else:
                access.again(principal, WRITE)
            key = edge.idempotency_key(headers.get(b"idempotency-key"), required=False)
            asked = _reader.read(edge.whole_body(request, limit) or await edge.body_of(request, limit))
            outcome = await record(services, principal, asked, key)
        except Exception as error:
            problem = await access.problem(error, request, bearer(edge.text(given)), from_memory=from_memory)
            status, body = answers.problem(problem)
            return edge.Answer(status, body, retry_after(problem))
        seen.principal = principal
        status, body = await answered(services, principal, asked, outcome)
        return edge.Answer(status, body, _REPLAYED if outcome.replayed else ())

    return call


async def record(services: Services, principal: Principal, asked: wire.UsageBody, key: str | None) -> Outcome:
    """Counts usage on an envelope of the caller's. Raises Problem for what can't be asked."""
    number = ids.parse("env", asked.envelope_id)
    if number is None:
        raise NotFound("there is no such envelope")
    metadata = kept(asked.metadata)
    mark = fingerprint("x402tools.usage", number, asked.amount, metadata)
    return await services.usage_records.add(
        principal, own(principal), number, key or own_key(), mark, asked.amount, metadata
    )


async def answered(
    services: Services, principal: Principal, asked: wire.UsageBody, outcome: Outcome
) -> tuple[int, bytes]:
    """Status and body for an outcome."""
    if outcome.refusal is not None:
        return answers.refused(outcome)
    number = await services.usage_records.number(own(principal))
    envelope_id = ids.parse("env", asked.envelope_id) or 0
    metadata = kept(asked.metadata)
    told = None if metadata is None else metadata.decode()
    found = UsageRecord(outcome.transfer_id, envelope_id, asked.amount, told, outcome.created_at)
    return 201, msgspec.json.encode(wire.usage(number, found))
