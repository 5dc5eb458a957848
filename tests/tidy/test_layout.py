"""The shape of the code: arrows point one way, files and functions stay small, the docs name what there is."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "farebox"

LEAVES = {"__version__", "errors", "ids", "money", "settings", "logs", "windows"}
MAY_IMPORT: dict[str, set[str]] = {
    "db": set(),
    "reports": {"db"},
    "ledger": {"db"},
    "identity": {"db"},
    "wallets": {"db", "identity", "ledger"},
    "pricing": {"db", "identity", "ledger"},
    "consent": {"db", "identity"},
    "envelopes": {"db", "identity", "ledger", "charging"},
    "payments": {"db", "identity", "ledger", "consent", "wallets", "charging"},
    "charging": {"db", "identity", "ledger", "pricing", "consent", "wallets"},
    "ingest": {"db", "identity", "ledger", "pricing", "consent", "wallets", "charging", "teams", "services"},
    "events": {"db", "identity", "consent", "teams"},
    "teams": {"db", "identity", "ledger", "pricing", "consent", "wallets", "charging"},
}
"""Which domains a domain may know. What is not listed here (http, cli, the composition root) may know them all."""


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts), path


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("domain", sorted(MAY_IMPORT))
def test_arrows_point_one_way(domain: str) -> None:
    allowed = MAY_IMPORT[domain] | {domain} | LEAVES
    for name, path in modules():
        if name.split(".")[1] != domain:
            continue
        for imported in imports(path):
            parts = imported.split(".")
            if parts[0] == "farebox" and len(parts) > 1:
                assert parts[1] in allowed, f"{name} imports {imported}"


def test_nothing_below_the_edge_knows_http_or_the_command_line() -> None:
    for name, path in modules():
        if name.split(".")[1] in ("http", "cli", "demo", "serve", "workers", "app", "__main__"):
            continue
        for imported in imports(path):
            assert not imported.startswith(("litestar", "uvicorn", "typer")), name
            assert imported.split(".")[:2] not in (["farebox", "http"], ["farebox", "cli"]), name


def test_the_client_knows_nothing_of_the_server() -> None:
    """It is installed without the server's dependencies."""
    for name, path in modules():
        folder = ".".join(name.split(".")[:2])
        if folder in ("farebox.client", "farebox.testing"):
            own = {imported for imported in imports(path) if imported.startswith("farebox.")}
            assert all(f"{imported}.".startswith(f"{folder}.") for imported in own), name


def test_a_dialect_knows_no_other_dialect() -> None:
    for dialect in (SOURCE / "http" / "dialects").iterdir():
        if not dialect.is_dir():
            continue
        others = {path.name for path in dialect.parent.iterdir() if path.is_dir()} - {dialect.name}
        for path in dialect.rglob("*.py"):
            for imported in imports(path):
                assert not any(imported.startswith(f"farebox.http.dialects.{other}") for other in others), path


def test_files_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("src", "tests", "bench")
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > 500
    }
    assert not long


def test_functions_stay_small() -> None:
    long = []
    for name, path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 60:
                    long.append(f"{name}.{node.name}: {lines}")
    assert not long


def test_sql_stands_in_sql_files() -> None:
    """Statements longer than a line are named, in a file of their own."""
    for name, path in modules():
        if "migrations" in name or name.endswith((".migrate", ".durability")):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                statement = re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", node.value)
                assert not (statement and "\n" in node.value.strip()), f"{name}: {node.value[:60]!r}"


def test_decisions_are_numbered() -> None:
    numbers = [path.name[:4] for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert len(numbers) == len(set(numbers))
    assert all(number.isdigit() for number in numbers)


def test_the_way_of_a_charge_fits_on_a_few_pages() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines()) <= 150


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    stated = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    for extra in project["project"]["optional-dependencies"].values():
        stated += extra
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    missing = [name for line in stated if f"`{(name := re.split('[<>=;[]', line)[0].strip())}`" not in text]
    assert not missing


def test_locked_requirements_have_hashes_and_name_no_index() -> None:
    files = [*(ROOT / "requirements").glob("*.txt"), *(ROOT / "tests").rglob("*.txt"), *(ROOT / "bench").rglob("*.txt")]
    assert files
    for path in files:
        text = path.read_text("utf-8")
        assert "--hash=sha256:" in text, path
        assert not re.search(r"https?://|--index|--find-links|file:", text), path


def test_pictures_in_the_docs_are_there_and_used() -> None:
    folder = ROOT / "docs" / "images" / "pages"
    named = set(re.findall(r"images/pages/([a-z0-9-]+\.png)", (ROOT / "docs" / "design.md").read_text("utf-8")))
    assert named == {path.name for path in folder.iterdir()}
