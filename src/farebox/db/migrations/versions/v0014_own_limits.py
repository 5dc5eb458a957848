"""Limits that people set on their own wallets."""

from farebox.db.migrations.script import run_script

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_script("0014_own_limits.sql")
