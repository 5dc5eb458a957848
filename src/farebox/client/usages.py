"""What an AI service's answer says was used: OpenAI's two APIs, Groq, Anthropic, Google's genai; whole or in a stream.

Answers are objects or plain dictionaries. The services count differently what Farebox counts once: OpenAI's cached
tokens are among its prompt tokens, Anthropic's are beside its input tokens; here each token ends in one kind.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from farebox.client.types import Usage

PLACES = (
    ("usage",),
    ("x_groq", "usage"),  # the last chunk of Groq
    ("message", "usage"),  # the first event of Anthropic
    ("response", "usage"),  # the last event of OpenAI's responses
    ("usage_metadata",),
    ("usageMetadata",),  # Google's own JSON
)
"""Where an answer, or a part of a stream, tells its usage."""

DETAILS = ("prompt_tokens_details", "input_tokens_details", "completion_tokens_details", "output_tokens_details")

OPENAI = ("prompt_tokens", "completion_tokens")
MESSAGES = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
GENAI = {
    "prompt_token_count": "promptTokenCount",
    "candidates_token_count": "candidatesTokenCount",
    "cached_content_token_count": "cachedContentTokenCount",
    "thoughts_token_count": "thoughtsTokenCount",
    "tool_use_prompt_token_count": "toolUsePromptTokenCount",
}


class Seen:
    """What one answer has told so far. Parts of a stream repeat or complete each other: the newest count stands."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def read(self, part: object) -> None:
        """Takes in an answer, a part of a stream, or the usage out of one."""
        for place in PLACES:
            found = part
            for name in place:
                found = _member(found, name)
            self._counts.update(_counts(found))
        self._counts.update(_counts(part))

    @property
    def usage(self) -> Usage | None:
        """The usage; None while none was told."""
        counts = self._counts
        if not counts:
            return None
        cached, reasoning = counts.get("cached_tokens", 0), counts.get("reasoning_tokens", 0)
        if not counts.keys().isdisjoint(OPENAI):
            return _disjoint(counts.get("prompt_tokens", 0), cached, counts.get("completion_tokens", 0), reasoning)
        if not counts.keys().isdisjoint(GENAI):
            return _genai(counts)
        beside = Usage(
            cached_input_tokens=counts.get("cache_read_input_tokens", 0),
            cache_write_tokens=counts.get("cache_creation_input_tokens", 0),
        )
        return added(
            beside, _disjoint(counts.get("input_tokens", 0), cached, counts.get("output_tokens", 0), reasoning)
        )


def added(first: Usage, second: Usage) -> Usage:
    """The sum of two usages."""
    units = {name: first.units.get(name, 0) + second.units.get(name, 0) for name in {**first.units, **second.units}}
    return Usage(
        input_tokens=first.input_tokens + second.input_tokens,
        output_tokens=first.output_tokens + second.output_tokens,
        cached_input_tokens=first.cached_input_tokens + second.cached_input_tokens,
        cache_write_tokens=first.cache_write_tokens + second.cache_write_tokens,
        reasoning_tokens=first.reasoning_tokens + second.reasoning_tokens,
        calls=first.calls + second.calls,
        units=units,
    )


def _disjoint(input_: int, cached: int, output: int, reasoning: int) -> Usage:
    """`cached` and `reasoning` are among `input_` and `output`."""
    return Usage(
        input_tokens=max(input_ - cached, 0),
        cached_input_tokens=cached,
        output_tokens=max(output - reasoning, 0),
        reasoning_tokens=reasoning,
    )


def _genai(counts: dict[str, int]) -> Usage:
    """Google counts cached tokens among the prompt's, and thoughts beside the answer's."""
    cached = counts.get("cached_content_token_count", 0)
    return Usage(
        input_tokens=max(counts.get("prompt_token_count", 0) - cached, 0)
        + counts.get("tool_use_prompt_token_count", 0),
        cached_input_tokens=cached,
        output_tokens=counts.get("candidates_token_count", 0),
        reasoning_tokens=counts.get("thoughts_token_count", 0),
    )


def _counts(usage: object) -> Iterator[tuple[str, int]]:
    """The counts that a usage tells, by name."""
    if usage is None:
        return
    for name in (*OPENAI, *MESSAGES):
        yield from _count(name, _member(usage, name))
    for name, other in GENAI.items():
        yield from _count(name, _member(usage, name))
        yield from _count(name, _member(usage, other))
    for place in DETAILS:
        details = _member(usage, place)
        yield from _count("cached_tokens", _member(details, "cached_tokens"))
        yield from _count("reasoning_tokens", _member(details, "reasoning_tokens"))


def _count(name: str, value: object) -> Iterator[tuple[str, int]]:
    if type(value) is int and value >= 0:
        yield name, value


def _member(thing: object, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
