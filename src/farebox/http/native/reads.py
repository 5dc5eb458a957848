"""A wallet's balance and its statement page by page, answered before the framework: what is read most."""

import re
from collections.abc import Awaitable, Callable

import msgspec

from farebox import ids
from farebox.errors import NotFound
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.native import statements, views
from farebox.http.native.authority import Authority
from farebox.http.native.calls import GUARDED, answered_problem, secret_of
from farebox.http.native.cursors import Cursors
from farebox.http.native.paging import PAGE, Paging
from farebox.http.problem import problem_of
from farebox.identity.types import READ
from farebox.services import Services
from farebox.wallets.types import Wallet

BALANCE = re.compile("/v1/wallets/([1-9][0-9]{15})"), re.compile(b"")
STATEMENT = (
    re.compile("/v1/wallets/([1-9][0-9]{15})/statement"),
    re.compile(b"(?:limit=([1-9][0-9]{0,2})(?:&cursor=([A-Za-z0-9_-]+))?|cursor=([A-Za-z0-9_-]+))?"),
)
"""Path and query. With a page's length, a cursor, and nothing else: the framework reads all other queries."""
_encode = msgspec.json.Encoder().encode


class Reads:
    """Both calls, for addresses that match."""

    def __init__(self, services: Services, access: Access) -> None:
        self._services = services
        self._access = access
        self._cursors = Cursors(services.secret)

    async def balance(self, request: edge.Request) -> edge.Answer:
        """`GET /v1/wallets/{wallet_id}`."""

        async def read() -> bytes:
            return _encode(views.wallet(await self._wallet(request, BALANCE[0])))

        return await _answered(request, read)

    async def statement(self, request: edge.Request) -> edge.Answer:
        """`GET /v1/wallets/{wallet_id}/statement?limit={limit}&cursor={cursor}`, either or none."""

        async def read() -> bytes:
            wallet = await self._wallet(request, STATEMENT[0])
            return _encode(await statements.statement(self._services, self._paging(request.query), wallet))

        return await _answered(request, read)

    def _paging(self, query: bytes) -> Paging:
        asked = STATEMENT[1].fullmatch(query)
        assert asked is not None  # else the request would not be here
        limit, cursor = asked[1], asked[2] or asked[3]
        return Paging(self._cursors, int(limit or PAGE), None if cursor is None else cursor.decode())

    async def _wallet(self, request: edge.Request, path: re.Pattern[str]) -> Wallet:
        """The wallet and whether the key is valid now, in one look where the key was seen before."""
        named = path.fullmatch(request.path)
        number = None if named is None else ids.parse_wallet_id(named[1])
        access, secret = self._access, secret_of(request.headers)
        found, known = None, access.known(secret, READ)
        principal = known or await access.principal(secret, request.address, READ)
        if number is not None and known is not None and known.credential_id is not None:
            found = await self._services.wallets.get_with_key(number, known.credential_id)
        if found is None:
            if known is not None:
                await access.look_again(secret, request.address)
            found = None if number is None else await self._services.wallets.get(number)
        if found is None or not Authority(self._services, principal).owns(found):
            raise NotFound("there is no such wallet")
        return found


async def _answered(request: edge.Request, read: Callable[[], Awaitable[bytes]]) -> edge.Answer:
    try:
        return edge.Answer(200, await read(), GUARDED)
    except Exception as error:
        return answered_problem(problem_of(error, request.path), *GUARDED)
