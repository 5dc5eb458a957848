"""The Python in the pages of the published clients, as it stands there: fenced, or bare between lines of prose."""

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BEGINNING = re.compile(r"\s*(#|@|from |import |try:|with |for |if |async |await |def |class |\w[\w.]*\s*[=(])")
LONGEST = 120


def blocks(page: str) -> list[str]:
    """A page's blocks of Python, in their order."""
    text = (SEEDS / f"{page}.md").read_text("utf-8")
    found = FENCED.findall(text) if "```python" in text else list(bare(text))
    return [textwrap.dedent(block).strip("\n") + "\n" for block in found]


def bare(text: str) -> Iterator[str]:
    """The longest runs of lines that are Python and do something, where a page has no fences."""
    lines = text.splitlines()
    begin = 0
    while begin < len(lines):
        end = _end(lines, begin)
        if end > begin:
            yield from _pieces("\n".join(lines[begin:end]))
        begin = max(end, begin + 1)


def _end(lines: list[str], begin: int) -> int:
    """Where the longest run that begins at a line ends; `begin` where none does."""
    if BEGINNING.match(lines[begin]):
        for end in range(min(len(lines), begin + LONGEST), begin, -1):
            if _parsed("\n".join(lines[begin:end])) is not None:
                return end
    return begin


def _pieces(text: str) -> Iterator[str]:
    """The parts of a run between headings, which are Python too when they have one word, or look like a call."""
    text = textwrap.dedent(text)
    tree = _parsed(text)
    assert tree is not None
    lines = text.splitlines()
    begin = 0
    for statement in tree.body:
        if _is_heading(statement):
            yield from _piece(lines[begin : statement.lineno - 1])
            begin = statement.end_lineno or statement.lineno
    yield from _piece(lines[begin:])


def _piece(lines: list[str]) -> Iterator[str]:
    tree = _parsed("\n".join(lines))
    assert tree is not None
    if any(isinstance(node, ast.Import | ast.ImportFrom | ast.Call) for node in ast.walk(tree)):
        yield "\n".join(lines)


def _is_heading(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr):
        return False
    called = statement.value
    if isinstance(called, ast.Call) and isinstance(called.func, ast.Name):
        return called.func.id not in ("print", "exit")
    return isinstance(called, ast.Name)


def _parsed(text: str) -> ast.Module | None:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        tree: ast.Module = compile(textwrap.dedent(text), "page", "exec", flags)
    except (SyntaxError, ValueError):
        return None
    return tree
