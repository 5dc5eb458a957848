"""Credits: money turned into them, the free trial, and what is spent of them."""

from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from farebox.charging.service import Bill, Charging, fingerprint
from farebox.errors import Invalid
from farebox.identity.types import Principal
from farebox.ledger.types import MAX_UNITS, Deposit, Outcome
from farebox.money import NotExact, floor, to_units
from farebox.pricing.book import Book, NotConvertible
from farebox.pricing.service import Prices
from farebox.teams.service import Teams
from farebox.teams.types import CREDIT, Spender
from farebox.wallets.accounts import Accounts

TRIAL = "free_trial"


class Recharge(Struct, frozen=True):
    """Money that comes in for credits. `key` names the ask, `reference` the payment, which counts once per source."""

    money: Decimal
    """USD."""
    key: str
    source: str = "recharge"
    reference: str | None = None
    note: str | None = None


class Credits:
    """What organizations pay in and spend."""

    def __init__(self, teams: Teams, charging: Charging, prices: Prices, accounts: Accounts) -> None:
        self._teams = teams
        self._charging = charging
        self._prices = prices
        self._accounts = accounts

    async def recharge(self, principal: Principal, organization_id: str, asked: Recharge) -> Outcome:
        """Turns money into credits at the price of a credit; what is owed is paid first.

        Raises Invalid for money that can't be turned into credits, NotFound for an unknown organization.
        """
        team = await self._teams.team(organization_id)
        mark = fingerprint("recharge", organization_id, str(asked.money), asked.source, asked.reference)
        ask = Deposit(
            client=principal.client,
            key=asked.key,
            fingerprint=mark,
            credential_id=principal.credential_id,
            wallet_id=team.wallet_id,
            source_account=await self._accounts.external(asked.source, CREDIT),
            amount=credits_for(await self._prices.fresh(), asked.money),
            reference=asked.reference,
            note=asked.note,
        )
        return await self._charging.submit(ask)

    async def trial(self, principal: Principal, organization_id: str, money: Decimal) -> Outcome:
        """The free trial of an organization, once: asked for again, with any amount, it is the first one's outcome."""
        team = await self._teams.team(organization_id)
        ask = Deposit(
            client=TRIAL,
            key=organization_id,
            fingerprint=fingerprint(TRIAL, organization_id),
            credential_id=principal.credential_id,
            wallet_id=team.wallet_id,
            source_account=await self._accounts.external(TRIAL, CREDIT),
            amount=credits_for(await self._prices.fresh(), money),
            note=f"free trial: {money} USD",
        )
        return await self._charging.submit(ask)

    async def spend(
        self, principal: Principal, spender: Spender, key: str, mark: bytes, bill: Bill, note: str | None = None
    ) -> Outcome:
        """Takes what was used, where there is enough; a refusal is an outcome."""
        house = await self._teams.house()
        return await self._charging.charge(
            principal, house.id, spender.grant, key, mark, bill, member_id=spender.member_id, note=note
        )


def credits_for(book: Book, money: Decimal) -> int:
    """Units of CREDIT for an amount of USD. Where a credit's price leaves a fraction of a unit, it is not given.

    Raises Invalid for an amount that is not above zero, finer than a millionth of a dollar, or too large.
    """
    try:
        usd = to_units(money, book.assets["USD"].scale)
    except NotExact:
        raise Invalid.field("money_amount", "finer than a millionth of a dollar") from None
    if usd <= 0:
        raise Invalid.field("money_amount", "has to be above zero")
    try:
        units = floor(Fraction(usd) * book.conversion("USD", CREDIT))
    except NotConvertible as error:
        raise Invalid(str(error), "not_convertible") from None
    if not units:
        raise Invalid.field("money_amount", "does not come to a unit of credit")
    if units > MAX_UNITS:
        raise Invalid.field("money_amount", "more than any wallet can hold", "amount_too_large")
    return units
