"""Which envelopes apply to what: told by a revision, for charges in one round trip."""

from farebox.db.migrations.script import run_script

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_script("0015_post_unchanged.sql")
