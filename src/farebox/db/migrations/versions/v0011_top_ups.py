"""Requests for money."""

from farebox.db.migrations.script import run_script

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_script("0011_top_ups.sql")
