"""Limits over windows of time: envelopes, their history, and what the journal keeps of them."""

from farebox.db.migrations.script import run_script

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_script("0005_envelopes.sql")
