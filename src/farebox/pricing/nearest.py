"""Names that look like an unknown one, found in a time that the unknown one can't stretch."""

import difflib
import itertools
from collections.abc import Callable, Iterable

LONGEST_GUESS = 60
"""Characters of an unknown name that similar ones are looked for with."""

BUCKETS = 509
SHORTLIST = 12
WORTH_A_LOOK = 0.25
LIKE_ENOUGH = 0.5


class Names:
    """Many names, each with its pairs of neighbouring characters as bits, so that comparing is one AND."""

    def __init__(self, names: Iterable[str]) -> None:
        self._marks = [(name, _mark(name[:LONGEST_GUESS])) for name in names]

    def like(self, asked: str, count: int, allowed: Callable[[str], bool]) -> list[str]:
        """At most `count` names that resemble `asked` and are `allowed`, the likest first."""
        asked = asked[:LONGEST_GUESS].lower()
        mark = _mark(asked)
        size = mark.bit_count()
        scored = [
            (likeness, name)
            for name, other in self._marks
            if (likeness := 2 * (mark & other).bit_count() / (size + other.bit_count())) >= WORTH_A_LOOK
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        shortlist = (name for _, name in scored if allowed(name))
        first = {name.lower(): name for name in itertools.islice(shortlist, SHORTLIST)}
        return [first[name] for name in difflib.get_close_matches(asked, first, n=count, cutoff=LIKE_ENOUGH)]


def _mark(name: str) -> int:
    padded = f" {name.lower()} "
    mark = 0
    for left, right in itertools.pairwise(padded):
        mark |= 1 << (ord(left) * 31 + ord(right)) % BUCKETS
    return mark
