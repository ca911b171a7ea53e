"""The mark until where Asterisk was heard; calls are found by their id."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "heard",
        sa.Column("handler", sa.String(), primary_key=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("queue_log_inode", sa.BigInteger(), nullable=True),
        sa.Column("queue_log_offset", sa.BigInteger(), nullable=True),
        sa.Column("cel_inode", sa.BigInteger(), nullable=True),
        sa.Column("cel_offset", sa.BigInteger(), nullable=True),
    )
    op.create_index("call_by_call", "call", ["handler", "call"])
