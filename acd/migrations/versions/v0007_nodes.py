"""Several nodes on one database: each handler numbers its own events; leases, the stream's number, the last batches."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _events_anew()
    else:
        op.drop_constraint("event_pkey", "event", type_="primary")
        op.create_primary_key("event_pkey", "event", ["handler", "seq"])
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
    )
    op.create_table(
        "stream",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "writer", sa.Column("node", sa.String(), primary_key=True), sa.Column("batch", sa.String(), nullable=False)
    )


def _events_anew() -> None:
    """SQLite cannot give a table another key. Without a number of its own for each row nothing is stored twice."""
    op.rename_table("event", "event_0006")
    op.create_table(
        "event",
        sa.Column("handler", sa.String(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("data", sa.String(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO event SELECT handler, seq, at, kind, data FROM event_0006 ORDER BY handler, seq")
    op.drop_table("event_0006")
