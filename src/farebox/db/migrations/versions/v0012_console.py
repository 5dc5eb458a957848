"""Totals with refunds, audits that were run from a page, forms that were sent."""

from farebox.db.migrations.script import run_script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_script("0012_console.sql")
