"""An agent that asks Groq, and reports what it used: python groq_agent.py acme "How are you?"

TOKENVAULT_API_URL (http://ORG:KEY@127.0.0.1:8080/tokenvault) and TOKENVAULT_REDIS_URL say where; GROQ_API_KEY is for
Groq.
"""

import asyncio
import sys

from groq import AsyncGroq

from tokenvault_sdk import InsufficientBalanceError, quickstart

MODEL = "llama-3.3-70b-versatile"


async def main(organization: str, question: str) -> None:
    tracker, agent = await quickstart(organization_id=organization, agent_name="example")
    try:
        async with tracker.track_usage(organization_id=organization, profile_id=agent, model=MODEL) as tracked:
            messages = [{"role": "user", "content": question}]
            response = tracked.take(await AsyncGroq().chat.completions.create(model=MODEL, messages=messages))
        print(response.choices[0].message.content)
        print("credits:", await tracker.check_credit_balance(organization, force_refresh=True))
    except InsufficientBalanceError as error:
        sys.exit(f"Recharge the organization: {error}")
    finally:
        await tracker.close()


asyncio.run(main(*sys.argv[1:]))
