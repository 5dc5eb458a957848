"""A meter around calls of an AI service: holds the worst case, takes what the answers say was used, frees the rest.

What it does stands here once, as programs; `Meter` and `AsyncMeter` carry them.
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Self, TypedDict, TypeVar

from farebox.client.call import Call, program
from farebox.client.calls import charges
from farebox.client.core import Policy, Program
from farebox.client.errors import FareboxError, Gone, Invalid, NoUsage
from farebox.client.types import Charged, Grant, Session, Usage
from farebox.client.usages import Seen, added

R = TypeVar("R")

WORST = Usage(input_tokens=16_384, output_tokens=4_096)
"""What a meter holds where it is told nothing."""

Payer = str | Grant | Session
"""Who pays: a session token, a grant's id, or what the client told of either."""


class Named(TypedDict, total=False):
    """Who pays, as a charge is told it: one of the two."""

    session_token: str
    grant: str


class Metering:
    """What both shells of a meter share.

    `hold` is there in the block. After it, `charges` is what was taken: nothing, a capture, or a capture and a charge
    for what went beyond the hold; `amount` is their sum, in units.
    """

    def __init__(
        self,
        payer: Payer,
        model: str,
        worst: Usage | None,
        amount: int | None,
        expires_in_s: int | None,
        policy: Policy,
    ) -> None:
        self._payer = payer_of(payer)
        self._model = model
        self._policy = policy
        usage = (worst or WORST) if amount is None else None
        self._asked = charges.hold(**self._payer, model=model, usage=usage, amount=amount, expires_in_s=expires_in_s)
        self._hold: Charged | None = None
        self._seen: list[Seen] = []
        self._told = Usage()
        self._settled = False
        self.charges: list[Charged] = []

    @property
    def hold(self) -> Charged:
        """What was reserved."""
        if self._hold is None:
            raise RuntimeError("the hold is made when the meter's block is entered")
        return self._hold

    @property
    def usage(self) -> Usage:
        """What was used so far."""
        total = self._told
        for seen in self._seen:
            total = added(total, seen.usage or Usage())
        return total

    @property
    def amount(self) -> int:
        """What was taken, in units; 0 before the block's end."""
        return sum(charge.amount for charge in self.charges)

    def used(self, usage: Usage) -> None:
        """Adds usage that no answer tells."""
        self._told = added(self._told, usage)

    def take(self, response: R) -> R:
        """Adds what an answer says was used, and gives the answer back; NoUsage where it does not say."""
        seen = Seen()
        seen.read(response)
        _require(seen)
        self._seen.append(seen)
        return response

    def _streaming(self) -> Seen:
        # Known from the start: of a stream that is broken off counts what it has told.
        seen = Seen()
        self._seen.append(seen)
        return seen

    def _begin(self) -> Program[None]:
        self._hold = yield from program(self._asked, self._policy)

    def _settle(self) -> Program[None]:
        """Captures what was used and frees the rest. Asked again after an error, it goes on where it was."""
        if self._settled:
            return
        usage = self.usage
        if usage == Usage():
            yield from program(charges.release(self.hold.id, idempotency_key=f"release:{self.hold.id}"), self._policy)
        else:
            self.charges = yield from self._taken(usage)
        self._settled = True

    def _taken(self, usage: Usage) -> Program[list[Charged]]:
        # The keys are made of the hold's id: however often this is asked, it is taken once.
        hold = self.hold
        try:
            key = f"capture:{hold.id}"
            call = charges.capture(hold.id, model=self._model, usage=usage, idempotency_key=key)
            return [(yield from program(call, self._policy))]
        except Gone:  # the work took longer than the hold lasted
            late = charges.charge(**self._payer, model=self._model, usage=usage, idempotency_key=f"late:{hold.id}")
            return [(yield from program(late, self._policy))]
        except Invalid as error:
            if error.code != "capture_exceeds_hold" or error.amount is None:
                raise
            beyond = error.amount - hold.amount
        whole: Call[Charged] = charges.capture(hold.id, idempotency_key=f"whole:{hold.id}")
        done = yield from program(whole, self._policy)
        rest = charges.charge(**self._payer, model=self._model, amount=beyond, idempotency_key=f"beyond:{hold.id}")
        return [done, (yield from program(rest, self._policy))]

    def _not_settled(self, error: BaseException, reason: FareboxError) -> None:
        """Tells the exception that ends the block what else went wrong."""
        error.add_note(f"The hold {self.hold.id} could not be settled and will expire by itself: {reason}")


class Meter(Metering):
    """`with farebox.meter(grant, model=…) as m:` takes what `m.take(…)` and `m.stream(…)` saw, however the block ends.

    A failure inside the block is raised as it was; what had been used before it is taken all the same. Raises
    FareboxError where the hold is refused, or where it can't be settled: then `settle()` tries again.
    """

    def __init__(self, carrier: Any, *told: Any) -> None:
        super().__init__(*told)
        self._carrier = carrier

    def stream(self, parts: Iterable[R]) -> Iterator[R]:
        """The parts of a stream, as they come; NoUsage after the last, where none of them told the usage."""
        seen = self._streaming()
        return _parts(seen, parts)

    def settle(self) -> None:
        """Captures what was used and frees the rest; the block's end does it. Asking again takes nothing twice."""
        self._carrier.run(self._settle())

    def __enter__(self) -> Self:
        self._carrier.run(self._begin())
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self.settle()
        except FareboxError as reason:
            if error is None:
                raise
            self._not_settled(error, reason)


class AsyncMeter(Metering):
    """The same for `async with`."""

    def __init__(self, carrier: Any, *told: Any) -> None:
        super().__init__(*told)
        self._carrier = carrier

    def stream(self, parts: AsyncIterable[R]) -> AsyncIterator[R]:
        """The parts of a stream, as they come; NoUsage after the last, where none of them told the usage."""
        return _async_parts(self._streaming(), parts)

    async def settle(self) -> None:
        """Captures what was used and frees the rest; the block's end does it. Asking again takes nothing twice."""
        await self._carrier.run(self._settle())

    async def __aenter__(self) -> Self:
        await self._carrier.run(self._begin())
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            await self.settle()
        except FareboxError as reason:
            if error is None:
                raise
            self._not_settled(error, reason)


def payer_of(payer: Payer) -> Named:
    """Who pays, as a charge is told it; ValueError for a session without a token."""
    if isinstance(payer, Grant):
        return {"grant": payer.id}
    token = payer.session_token if isinstance(payer, Session) else payer
    if not token:
        raise ValueError("this session is not active: it has no token")
    return {"grant": token} if token.startswith("gr_") else {"session_token": token}


def _parts(seen: Seen, parts: Iterable[R]) -> Iterator[R]:
    for part in parts:
        seen.read(part)
        yield part
    _require(seen)


async def _async_parts(seen: Seen, parts: AsyncIterable[R]) -> AsyncIterator[R]:
    async for part in parts:
        seen.read(part)
        yield part
    _require(seen)


def _require(seen: Seen) -> None:
    if seen.usage is None:
        raise NoUsage
