"""The client for asyncio."""

from typing import Any, Self

from knai import calls
from knai.calls import DEFAULT_BASE_URL


class AsyncKNAIProvider:
    """KNAIProvider for asyncio: the same calls, awaited. Tasks of one loop may share one."""

    def __init__(self, provider_api_key: str, provider_slug: str, base_url: str = DEFAULT_BASE_URL) -> None:
        from farebox.client.async_carrier import AsyncCarrier  # httpx, a tenth of a second: loaded where it is used

        headers = calls.own_headers(provider_api_key, provider_slug)
        self._base_url = calls.address(base_url)
        self._carrier = AsyncCarrier(self._base_url, headers)

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

    async def close(self) -> None:
        """Closes the connections."""
        await self._carrier.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        """Without the key: it has no place in a log."""
        return f"AsyncKNAIProvider({self._base_url!r})"
