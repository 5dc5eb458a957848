"""The client for asyncio."""

from typing import Any

from conxa import calls
from conxa.calls import OnPending
from conxa.models import ChargeResult, QRCodeData, SessionStatus, WalletBalance
from conxa.settings import Configured
from farebox.client.connected import AsyncConnected


class AsyncCONXAClient(Configured, AsyncConnected):
    """CONXAClient for asyncio: the same calls, awaited; drawing codes is not. Tasks of one loop may share one."""

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        timeout: float | None = None,
        provider_id: str | None = None,
        provider_type: str = "api",
    ) -> None:
        super().__init__(api_key, base_url, timeout, provider_id, provider_type)
        self._connect(self.base_url, self._headers)

    async def get_session_status(
        self,
        provider_username: str,
        retry_on_rate_limit: bool = True,
        max_retries: int = 3,
        qr_data: QRCodeData | None = None,
    ) -> SessionStatus:
        """As CONXAClient's."""
        asked = calls.session_status(provider_username, retry_on_rate_limit, max_retries, qr_data, self._policy)
        return await self._carrier.run(asked)

    async def wait_for_connection(
        self,
        provider_username: str,
        timeout: float = 120,
        poll_interval: float = 2,
        on_pending: OnPending | None = None,
        rate_limit_timeout: float = 10,
        qr_data: QRCodeData | None = None,
    ) -> SessionStatus:
        """As CONXAClient's; `on_pending` may be a coroutine function."""
        waiting = calls.Waiting(
            provider_username, timeout, poll_interval, on_pending, rate_limit_timeout, qr_data, self._policy
        )
        return await self._carrier.run(waiting.program())

    async def charge(
        self,
        session_token: str,
        idempotency_key: str | None = None,
        model_name: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
    ) -> ChargeResult:
        """As CONXAClient's."""
        asked = calls.charge(session_token, idempotency_key, model_name, input_tokens, output_tokens, self._policy)
        return await self._carrier.run(asked)

    async def preview_charge(
        self, session_token: str, model_name: str, input_tokens: int, output_tokens: int
    ) -> dict[str, Any]:
        """As CONXAClient's."""
        found: dict[str, Any] = await self._carrier.run(
            self._preview(session_token, model_name, input_tokens, output_tokens)
        )
        return found

    async def get_wallet_balance(self, wallet_id: str) -> WalletBalance:
        """As CONXAClient's."""
        return await self._carrier.run(calls.wallet(wallet_id, self._policy))

    async def health_check(self) -> bool:
        """As CONXAClient's."""
        return await self._carrier.run(calls.healthy(self._policy))
