"""Assets, accounts, consent, the ledger's journal, prices."""

from farebox.db.migrations.script import run_script

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_script("0001_foundation.sql")
