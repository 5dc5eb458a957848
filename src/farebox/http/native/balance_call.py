"""`GET /v1/wallets/{wallet_id}`: what is asked before nearly every charge, answered before the framework."""

import re

import msgspec

from farebox import ids
from farebox.errors import NotFound
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.native import views
from farebox.http.native.authority import Authority
from farebox.http.native.calls import GUARDED, answered_problem, secret_of
from farebox.http.problem import problem_of
from farebox.identity.types import READ
from farebox.services import Services
from farebox.wallets.types import Wallet

PATH = re.compile("/v1/wallets/[1-9][0-9]{15}")
_encode = msgspec.json.Encoder().encode


def route(services: Services, access: Access) -> edge.Route:
    """The call, for paths that match."""

    async def call(request: edge.Request) -> edge.Answer:
        try:
            return edge.Answer(200, _encode(views.wallet(await read(request))), GUARDED)
        except Exception as error:
            return answered_problem(problem_of(error, request.path), *GUARDED)

    async def read(request: edge.Request) -> Wallet:
        """The wallet and whether the key is valid now, in one look where the key was seen before."""
        secret, number = secret_of(request.headers), ids.parse_wallet_id(request.path.rpartition("/")[2])
        found, known = None, access.known(secret, READ)
        principal = known or await access.principal(secret, request.address, READ)
        if number is not None and known is not None and known.credential_id is not None:
            found = await services.wallets.get_with_key(number, known.credential_id)
        if found is None:
            if known is not None:
                await access.look_again(secret, request.address)
            found = None if number is None else await services.wallets.get(number)
        if found is None or not Authority(services, principal).owns(found):
            raise NotFound("there is no such wallet")
        return found

    return call
