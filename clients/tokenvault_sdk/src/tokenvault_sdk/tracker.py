"""Checks an organization's credits, and tells what its agents used."""

import asyncio
import logging
import math
from typing import Any

from tokenvault_sdk import calls
from tokenvault_sdk.exceptions import InsufficientBalanceError, TrackingError
from tokenvault_sdk.records import record, record_of
from tokenvault_sdk.tracking import Tracking

logger = logging.getLogger(__name__)


class UsageTracker:
    """An agent's side of TokenVault. Balances are in credits.

    `tokenvault_api_url` is the address of a Farebox server with `/tokenvault` at its end and an organization's key in
    its user part (`http://ORG:KEY@host:8080/tokenvault`); `redis_url` is the Redis that the server reads. `fail_open`
    says whether work goes on while one of them is away. `wallet_api_url` is an older name of `tokenvault_api_url`.
    """

    def __init__(
        self,
        redis_url: str,
        tokenvault_api_url: str | None = None,
        stream_name: str = "usage_records",
        balance_threshold: float = 0.0,
        cache_ttl: int = 60,
        fail_open: bool = True,
        max_retries: int = 3,
        retry_backoff_ms: int = 100,
        *,
        wallet_api_url: str | None = None,
    ) -> None:
        from farebox.client.async_carrier import AsyncCarrier  # httpx, a tenth of a second: loaded where it is used

        url = tokenvault_api_url if tokenvault_api_url is not None else wallet_api_url
        if url is None:
            raise TypeError("UsageTracker() is missing tokenvault_api_url")
        self.redis_url = redis_url
        self.tokenvault_api_url = url.rstrip("/")
        self.stream_name = stream_name
        self.balance_threshold = balance_threshold
        self.cache_ttl = cache_ttl
        self.fail_open = fail_open
        self.max_retries = max_retries
        self.retry_backoff_ms = retry_backoff_ms
        self._carrier = AsyncCarrier(*calls.address(url))
        self._redis: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._known: dict[str, float] = {}

    async def check_credit_balance(self, organization_id: str, force_refresh: bool = False) -> float:
        """The organization's credits, remembered in Redis for `cache_ttl` seconds unless `force_refresh`.

        Raises InsufficientBalanceError where they are below the threshold. While nothing can be asked: the last balance
        that is known here; without one infinity in fail-open mode, else InsufficientBalanceError.
        """
        balance = None if force_refresh else await self._remembered(organization_id)
        if balance is None:
            balance = await self._asked(organization_id)
        if balance < self.balance_threshold:
            raise InsufficientBalanceError(
                f"Organization {organization_id} has insufficient credit balance: {balance} < {self.balance_threshold}"
            )
        return balance

    def track_usage(
        self,
        groq_response: Any = None,
        organization_id: str = "",
        profile_id: str = "",
        user_id: str = "",
        metadata: dict[str, Any] | None = None,
        *,
        model: str | None = None,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
    ) -> Tracking:
        """Tells what was used: that of an AI service's answer, or tokens of a `model`.

        Await it, give it to `asyncio.create_task`, or put it around the work with `async with` (see Tracking). In
        fail-open mode what goes wrong is logged; else TrackingError is raised.
        """
        if not organization_id or not profile_id:
            raise TypeError("track_usage() is missing organization_id or profile_id")
        if groq_response is None and model is None:
            raise TypeError("track_usage() needs an answer, or a model and its tokens")

        async def begin() -> None:
            await self.check_credit_balance(organization_id)

        async def tell(response: Any) -> None:
            try:
                if response is None:
                    told = record(
                        organization_id, profile_id, user_id, model or "", prompt_tokens, completion_tokens, metadata
                    )
                else:
                    told = record_of(response, organization_id, profile_id, user_id, metadata)
                await self._publish(told)
            except TrackingError as error:
                self._tolerate(error, organization_id)
            await self._forget(organization_id)

        return Tracking(begin, tell, groq_response)

    async def track_bfl_consumption(
        self,
        organization_id: str,
        profile_id: str,
        model: str,
        bfl_credits: float,
        record_id: str,
        user_id: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Charges an image: `bfl_credits` are US cents, `record_id` is charged once.

        Raises InsufficientBalanceError, and TrackingError for what is refused; in fail-open mode a service that is away
        is logged instead.
        """
        told = {
            "organization_id": organization_id,
            "profile_id": profile_id,
            "model": model,
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "record_id": record_id,
            "user_id": user_id,
            "bfl_credits": calls.exact(bfl_credits),
            "metadata": metadata or {},
        }
        try:
            await self._carrier.run(calls.consume(told))
        except InsufficientBalanceError as error:
            raise InsufficientBalanceError(f"Insufficient balance for BFL consumption: {error}") from None
        except calls.Away as error:
            self._tolerate(error, organization_id)
        await self._forget(organization_id)

    async def close(self) -> None:
        """Closes the connections."""
        await self._carrier.close()
        client, self._redis = self._redis, None
        if client is not None:
            await client.aclose()

    async def _asked(self, organization_id: str) -> float:
        try:
            balance = await self._carrier.run(calls.balance(organization_id))
        except TrackingError as error:
            logger.error("balance check failed: %s", error, extra={"organization_id": organization_id})
            known = self._known.get(organization_id)
            if known is not None:
                return known
            if self.fail_open:
                return math.inf
            raise InsufficientBalanceError(f"Cannot verify credit balance for {organization_id}: {error}") from None
        self._known[organization_id] = balance
        if self.cache_ttl > 0:
            await self._try("set", _key(organization_id), str(balance), self.cache_ttl)
        return balance

    async def _remembered(self, organization_id: str) -> float | None:
        found = await self._try("get", _key(organization_id))
        try:
            return None if found is None else float(found)
        except ValueError:
            return None

    async def _forget(self, organization_id: str) -> None:
        await self._try("delete", _key(organization_id))

    async def _publish(self, told: dict[str, Any]) -> None:
        """Puts a record on the stream; its id makes it safe to try again. Raises TrackingError."""
        from redis.exceptions import RedisError

        for attempt in range(max(self.max_retries, 1)):
            try:
                await self._client().xadd(self.stream_name, told)
                return
            except (RedisError, OSError) as error:
                reason = type(error).__name__
                if attempt + 1 < self.max_retries:
                    await asyncio.sleep(min(self.retry_backoff_ms / 1000 * 2**attempt, 10))
        raise TrackingError(f"Failed to publish usage record {told['id']}: {reason}")

    async def _try(self, command: str, *given: Any) -> Any:
        """A command that nothing depends on: None where Redis is away."""
        from redis.exceptions import RedisError

        try:
            return await getattr(self._client(), command)(*given)
        except (RedisError, OSError) as error:
            logger.debug("redis %s failed: %s", command, type(error).__name__)
            return None

    def _client(self) -> Any:
        loop = asyncio.get_running_loop()
        if self._redis is None or self._loop is not loop:  # connections belong to the loop that opened them
            from redis import asyncio as redis  # a tenth of a second: loaded where it is used

            self._loop = loop
            self._redis = redis.from_url(
                self.redis_url, decode_responses=True, max_connections=10, socket_timeout=5, socket_connect_timeout=5
            )
        return self._redis

    def _tolerate(self, error: TrackingError, organization_id: str) -> None:
        """Logs what went wrong in fail-open mode, else raises it."""
        if not self.fail_open:
            raise error
        logger.error("usage was not told: %s", error, extra={"organization_id": organization_id})

    def __repr__(self) -> str:
        """Without the addresses, which may hold keys."""
        return f"UsageTracker(stream_name={self.stream_name!r}, fail_open={self.fail_open!r})"


def _key(organization_id: str) -> str:
    return f"credit_balance:{organization_id}"
