"""A chat service that charges for its answers.

FAREBOX_URL and FAREBOX_KEY (a provider's) say where and who; the user's session token and the question are arguments:
python meter.py ps_… "How are you?"
"""

import sys

from farebox import Farebox, Usage
from farebox.client import Forbidden, PaymentRequired

MODEL = "gpt-4o"


def answer(question: str) -> dict:
    """What an AI service's library would give back."""
    return {
        "choices": [{"message": {"content": f"You asked: {question}"}}],
        "usage": {"prompt_tokens": 4 * len(question), "completion_tokens": 25},
    }


def main(session_token: str, question: str) -> None:
    with Farebox() as farebox:
        worst = Usage(input_tokens=1_000, output_tokens=500)
        try:
            with farebox.meter(session_token, model=MODEL, worst=worst) as m:
                found = m.take(answer(question))
        except PaymentRequired as error:
            sys.exit(f"Top up your wallet: it has {error.available} units.")
        except Forbidden as error:
            sys.exit(f"Your limit is reached: {error.remaining} units are left of it.")
    print(found["choices"][0]["message"]["content"])
    print(f"{m.hold.amount} units were held, {m.amount} taken")


main(*sys.argv[1:])
