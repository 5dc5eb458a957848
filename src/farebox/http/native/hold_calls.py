"""Holds and their captures, answered before the framework: together they are the charge of what takes long."""

import re
from collections import OrderedDict

import msgspec
from msgspec import Struct

from farebox import ids
from farebox.charging.service import Bill, fingerprint
from farebox.consent.types import GrantRef
from farebox.errors import Invalid, NotFound
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.native import calls, wire
from farebox.http.native.authority import Authority
from farebox.http.native.charge_call import bill_of, drawn_grant
from farebox.http.native.may import anybody, who_charges
from farebox.http.native.outcomes import charged, refused
from farebox.http.strict import Reader
from farebox.identity.types import Principal
from farebox.ledger.types import Outcome
from farebox.services import Services
from farebox.wallets.types import HoldRecord

HOLD = "/v1/holds"
CAPTURE = re.compile("/v1/holds/([^/]+)/capture"), re.compile(b"")
"""Path and query."""
_REMEMBERED = 65_536
_encode = msgspec.json.Encoder().encode


class Held(Struct, frozen=True, gc=False):
    """What never changes of a provider's hold."""

    id: int
    grant: GrantRef
    model: str | None


class HoldCalls:
    """Both calls. Of holds that were made here lately, what never changes is remembered."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._made: OrderedDict[str, Held] = OrderedDict()

    async def hold(self, principal: Principal, key: str, data: wire.NewHold) -> tuple[Outcome, GrantRef]:
        """Reserves; raises Problem."""
        grant = await drawn_grant(self._services, principal, data)
        outcome = await self._services.charging.hold(
            principal,
            grant.provider_id,
            grant,
            key,
            fingerprint("hold", grant.grant_id, data),
            bill_of(data, grant.asset),
            data.expires_in_s or self._services.settings.hold_ttl_s,
        )
        if outcome.refusal is None and not outcome.replayed:
            name = ids.transfer("hd", grant.wallet_id, outcome.transfer_id)
            self._made[name] = Held(outcome.transfer_id, grant, data.model)
            if len(self._made) > _REMEMBERED:
                self._made.popitem(last=False)
        return outcome, grant

    async def capture(
        self, principal: Principal, key: str, data: wire.NewCapture, hold_id: str
    ) -> tuple[Outcome, GrantRef]:
        """Takes what was used; raises Problem."""
        held = self._made.get(hold_id)
        if held is None or principal.provider_id != held.grant.provider_id:
            held = await self._looked_up(principal, hold_id)
        grant = held.grant
        whole = data.usage is None and data.amount is None
        bill = bill_of(data, grant.asset) if not whole else Bill(data.model or held.model)
        if bill.usage is not None and bill.model is None:
            raise Invalid.field("model", "needed to price usage")
        mark = fingerprint("capture", grant.wallet_id, held.id, data)
        return await self._services.charging.capture(
            principal, grant.provider_id, grant, held.id, key, mark, bill
        ), grant

    async def _looked_up(self, principal: Principal, hold_id: str) -> Held:
        authority = Authority(self._services, principal)
        found = await authority.hold(hold_id)
        grant = grant_of(found)
        authority.charges(grant.provider_id)
        return Held(found.id, grant, found.model)


def grant_of(hold: HoldRecord) -> GrantRef:
    """The grant of a provider's hold; NotFound for a payment between people, which those two resolve."""
    if hold.grant_id is None or hold.provider_id is None:
        raise NotFound("there is no such hold of a provider")
    return GrantRef(hold.grant_id, hold.wallet_id, hold.asset, hold.provider_id)


def hold_route(holds: HoldCalls, access: Access, limit: int) -> edge.Route:
    """`POST /v1/holds`."""

    async def act(principal: Principal, key: str, data: wire.NewHold, _: str) -> edge.Answer:
        return _answered(*await holds.hold(principal, key, data), "hd")

    return calls.route(access, limit, Reader(wire.NewHold), act, who_charges, *calls.GUARDED)


def capture_route(holds: HoldCalls, access: Access, limit: int) -> edge.Route:
    """`POST /v1/holds/{hold_id}/capture`, for paths that match."""

    async def act(principal: Principal, key: str, data: wire.NewCapture, path: str) -> edge.Answer:
        hold_id = path.split("/")[3]
        return _answered(*await holds.capture(principal, key, data, hold_id), "ch")

    return calls.route(access, limit, Reader(wire.NewCapture), act, anybody, *calls.GUARDED)


def _answered(outcome: Outcome, grant: GrantRef, prefix: str) -> edge.Answer:
    if outcome.refusal is not None:
        return calls.answered_problem(refused(outcome, prefix, grant.wallet_id, grant.asset), *calls.GUARDED)
    more = (*calls.REPLAYED, *calls.GUARDED) if outcome.replayed else calls.GUARDED
    return edge.Answer(201, _encode(charged(outcome, prefix, grant)), more)
