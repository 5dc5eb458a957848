"""A provider's markup counts from its first charge on, on every node."""

from farebox.db.migrations.script import run_script

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_script("0020_markups_from_the_first.sql")
