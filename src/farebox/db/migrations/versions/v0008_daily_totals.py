"""Kept totals of what was spent."""

from farebox.db.migrations.script import run_script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_script("0008_daily_totals.sql")
