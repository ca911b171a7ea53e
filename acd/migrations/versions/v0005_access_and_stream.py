"""Who may come in, what they asked for, the stream and its webhooks, how agents spent their time, after-call codes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("call", sa.Column("ring_time", sa.Float(), nullable=True))
    op.add_column("call", sa.Column("disposition", sa.String(), nullable=True))
    op.create_index("call_by_agent", "call", ["handler", "agent", "entered"])
    op.create_table(
        "agent_time",
        sa.Column("handler", sa.String(), primary_key=True),
        sa.Column("agent", sa.String(), primary_key=True),
        sa.Column("at", sa.Float(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("wrap_up", sa.Boolean(), nullable=False),
    )
    op.create_index("agent_time_by_time", "agent_time", ["handler", "at"])
    op.create_table(
        "token",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("handler", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("groups", sa.String(), nullable=True),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=True),
        sa.Column("revoked", sa.Float(), nullable=True),
        sa.Column("parent", sa.String(), nullable=True),
    )
    op.create_table(
        "account",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("groups", sa.String(), nullable=True),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("changed", sa.Float(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "command",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
    )
    op.create_index("command_by_time", "command", ["at", "id"])
    op.create_table(
        "envelope",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("handler", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("agents", sa.String(), nullable=False),
        sa.Column("queues", sa.String(), nullable=False),
        sa.Column("groups", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
    )
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
    )
