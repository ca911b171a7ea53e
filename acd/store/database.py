"""The database behind an address: how it is set up, and that one acd alone writes to it."""

import fcntl
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError


class InUse(SQLAlchemyError):
    """Another acd uses this database."""


def engine_for(url: str) -> Engine:
    """Raises SQLAlchemyError or ImportError where there is no such kind of database."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    return engine


class Missing(OperationalError):
    """SQLite would go on writing to a file that nobody finds any more."""

    def __init__(self, what: str) -> None:
        super().__init__("", None, Exception(what))


class SameFile:
    """Watches that a SQLite database is still the file that was opened."""

    def __init__(self, engine: Engine) -> None:
        database = engine.url.database
        on_disk = engine.dialect.name == "sqlite" and database not in (None, "", ":memory:")
        self._path = Path(database or "") if on_disk else None
        self._inode: int | None = None

    def check(self) -> None:
        """Raises Missing. The first check says which file it is."""
        if self._path is None:
            return
        try:
            inode = self._path.stat().st_ino
        except OSError as error:
            raise Missing(f"{self._path}: {error.strerror}") from None
        if self._inode is None:
            self._inode = inode
        elif inode != self._inode:
            raise Missing(f"{self._path} is another file than the one that was opened: start acd again to use it")


def reason(error: Exception) -> str:
    """What the database itself said, in one line, without the statement and its values."""
    return " ".join(str(getattr(error, "orig", error)).split())


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
