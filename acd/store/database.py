"""The database behind an address: how it is set up, and that one acd alone writes to it."""

import fcntl
from typing import IO, Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError


class InUse(SQLAlchemyError):
    """Another acd uses this database."""


def engine_for(url: str) -> Engine:
    """Raises SQLAlchemyError or ImportError where there is no such kind of database."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    return engine


def reason(error: Exception) -> str:
    """What the database itself said, in one line, without the statement and its values."""
    return str(getattr(error, "orig", error)).partition("\n")[0]


def locked(engine: Engine) -> IO[str] | None:
    """Holds a lock file beside a SQLite file, because two writers would mix their logs. Raises InUse."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or database in (None, "", ":memory:"):
        return None
    try:
        lock = open(f"{database}.lock", "a", encoding="utf-8")  # noqa: SIM115 - held for as long as the store is open
    except OSError:
        return None  # then the database beside it cannot be written either, and says so itself
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise InUse(f"another acd uses {database}") from None
    return lock


def _tune_sqlite(connection: Any, _record: Any) -> None:
    """WAL lets reports read while the writer writes; NORMAL is safe with it against a killed process."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=2000")
