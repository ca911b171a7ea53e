"""Checkpoints of the past stay beside the newest; the log may start at one of them; numbers of events have 64 bits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    if op.get_context().dialect.name != "sqlite":  # SQLite's integers have 64 bits already
        op.alter_column("event", "seq", type_=sa.BigInteger())
    op.rename_table("checkpoint", "checkpoint_0001")
    op.create_table(
        "checkpoint",
        sa.Column("handler", sa.String(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
    )
    op.execute(
        """
        INSERT INTO checkpoint (handler, seq, at, state)
        SELECT old.handler, old.seq, COALESCE(
            (SELECT event.at FROM event WHERE event.handler = old.handler AND event.seq <= old.seq
             ORDER BY event.seq DESC LIMIT 1), 0), old.state
        FROM checkpoint_0001 AS old
        """
    )
    op.drop_table("checkpoint_0001")
    op.create_table(
        "log_start",
        sa.Column("handler", sa.String(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
    )
