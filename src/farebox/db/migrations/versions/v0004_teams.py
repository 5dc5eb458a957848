"""Organizations' credit wallets, their members and agents."""

from farebox.db.migrations.script import run_script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_script("0004_teams.sql")
