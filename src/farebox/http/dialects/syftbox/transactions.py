"""The calls that move money between people, as plain ASGI functions: one of them is a payment's whole cost."""

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
from farebox.payments.types import NewPayment, Payment
from farebox.services import Services

B = TypeVar("B")
Done = tuple[Payment | None, Outcome]
Act = Callable[[Member, B, str | None], Awaitable[Done]]

_encode = msgspec.json.Encoder().encode


def transaction_routes(services: Services, callers: Callers, prefix: str) -> dict[str, edge.App]:
    """Create, confirm and cancel, by their addresses."""
    payments, limit = services.payments, services.settings.max_body_bytes

    async def create(member: Member, asked: wire.NewTransaction, key: str | None) -> Done:
        return await payments.create(member, _new(asked), key)

    async def confirm(member: Member, asked: wire.TransactionId, key: str | None) -> Done:
        return await payments.confirm(member, _number(asked))

    async def cancel(member: Member, asked: wire.TransactionId, key: str | None) -> Done:
        return await payments.cancel(member, _number(asked))

    return {
        f"{prefix}/transaction/create": _route(callers, limit, Reader(wire.NewTransaction), create),
        f"{prefix}/transaction/confirm": _route(callers, limit, Reader(wire.TransactionId), confirm),
        f"{prefix}/transaction/cancel": _route(callers, limit, Reader(wire.TransactionId), cancel),
    }


def _route(callers: Callers, limit: int, reader: Reader[B], act: Act[B]) -> edge.App:
    async def call(scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        headers = edge.headers_of(scope)
        caller: Caller | None = None
        try:
            caller = await callers.remembered(edge.text(headers.get(b"authorization")), edge.address_of(scope))
            key = edge.idempotency_key(headers.get(b"idempotency-key"), required=False)
            asked = reader.read(await edge.body_of(headers, receive, limit))
            payment, outcome = await callers.acting(caller, lambda member: act(member, asked, key))
        except Exception as error:
            problem = await callers.confirmed(caller, problem_of(error, scope["path"]))
            status, body = answers.problem(problem)
            await edge.reply(send, status, body, *retry_after(problem), *challenge(status))
            return
        if payment is None or outcome.refusal is not None:
            assert outcome.refusal is not None
            await edge.reply(send, *answers.refused(outcome.refusal))
        else:
            marks = ((b"idempotent-replayed", b"true"),) if outcome.replayed else ()
            await edge.reply(send, 200, _encode({"transaction": wire.transaction(payment)}), *marks)

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
