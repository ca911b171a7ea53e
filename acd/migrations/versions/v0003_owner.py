"""Whose the database is, where a lock can be lost with its connection."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table("owner", sa.Column("token", sa.String(), primary_key=True))
