"""Statements that cost the same however long a history is."""

from farebox.db.migrations.script import run_script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_script("0012_statements.sql")
