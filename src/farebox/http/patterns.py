"""Texts of a certain form: a pattern for who reads them, and words for who has sent another."""

from msgspec import Meta

WORDS: dict[str, str] = {
    "Invalid RFC3339 encoded datetime": "Expected a time with its zone, such as 2026-01-31T12:00:00Z",
}
"""What a reader says, and what people are told in its place."""


def formed(pattern: str, words: str, description: str | None = None) -> Meta:
    """A text that matches a pattern; who sends another one is told that `words` were expected."""
    WORDS[f"Expected `str` matching regex {pattern!r}"] = f"Expected {words}"
    return Meta(pattern=pattern, description=description)
