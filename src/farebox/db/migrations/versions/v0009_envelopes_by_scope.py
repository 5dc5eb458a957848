"""One index by which charges find their envelopes."""

from farebox.db.migrations.script import run_script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_script("0009_envelopes_by_scope.sql")
