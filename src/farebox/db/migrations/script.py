"""Runs a migration that is written as plain SQL."""

from importlib import resources

from alembic import op


def run_script(name: str) -> None:
    """Runs the statements of `versions/<name>` inside the migration's transaction."""
    sql = (resources.files("farebox.db.migrations") / "versions" / name).read_text("utf-8")
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None
    connection.run_async(lambda raw: raw.execute(sql))  # asyncpg takes many statements
