"""When API keys were last used."""

from farebox.db.migrations.script import run_script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_script("0007_key_uses.sql")
