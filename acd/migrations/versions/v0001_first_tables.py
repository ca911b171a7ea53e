"""The first tables: event log, one checkpoint for each handler, ledger, PIN hashes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("handler", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("data", sa.String(), nullable=False),
    )
    op.create_table(
        "checkpoint",
        sa.Column("handler", sa.String(), primary_key=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
    )
    op.create_table(
        "call",
        sa.Column("handler", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("agent", sa.String()),
        sa.Column("session", sa.String()),
        sa.Column("entered", sa.Float(), nullable=False),
        sa.Column("answered", sa.Float()),
        sa.Column("ended", sa.Float()),
        sa.Column("wait_time", sa.Float()),
        sa.Column("talk_time", sa.Float()),
        sa.Column("hold_time", sa.Float(), nullable=False),
        sa.Column("wrap_up_time", sa.Float()),
        sa.Column("outcome", sa.String()),
        sa.Column("estimated", sa.Boolean(), nullable=False),
    )
    op.create_index("call_by_entry", "call", ["handler", "entered"])
    op.create_table(
        "pin",
        sa.Column("handler", sa.String(), primary_key=True),
        sa.Column("agent", sa.String(), primary_key=True),
        sa.Column("hash", sa.String(), nullable=False),
    )
