"""What the blocks of the page of `knai-provider` need to run."""

from tests.clients.pages import Case

DOCUMENTED = """
import os
import knai
_made = knai.KNAIProvider.__init__
def _documented(self, **given):
    _made(self, os.environ["KEY"], os.environ["SLUG"], os.environ["URL"])
knai.KNAIProvider.__init__ = _documented
os.environ.update(KNAI_API_KEY=os.environ["KEY"], KNAI_PROVIDER_SLUG=os.environ["SLUG"])
"""
"""The page's keys and addresses are examples: a provider that is made with them gets the ones of this run."""

CASES = [
    Case("the whole of it", DOCUMENTED),
    Case(
        "a constructor",
        DOCUMENTED + "from knai import KNAIProvider",
        'print(provider.wait_for_session("user123")["status"])',
    ),
]
