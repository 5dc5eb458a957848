"""Many rows of the journal, read from the disk at once."""

from farebox.db.migrations.script import run_script

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_script("0017_read_at_once.sql")
