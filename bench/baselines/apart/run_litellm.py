"""Baseline: LiteLLM's cost calculation, by its own functions, offline. Runs in an environment of its own.

For every line `seconds` it says how many calculations were done, and in how many seconds.
"""

import json
import sys
import time

from litellm import ModelResponse, Usage, completion_cost, cost_per_token

MODEL, INPUT, OUTPUT = sys.argv[2], 374, 44
ANSWER = ModelResponse(
    model=MODEL, usage=Usage(prompt_tokens=INPUT, completion_tokens=OUTPUT, total_tokens=INPUT + OUTPUT)
)
CALLS = {
    "cost_per_token": lambda: cost_per_token(model=MODEL, prompt_tokens=INPUT, completion_tokens=OUTPUT),
    "completion_cost": lambda: completion_cost(completion_response=ANSWER),
}
call = CALLS[sys.argv[1]]
assert call()
print("ready", flush=True)
for line in sys.stdin:
    done, start = 0, time.perf_counter()
    end = start + float(line)
    while time.perf_counter() < end:
        for _ in range(100):
            call()
        done += 100
    print(json.dumps({"done": done, "took_s": time.perf_counter() - start}), flush=True)
