"""The index of a provider's charges takes half the space: new ones come at its end."""

from farebox.db.migrations.script import run_script

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_script("0019_providers_charges_in_order.sql")
