"""The client for asyncio."""

from typing import Any

from farebox.client.connected import AsyncConnected
from knai import calls
from knai.calls import DEFAULT_BASE_URL


class AsyncKNAIProvider(AsyncConnected):
    """KNAIProvider for asyncio: the same calls, awaited. Tasks of one loop may share one."""

    def __init__(self, provider_api_key: str, provider_slug: str, base_url: str = DEFAULT_BASE_URL) -> None:
        headers = calls.own_headers(provider_api_key, provider_slug)
        self._base_url = calls.address(base_url)
        self._connect(self._base_url, headers)

    async def wait_for_session(
        self, provider_username: str, poll_interval: float = 1.5, *, timeout: float | None = None
    ) -> dict[str, Any]:
        """As KNAIProvider's."""
        return await self._carrier.run(calls.wait_for_session(provider_username, poll_interval, timeout))

    async def charge(
        self, session_token: str, amount_tokens: int, model: str, *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """As KNAIProvider's."""
        return await self._carrier.run(calls.charge(session_token, amount_tokens, model, idempotency_key))
