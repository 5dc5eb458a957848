"""Holds are closed by their key: the indexes of pending ones are long where much has been closed."""

from farebox.db.migrations.script import run_script

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_script("0018_closed_by_key.sql")
