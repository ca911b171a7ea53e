"""Whether a webhook is paused, when it was changed or removed, and how its last deliveries went."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("webhook", sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("webhook", sa.Column("changed", sa.Float(), nullable=False, server_default="0"))
    op.add_column("webhook", sa.Column("last_success", sa.Float(), nullable=True))
    op.add_column("webhook", sa.Column("last_error", sa.String(), nullable=True))
