"""Migrations are one chain, and the program knows its end."""

import re
from pathlib import Path

from farebox.db import migrate

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


def test_migrations_are_one_chain() -> None:
    texts = [path.read_text("utf-8") for path in sorted(VERSIONS.glob("v*.py"))]
    numbers = [re.findall(r'^(?:down_)?revision.* = (?:"(\d+)"|None)$', text, re.MULTILINE) for text in texts]
    assert numbers == [[f"{n:04}", f"{n - 1:04}" if n > 1 else ""] for n in range(1, len(texts) + 1)]
    assert f"{len(texts):04}" == migrate.HEAD
