"""One call to begin with."""

import uuid

from tokenvault_sdk import calls
from tokenvault_sdk.config import SDKConfig
from tokenvault_sdk.tracker import UsageTracker


async def quickstart(organization_id: str, agent_name: str = "agent") -> tuple[UsageTracker, str]:
    """A tracker with the environment's settings, and the id of a new agent.

    Registers the organization, a user and the agent, and asks for the organization's trial, which it has once
    (`TOKENVAULT_FREE_TRIAL_MONEY` US dollars, 50 unless it is set; none for 0). Raises SDKConfigurationError, and
    TrackingError where the server refuses or is away.
    """
    config = SDKConfig.from_env()
    tracker = UsageTracker(
        config.redis_url,
        config.tokenvault_api_url,
        stream_name=config.stream_name,
        balance_threshold=config.balance_threshold,
        cache_ttl=config.cache_ttl,
        fail_open=config.fail_open,
        max_retries=config.max_retries,
        retry_backoff_ms=config.retry_backoff_ms,
    )
    user_id = f"user_{organization_id}"
    profile_id = f"agent_{agent_name}_{uuid.uuid4().hex[:8]}"
    try:
        await tracker._carrier.run(calls.organization(organization_id))
        await tracker._carrier.run(calls.user(user_id, organization_id))
        await tracker._carrier.run(calls.profile(profile_id, organization_id, user_id, agent_name))
        if config.free_trial_money:
            await tracker._carrier.run(calls.trial(organization_id, config.free_trial_money))
    except BaseException:
        await tracker.close()
        raise
    return tracker, profile_id
