"""What Alembic runs for every command; the connection and its transaction are the caller's."""

from alembic import context
from sqlmodel import SQLModel

from acd.store import tables

assert tables.EventRow.metadata is SQLModel.metadata  # the tables are known by being imported
context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata)
with context.begin_transaction():
    context.run_migrations()
