"""Usage that waits for what never comes can be dismissed, and taken up again."""

from farebox.db.migrations.script import run_script

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_script("0021_usage_that_waits_no_longer.sql")
