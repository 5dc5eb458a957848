"""A hold around a block of work: the worst case is reserved before, what was used is taken after, the rest is freed."""

from typing import Any

from farebox.client.call import Call, units
from farebox.client.calls import charges
from farebox.client.errors import FareboxError
from farebox.client.types import Charged, Hold, Usage


class Holding:
    """What both shells of a hold share. `hold` is there in the block, `charge` after it, where something was taken."""

    def __init__(self, asked: Call[Charged], model: str | None) -> None:
        self._asked = asked
        self._model = model
        self._usage: Usage | None = None
        self._amount: int | None = None
        self._hold: Charged | None = None
        self.charge: Charged | None = None

    @property
    def hold(self) -> Charged:
        """What was reserved."""
        if self._hold is None:
            raise RuntimeError("the hold is made when its block is entered")
        return self._hold

    def used(self, usage: Usage | None = None, *, amount: int | None = None) -> None:
        """Says what to take at the end: usage of the hold's model, or an amount in units. The last word counts.

        Without it the whole hold is taken. More than is held is refused, with `capture_exceeds_hold`.
        """
        if (usage is None) == (amount is None):
            raise ValueError("say either what was used, or an amount")
        if usage is not None and self._model is None:
            raise ValueError("this hold has no model to price usage with: say an amount")
        self._usage, self._amount = usage, units(amount)

    def _capture(self) -> Call[Charged] | None:
        """The call that takes what was used; None where nothing was."""
        if self._amount == 0:
            return None
        model = None if self._usage is None else self._model
        key = f"capture:{self.hold.id}"  # a hold is captured once, whoever asks
        return charges.capture(self.hold.id, model=model, usage=self._usage, amount=self._amount, idempotency_key=key)

    def _release(self) -> Call[Hold]:
        return charges.release(self.hold.id, idempotency_key=f"release:{self.hold.id}")

    def _not_released(self, error: BaseException, reason: FareboxError) -> None:
        """Tells the exception that ends the block what else went wrong."""
        error.add_note(f"The hold {self.hold.id} could not be released and will expire by itself: {reason}")


class HoldBlock(Holding):
    """`with client.hold(…) as held:`: takes what was used at the block's end, and nothing after an exception."""

    def __init__(self, maker: Any, asked: Call[Charged], model: str | None) -> None:
        super().__init__(asked, model)
        self._maker = maker

    def __enter__(self) -> "HoldBlock":
        self._hold = self._maker._make(self._asked)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        capture = None if error is not None else self._capture()
        if capture is not None:
            self.charge = self._maker._make(capture)
            return
        try:
            self._maker._make(self._release())
        except FareboxError as reason:
            if error is None:
                raise
            self._not_released(error, reason)


class AsyncHoldBlock(Holding):
    """The same for `async with`."""

    def __init__(self, maker: Any, asked: Call[Charged], model: str | None) -> None:
        super().__init__(asked, model)
        self._maker = maker

    async def __aenter__(self) -> "AsyncHoldBlock":
        self._hold = await self._maker._make(self._asked)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        capture = None if error is not None else self._capture()
        if capture is not None:
            self.charge = await self._maker._make(capture)
            return
        try:
            await self._maker._make(self._release())
        except FareboxError as reason:
            if error is None:
                raise
            self._not_released(error, reason)
