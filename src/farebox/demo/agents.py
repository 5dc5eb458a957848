"""The agents of `farebox demo --tokenvault`. They use the published client in its environment, and know no Farebox.

    agents.py ORGANIZATION AGENTS MODEL        (TOKENVAULT_API_URL and TOKENVAULT_REDIS_URL say where)

Each asks for the balance, works, and reports what it has used, until the client says that the credits are used up.
Prints one JSON line when an agent stops.
"""

import asyncio
import json
import logging
import random
import sys
import uuid

from tokenvault_sdk import (
    InsufficientBalanceError,
    SDKConfig,
    UsageTracker,
)


async def main() -> None:
    """All agents, with one tracker."""
    organization, agents, model = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    config = SDKConfig.from_env()
    tracker = UsageTracker(redis_url=config.redis_url, tokenvault_api_url=config.tokenvault_api_url)
    try:
        await asyncio.gather(*(work(tracker, organization, f"agent-{number}", model) for number in range(agents)))
    finally:
        await tracker.close()


async def work(tracker: UsageTracker, organization: str, agent: str, model: str) -> None:
    """One agent until it is stopped."""
    calls = 0
    while True:
        try:
            await tracker.check_credit_balance(organization)
        except InsufficientBalanceError as error:
            print(json.dumps({"agent": agent, "calls": calls, "told": str(error)}), flush=True)  # noqa: T201
            return
        await asyncio.sleep(random.uniform(0.01, 0.05))  # the model thinks
        usage = {"prompt_tokens": random.randint(200, 2000), "completion_tokens": random.randint(50, 600)}
        response = {"id": f"chatcmpl-{uuid.uuid4().hex}", "model": model, "usage": usage}
        reporting = asyncio.create_task(
            tracker.track_usage(groq_response=response, organization_id=organization, profile_id=agent, user_id="ada")
        )
        calls += 1
        await reporting


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
