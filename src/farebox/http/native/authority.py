"""Whose things a key may see and use. What it may not see is not there: 404, as for an id that never was (RULES 27)."""

from farebox import ids
from farebox.consent.types import ConnectionRequest, Grant
from farebox.envelopes.types import Envelope
from farebox.errors import NotFound
from farebox.http.native.may import administrators
from farebox.identity.types import Principal, Provider
from farebox.services import Services
from farebox.wallets.types import HoldRecord, TransferRecord, Wallet

CHARGE_KINDS = ("charge", "capture", "usage")


class Authority:
    """What one caller may reach."""

    def __init__(self, services: Services, principal: Principal) -> None:
        self.services = services
        self.principal = principal

    @property
    def actor(self) -> str:
        """How the audit log names the caller."""
        return f"{self.principal.client}/key_{self.principal.credential_id}"

    def administrator(self) -> None:
        """Raises Forbidden for everybody else."""
        administrators(self.principal)

    async def wallet(self, wallet_id: str) -> Wallet:
        """A wallet that the caller owns or administers."""
        number = ids.parse_wallet_id(wallet_id)
        if number is None:
            raise NotFound("there is no such wallet")
        found = await self.services.wallets.get(number)
        if not self.owns(found):
            raise NotFound("there is no such wallet")
        return found

    def owns(self, wallet: Wallet) -> bool:
        """Whether a wallet is the caller's, or the caller administers."""
        return self._owns(wallet.organization_id)

    async def grant(self, grant_id: str, *, as_payer: bool = False) -> Grant:
        """A grant on a wallet of the caller's, or, for reading, one that the caller draws on."""
        number = ids.parse("gr", grant_id)
        if number is None:
            raise NotFound("there is no such grant")
        found = await self.services.consent.get(number)
        if not as_payer and self.principal.slug is not None and found.provider == self.principal.slug:
            return found
        if not await self._owns_wallet(found.wallet_id):
            raise NotFound("there is no such grant")
        return found

    async def request(self, request_id: str) -> ConnectionRequest:
        """A connection request that a wallet of the caller's opened."""
        number = ids.parse("cr", request_id)
        if number is None:
            raise NotFound("there is no such connection request")
        found = await self.services.consent.request(number)
        if not await self._owns_wallet(found.wallet_id):
            raise NotFound("there is no such connection request")
        return found

    async def charge(self, charge_id: str) -> TransferRecord:
        """A charge that the caller made, or that a wallet of the caller's paid."""
        place = ids.parse_transfer("ch", charge_id)
        found = None if place is None else await self.services.wallets.transfer(*place)
        if (
            found is None
            or found.kind not in CHARGE_KINDS
            or not await self._part_of(found.provider_id, found.wallet_id)
        ):
            raise NotFound("there is no such charge")
        return found

    async def hold(self, hold_id: str) -> HoldRecord:
        """A hold that the caller made, or that is on a wallet of the caller's."""
        place = ids.parse_transfer("hd", hold_id)
        found = None if place is None else await self.services.wallets.hold(*place)
        if found is None or not await self._part_of(found.provider_id, found.wallet_id):
            raise NotFound("there is no such hold")
        return found

    async def provider(self, slug: str) -> Provider:
        """A provider: its own for a provider's key, any for an administrator."""
        if not self.principal.is_admin and self.principal.slug != slug:
            raise NotFound("there is no such provider")
        return await self.services.directory.provider(slug)

    async def envelope(self, envelope_id: str) -> Envelope:
        """An envelope of the caller's organization; for an administrator, any."""
        number = ids.parse("env", envelope_id)
        if number is None:
            raise NotFound("there is no such envelope")
        found = await self.services.envelopes.get(number)
        if not self._owns(found.standing.organization_id):
            raise NotFound("there is no such envelope")
        return found

    def organization(self, organization_id: str) -> None:
        """Raises NotFound unless it is the caller's own, or the caller administers."""
        if not self._owns(organization_id):
            raise NotFound("there is no such organization")

    def charges(self, provider_id: int) -> None:
        """Raises NotFound unless the caller is the provider of a grant, or administers."""
        if not self.principal.is_admin and self.principal.provider_id != provider_id:
            raise NotFound("there is no such grant")

    def _owns(self, organization_id: str | None) -> bool:
        mine = self.principal.organization_id
        return self.principal.is_admin or (mine is not None and mine == organization_id)

    async def _owns_wallet(self, wallet_id: int) -> bool:
        if self.principal.organization_id is None:
            return self.principal.is_admin
        return self._owns((await self.services.wallets.get(wallet_id)).organization_id)

    async def _part_of(self, provider_id: int | None, wallet_id: int) -> bool:
        if self.principal.provider_id is not None:
            return self.principal.provider_id == provider_id
        return await self._owns_wallet(wallet_id)
