"""Payments between people: created, confirmed or cancelled, on holds of the ledger."""

from collections import OrderedDict
from datetime import timedelta

from asyncpg import Pool, Record
from msgspec.structs import replace

from farebox.charging.service import Charging, fingerprint, own_key
from farebox.consent.delegations import DelegationRef, Delegations
from farebox.db import queries
from farebox.errors import Forbidden, Invalid, NotFound, Unauthorized
from farebox.identity import emails
from farebox.identity.credentials import Member
from farebox.identity.people import People
from farebox.ledger.types import Ask, Capture, Hold, Outcome, Release
from farebox.payments.types import (
    CANCELLED,
    COMPLETED,
    RECIPIENT,
    SENDER,
    NewPayment,
    Payment,
    may_cancel,
    may_confirm,
)

_SQL = queries.load("farebox.payments")
MOST_SHOWN = 10_000
"""The most payments in one answer, the newest."""
_REMEMBERED = 8192


class PasswordChanged(Unauthorized):
    """The password that was verified is another one by now: verify again."""


class Payments:
    """The payments of one database."""

    def __init__(
        self, pool: "Pool[Record]", charging: Charging, people: People, delegations: Delegations, ttl_s: int
    ) -> None:
        self._pool = pool
        self._charging = charging
        self._people = people
        self._delegations = delegations
        self._ttl_s = ttl_s
        self._opened: OrderedDict[int, Payment] = OrderedDict()

    async def create(self, member: Member, new: NewPayment, key: str | None) -> tuple[Payment | None, Outcome]:
        """A pending payment, or the refusal. Raises Problem where it can't be asked, PasswordChanged."""
        new = replace(new, sender=emails.known_as(new.sender), recipient=emails.known_as(new.recipient))
        ask = await (self._sent(member, new, key) if new.token is None else self._drawn(member, new, key))
        outcome = await self._submit(ask)
        if outcome.refusal is not None:
            return None, outcome
        if outcome.replayed:
            return await self.get(ask.wallet_id, outcome.transfer_id), outcome
        payment = _opened(ask, new, outcome)
        self._opened[payment.id] = payment
        if len(self._opened) > _REMEMBERED:
            self._opened.popitem(last=False)
        return payment, outcome

    async def confirm(self, member: Member, number: int) -> tuple[Payment, Outcome]:
        """Moves a pending payment. The payment says what became of it; a refusal, why not."""
        payment = await self._of(member, number)
        side = payment.side_of(member.wallet_id)
        if not may_confirm(payment, side):
            raise Forbidden("whoever created a transaction confirms it", "not_creator")
        ask = Capture(
            client=member.client,
            key=f"auto:confirm:{payment.id}",
            fingerprint=fingerprint("payment.confirm", payment.id),
            person=member.seal,
            wallet_id=payment.wallet_id,
            grant_id=payment.grant_id,
            lineage=tuple(payment.lineage or ()),
            hold_id=payment.id,
            to_wallet_id=payment.to_wallet_id,
            by=side,
        )
        return await self._resolved(payment, ask, "posted", side, COMPLETED)

    async def cancel(self, member: Member, number: int) -> tuple[Payment, Outcome]:
        """Frees a pending payment. The payment says what became of it; a refusal, why not."""
        payment = await self._of(member, number)
        side = payment.side_of(member.wallet_id)
        if not may_cancel(payment, side):
            raise Forbidden("the recipient created it and cancels it, or it times out", "not_creator")
        ask = Release(
            client=member.client,
            key=f"auto:cancel:{payment.id}",
            fingerprint=fingerprint("payment.cancel", payment.id),
            person=member.seal,
            wallet_id=payment.wallet_id,
            grant_id=payment.grant_id,
            lineage=tuple(payment.lineage or ()),
            hold_id=payment.id,
            by=side,
        )
        return await self._resolved(payment, ask, "voided", side, CANCELLED)

    async def get(self, wallet_id: int, number: int) -> Payment:
        """A payment that a wallet sends or receives; NotFound for any other number."""
        row = await _SQL.payment.first(self._pool, wallet_id=wallet_id, id=number)
        if row is None:
            raise NotFound("there is no such transaction")
        return Payment(**row)

    async def history(self, wallet_id: int, limit: int = MOST_SHOWN) -> list[Payment]:
        """What a wallet has sent and received, newest first."""
        rows = await _SQL.payments_of.all(self._pool, wallet_id=wallet_id, limit=limit)
        return [Payment(**row) for row in rows]

    async def draws(self, grant_ids: list[int]) -> dict[int, list[Payment]]:
        """What was drawn on each of some delegations, and on those that were made from it; newest first."""
        found: dict[int, list[Payment]] = {grant_id: [] for grant_id in grant_ids}
        for row in await _SQL.draws.all(self._pool, grant_ids=grant_ids, limit=MOST_SHOWN):
            counted_on, *payment = row
            found[counted_on].append(Payment(*payment))
        return found

    async def _sent(self, member: Member, new: NewPayment, key: str | None) -> Hold:
        """What the sender asks for."""
        if new.sender != member.email:
            raise Forbidden("only the sender may do this, or the recipient with the sender's token", "not_sender")
        return self._hold(member, new, key, member.wallet_id, await self._people.wallet_of(new.recipient), None)

    async def _drawn(self, member: Member, new: NewPayment, key: str | None) -> Hold:
        """What the recipient asks for, with the sender's token."""
        if new.recipient != member.email:
            raise Forbidden("only the recipient may use a token", "not_recipient")
        delegation = await self._delegations.resolve(new.token or "", member.wallet_id)
        if await self._people.wallet_of(new.sender) != delegation.wallet_id:
            raise Forbidden("this token draws on another sender", "not_sender")
        if not delegation.covers(new.app_name):
            raise Forbidden("this token is for other services", "service_not_allowed")
        return self._hold(member, new, key, delegation.wallet_id, member.wallet_id, delegation)

    def _hold(
        self,
        member: Member,
        new: NewPayment,
        key: str | None,
        wallet_id: int,
        to_wallet_id: int,
        delegation: DelegationRef | None,
    ) -> Hold:
        if wallet_id == to_wallet_id:
            raise Invalid.field("recipientEmail", "sender and recipient are the same")
        grant_id = None if delegation is None else delegation.grant_id
        mark = fingerprint("payment", wallet_id, to_wallet_id, new.amount, new.app_name, new.app_path, grant_id)
        return Hold(
            client=member.client,
            key=key or own_key(),
            fingerprint=mark,
            person=member.seal,
            wallet_id=wallet_id,
            grant_id=grant_id,
            lineage=() if delegation is None else delegation.lineage,
            to_wallet_id=to_wallet_id,
            asked_by=SENDER if delegation is None else RECIPIENT,
            app_name=new.app_name,
            app_path=new.app_path,
            amount=new.amount,
            ttl_s=self._ttl_s,
        )

    async def _of(self, member: Member, number: int) -> Payment:
        """A payment that the caller is a side of; of one made here lately, what never changes of it."""
        payment = self._opened.get(number)
        if payment is not None and member.wallet_id in (payment.wallet_id, payment.to_wallet_id):
            return payment
        return await self.get(member.wallet_id, number)

    async def _resolved(
        self, payment: Payment, ask: Capture | Release, state: str, side: str, wanted: str
    ) -> tuple[Payment, Outcome]:
        outcome = await self._submit(ask)
        if outcome.refusal is None and not outcome.replayed:
            self._opened.pop(payment.id, None)  # nobody needs it much longer, and the next one takes its place
            reason = "released" if state == "voided" else None
            done = replace(payment, state=state, void_reason=reason, closed_by=side, closed_at=outcome.created_at)
            return done, outcome
        found = await self.get(payment.wallet_id, payment.id)
        # Asked for again, or by the other side too: the same outcome is no conflict.
        return found, replace(outcome, refusal=None) if found.status == wanted else outcome

    async def _submit(self, ask: Ask) -> Outcome:
        try:
            return await self._charging.submit(ask)
        except Unauthorized:
            raise PasswordChanged("the password was changed", "password_changed") from None


def _opened(ask: Hold, new: NewPayment, outcome: Outcome) -> Payment:
    """The payment that a hold was opened for, as the database has it."""
    return Payment(  # of more than 15 names, Python makes a dictionary first: six go by place
        ask.wallet_id,
        outcome.transfer_id,
        ask.grant_id,
        list(ask.lineage) or None,
        ask.to_wallet_id or 0,
        new.sender,
        recipient=new.recipient,
        asked_by=ask.asked_by or "",
        closed_by=None,
        amount=ask.amount,
        state="pending",
        void_reason=None,
        app_name=new.app_name,
        app_path=new.app_path,
        created_at=outcome.created_at,
        expires_at=outcome.created_at + timedelta(seconds=ask.ttl_s),
        closed_at=None,
        now=outcome.created_at,
    )
