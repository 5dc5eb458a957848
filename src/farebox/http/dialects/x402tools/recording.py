"""`POST /usage`: one implementation, called once per use, answered before the framework."""

import msgspec

from farebox import ids
from farebox.charging.service import fingerprint, own_key
from farebox.envelopes.types import UsageRecord
from farebox.errors import Invalid, NotFound
from farebox.http import edge
from farebox.http.access import Access, bearer
from farebox.http.dialects.x402tools import answers, wire
from farebox.http.dialects.x402tools.caller import own, remembered
from farebox.http.problem import problem_of, retry_after
from farebox.http.strict import Reader
from farebox.identity.types import WRITE, Principal
from farebox.ledger.types import Outcome
from farebox.services import Services

_reader = Reader(wire.UsageBody)
_REPLAYED = (b"idempotent-replayed", b"true")
_NOTHING = b"null"


def route(services: Services, access: Access) -> edge.App:
    """The call as a plain ASGI function."""
    limit = services.settings.max_body_bytes

    async def call(scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        headers = edge.headers_of(scope)
        given, address = edge.text(headers.get(b"authorization")), edge.address_of(scope)
        from_memory = False
        try:
            principal, from_memory = await remembered(access, given, address, WRITE)
            key = edge.idempotency_key(headers.get(b"idempotency-key"), required=False)
            asked = _reader.read(await edge.body_of(headers, receive, limit))
            outcome = await record(services, principal, asked, key)
        except Exception as error:
            problem = problem_of(error, scope["path"])
            if from_memory and problem.status < 500:
                problem = await access.confirm(bearer(given), address, problem)
            status, body = answers.problem(problem)
            await edge.reply(send, status, body, *retry_after(problem))
            return
        status, body = await _answered(services, principal, asked, outcome)
        await edge.reply(send, status, body, *([_REPLAYED] if outcome.replayed else []))

    return call


async def record(services: Services, principal: Principal, asked: wire.UsageBody, key: str | None) -> Outcome:
    """Counts usage on an envelope of the caller's. Raises Problem for what can't be asked."""
    number = ids.parse("env", asked.envelope_id)
    if number is None:
        raise NotFound("there is no such envelope")
    metadata = _metadata(asked.metadata)
    mark = fingerprint("x402tools.usage", number, asked.amount, metadata)
    return await services.usage_records.add(
        principal, own(principal), number, key or own_key(), mark, asked.amount, metadata
    )


def _metadata(given: msgspec.Raw) -> bytes | None:
    """The caller's JSON object as it came, or None; raises Invalid."""
    raw = bytes(given).strip()
    if raw == _NOTHING:
        return None
    if not raw.startswith(b"{"):
        raise Invalid.field("metadata", "Expected an object or null")
    if len(raw) > wire.MAX_METADATA:
        raise Invalid.field("metadata", f"at most {wire.MAX_METADATA} bytes")
    if _depth(raw) > wire.MAX_DEPTH:
        raise Invalid.field("metadata", f"nested at most {wire.MAX_DEPTH} deep")
    try:
        msgspec.json.decode(raw)  # what was skipped over has to be read once: lone surrogates, numbers out of range
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid.field("metadata", "holds text or a number that can't be kept") from None
    return raw


def _depth(raw: bytes) -> int:
    """How deep JSON is nested, at most; brackets in texts count too."""
    deepest = depth = 0
    for byte in raw:
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


async def _answered(
    services: Services, principal: Principal, asked: wire.UsageBody, outcome: Outcome
) -> tuple[int, bytes]:
    if outcome.refusal is not None:
        return answers.refused(outcome)
    number = await services.usage_records.number(own(principal))
    envelope_id = ids.parse("env", asked.envelope_id) or 0
    raw = bytes(asked.metadata).strip()
    metadata = None if raw == _NOTHING else raw.decode()
    found = UsageRecord(outcome.transfer_id, envelope_id, asked.amount, metadata, outcome.created_at)
    return 201, msgspec.json.encode(wire.usage(number, found))
