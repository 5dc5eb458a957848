"""What a page's block needs to run."""

from msgspec import Struct


class Case(Struct, frozen=True):
    """A block of a page, in the page's order."""

    what: str
    """What it is; of a fragment, what it lacks."""
    before: str = ""
    """The prelude."""
    after: str = ""
    """Shows what it has made."""
    program: bool = True
    """Whether it is Python that can run at all."""
    published: bool = True
    """Whether the published client can run it."""
