"""Statements that cost the same however long a history is."""

from farebox.db.migrations.script import run_script

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_script("0013_statements.sql")
