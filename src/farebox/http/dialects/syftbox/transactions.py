"""The calls that move money between people, answered before the framework: one of them is a payment's whole cost."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from farebox import ids
from farebox.errors import NotFound
from farebox.http import edge
from farebox.http.callers import Caller, Callers
from farebox.http.dialects.syftbox import answers, wire
from farebox.http.problem import problem_of, retry_after
from farebox.http.strict import Reader
from farebox.identity.credentials import Member
from farebox.ledger.types import Outcome
from farebox.payments.service import PasswordChanged
from farebox.payments.types import NewPayment, Payment
from farebox.services import Services

B = TypeVar("B")
Done = tuple[Payment | None, Outcome]
Act = Callable[[Member, B, str | None], Awaitable[Done]]

_encode = msgspec.json.Encoder().encode
_REPLAYED = ((b"idempotent-replayed", b"true"),)


def transaction_routes(services: Services, callers: Callers, prefix: str) -> dict[str, edge.Route]:
    """Create, confirm and cancel, by their addresses."""
    payments, limit = services.payments, services.settings.max_body_bytes

    def create(member: Member, asked: wire.NewTransaction, key: str | None) -> Awaitable[Done]:
        return payments.create(member, _new(asked), key)

    def confirm(member: Member, asked: wire.TransactionId, key: str | None) -> Awaitable[Done]:
        return payments.confirm(member, _number(asked))

    def cancel(member: Member, asked: wire.TransactionId, key: str | None) -> Awaitable[Done]:
        return payments.cancel(member, _number(asked))

    return {
        f"{prefix}/transaction/create": _route(callers, limit, Reader(wire.NewTransaction), create),
        f"{prefix}/transaction/confirm": _route(callers, limit, Reader(wire.TransactionId), confirm),
        f"{prefix}/transaction/cancel": _route(callers, limit, Reader(wire.TransactionId), cancel),
    }


def _route(callers: Callers, limit: int, reader: Reader[B], act: Act[B]) -> edge.Route:
    async def call(request: edge.Request) -> edge.Answer:
        headers, seen = request.headers, request.seen
        caller: Caller | None = None
        try:
            caller = callers.again(seen.caller) or await callers.remembered(
                edge.text(headers.get(b"authorization")), request.address
            )
            key = edge.idempotency_key(headers.get(b"idempotency-key"), required=False)
            asked = reader.read(edge.whole_body(request, limit) or await edge.body_of(request, limit))
            try:
                payment, outcome = await act(caller.member, asked, key)
            except PasswordChanged:
                payment, outcome = await act(await callers.anew(caller), asked, key)
        except Exception as error:
            seen.forget()
            problem = await callers.confirmed(caller, problem_of(error, request.path))
            status, body = answers.problem(problem)
            return edge.Answer(status, body, [*retry_after(problem), *challenge(status)])
        seen.caller = caller
        if payment is None or outcome.refusal is not None:
            assert outcome.refusal is not None
            return edge.Answer(*answers.refused(outcome.refusal))
        return edge.Answer(
            200, _encode({"transaction": wire.transaction(payment)}), _REPLAYED if outcome.replayed else ()
        )

    return call


def challenge(status: int) -> list[tuple[bytes, bytes]]:
    """How to authenticate, with every 401."""
    return [(b"www-authenticate", b'Basic realm="accounting", charset="UTF-8"')] if status == 401 else []


def _new(asked: wire.NewTransaction) -> NewPayment:
    return NewPayment(
        asked.sender_email,
        asked.recipient_email,
        wire.units_of(asked.amount),
        asked.app_name,
        asked.app_ep_path,
        asked.token,
    )


def _number(asked: wire.TransactionId) -> int:
    number = ids.parse("tx", asked.transaction_id)
    if number is None:
        raise NotFound("there is no such transaction")
    return number
