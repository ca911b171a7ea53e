"""Brings a database, with its rows, from the tables of an older acd to the present ones.

Each file in versions/ is one step, written by hand and never changed once it was released. There are no steps back:
who wants an older acd again takes the copy of the database made before.
"""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)

MIGRATING = 0x616366  # a lock of PostgreSQL's: several nodes may begin at the same time
WAIT_FOR_OTHERS = 600  # seconds
FIRST = "0001"  # the tables of an acd that did not number them yet


class NewerDatabase(SQLAlchemyError):
    """A newer acd has been at this database."""


def upgrade(connection: Connection) -> None:
    """Makes or changes the tables within the connection's transaction. Raises NewerDatabase, SQLAlchemyError."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # Python's driver would begin only before the first row
    else:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_FOR_OTHERS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    known = {each.revision for each in script.walk_revisions()}
    here = MigrationContext.configure(connection).get_current_revision()
    if here is not None and here not in known:
        raise NewerDatabase(
            f"it has the tables of a newer acd (revision {here}, and this acd knows them up to "
            f"{script.get_current_head()}): start that acd, or take the copy of the database made before it"
        )
    if here is None and inspect(connection).has_table("event"):
        command.stamp(config, FIRST)
        here = FIRST
    if here != script.get_current_head():
        log.info("The database's tables are brought from revision %s to %s", here, script.get_current_head())
        command.upgrade(config, "head")
