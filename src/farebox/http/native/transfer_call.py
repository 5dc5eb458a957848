"""`POST /v1/transfers`: one implementation, called before the framework and by its handler."""

import msgspec

from farebox import ids
from farebox.charging.service import fingerprint
from farebox.errors import Invalid
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.native import calls, wire
from farebox.http.native.authority import Authority
from farebox.http.native.may import who_has_wallets
from farebox.http.native.outcomes import moved_view, refused
from farebox.http.strict import Reader
from farebox.identity.types import Principal
from farebox.ledger.types import Outcome, Transfer
from farebox.services import Services
from farebox.wallets.types import Wallet

PATH = "/v1/transfers"
_encode = msgspec.json.Encoder().encode


async def transfer(authority: Authority, key: str, data: wire.NewTransfer) -> tuple[Outcome, Wallet]:
    """Moves money out of a wallet of the caller's, who may have some; the outcome, and that wallet. Raises Problem."""
    principal = authority.principal
    payer = await authority.wallet(data.from_wallet)
    to_wallet_id = ids.parse_wallet_id(data.to_wallet)
    if to_wallet_id is None:
        raise Invalid.field("to_wallet", "there is no such wallet")
    if to_wallet_id == payer.id:
        raise Invalid.field("to_wallet", "is the wallet that pays")
    ask = Transfer(
        client=principal.client,
        key=key,
        fingerprint=fingerprint("transfer", data),
        credential_id=principal.credential_id,
        wallet_id=payer.id,
        to_wallet_id=to_wallet_id,
        amount=data.amount,
        asset=data.asset,
        note=data.note,
    )
    return await authority.services.charging.submit(ask), payer


def route(services: Services, access: Access) -> edge.Route:
    """The call, answered before the framework."""

    async def act(principal: Principal, key: str, data: wire.NewTransfer, _: str) -> edge.Answer:
        outcome, payer = await transfer(Authority(services, principal), key, data)
        if outcome.refusal is not None:
            return calls.answered_problem(refused(outcome, "tr", payer.id, payer.asset), *calls.GUARDED)
        more = (*calls.REPLAYED, *calls.GUARDED) if outcome.replayed else calls.GUARDED
        return edge.Answer(201, _encode(moved_view(outcome, "tr", payer.id, payer.asset)), more)

    return calls.route(
        access, services.settings.max_body_bytes, Reader(wire.NewTransfer), act, who_has_wallets, *calls.GUARDED
    )
