"""What people ask with their password, in one round trip."""

from farebox.db.migrations.script import run_script

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_script("0016_asked_by_people.sql")
