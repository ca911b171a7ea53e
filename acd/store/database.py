"""The database behind an address: how it is set up, and that one acd alone writes to it."""

import fcntl
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url
from sqlalchemy.exc import InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import delete, insert, select

from acd.store.tables import OwnerRow

ADVISORY_LOCK = 0x616364  # "acd"; such locks are PostgreSQL's own in each database
PATIENCE = 2  # seconds for which somebody else may hold what is to be written
# What is silent for so long is gone: a connection must not wait for hours, and neither must who waits for its lock.
ON_THE_NETWORK = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,  # milliseconds
}
SESSION = (
    f"SET lock_timeout = '{PATIENCE}s'",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    # Who is frozen or cut off in the midst of a transaction must not hold up who takes his place.
    "SET idle_in_transaction_session_timeout = '2s'",
)
PASSING = ("42P01", "42501")  # no such table, no such right: somebody works at the database


class InUse(SQLAlchemyError):
    """Another acd uses this database."""


def engine_for(url: str) -> Engine:
    """Raises SQLAlchemyError or ImportError where there is no such kind of database.

    Errors do not show the values of rows: there are people's numbers and hashes of PINs among them.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        settings = {name: value for name, value in ON_THE_NETWORK.items() if name not in parsed.query}
        # Values by their place, as SQLite has them: a name for each would be the most of a statement of many rows.
        engine = create_engine(
            parsed, connect_args=settings, pool_pre_ping=True, hide_parameters=True, paramstyle="format"
        )
        event.listen(engine, "connect", _tune_postgresql)
        return engine
    engine = create_engine(parsed, hide_parameters=True)
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
        on_disk = on_disk and not str(database).startswith("file:")
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
    return str(getattr(error, "orig", error)).partition("\n")[0]


def may_pass(error: Exception) -> bool:
    """Whether the same may be written later: the database is locked, full, away, or not ours at present."""
    if isinstance(error, InUse | OperationalError | InternalError | PoolTimeout):
        return True
    return getattr(getattr(error, "orig", None), "sqlstate", None) in PASSING


def owned(engine: Engine) -> "FileLock | AdvisoryLock":
    """From now on no other acd writes to this database, because two writers would mix their logs. Raises InUse."""
    return AdvisoryLock(engine) if engine.dialect.name == "postgresql" else FileLock(engine)


class Alone:
    """One acd has the database for itself, so all that it writes is its own to write."""

    node = ""
    tidies = True  # what is too old is deleted by this one

    def fence(self, _name: str) -> int:
        """By which lease a row of this name is written; there is none."""
        return 0

    def admitted(self, _connection: Connection, fences: Collection[tuple[str, int]]) -> Collection[tuple[str, int]]:
        """Those of these leases that are still held."""
        return fences

    def numbered(self, _connection: Connection, envelopes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Envelopes have their numbers already."""
        return envelopes

    def tell(self, _connection: Connection, _tables: Collection[str]) -> None:
        """Nobody waits to hear what was written."""


class FileLock(Alone):
    """A lock file beside a SQLite file. Databases in memory are nobody else's anyway.

    The owner writes through one connection: SQLite reads a page anew where another connection wrote before.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file = _locked_file(engine.url.database) if engine.dialect.name == "sqlite" else None
        self._connection: Connection | None = None  # one on which something failed is not used again

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """What the owner alone may do."""
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            with self._connection.begin():
                yield self._connection
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def claim(self, connection: Connection) -> None:
        """A file's lock ends with its process, so nobody needs to know whose it was."""

    def check(self) -> None:
        """A file's lock cannot be lost."""

    def release(self) -> None:
        self._close()
        if self._file is not None:
            self._file.close()


class AdvisoryLock(Alone):
    """A lock that PostgreSQL keeps as long as a connection lives. The owner writes through that very connection.

    So whoever lost the lock cannot write. He takes it again if no other acd has had the database meanwhile.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._token = secrets.token_hex(16)
        self._lost = False  # another acd has had the database
        self._connection = self._locked()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """What the owner alone may do. Raises InUse when the lock was lost to another acd."""
        if self._connection.invalidated:
            self._regain()  # before SQLAlchemy would connect again by itself, without the lock
        with self._connection.begin():
            yield self._connection

    def claim(self, connection: Connection) -> None:
        """Writes down whose the database is, once its tables are there."""
        connection.execute(delete(OwnerRow))
        connection.execute(insert(OwnerRow), [{"token": self._token}])

    def check(self) -> None:
        """Sees whether the connection lives, and takes the lock again if it can. Raises SQLAlchemyError, also InUse."""
        with self.transaction() as connection:
            connection.execute(select(1))

    def release(self) -> None:
        self._connection.close()

    def _locked(self) -> Connection:
        connection = self._engine.connect()
        connection.detach()  # so that closing it ends it, and its lock
        if not asked(connection, select(func.pg_try_advisory_lock(ADVISORY_LOCK))):
            connection.close()
            raise InUse(f"another acd uses {self._engine.url.database}")
        return connection

    def _regain(self) -> None:
        if not self._lost:
            connection = self._locked()
            self._lost = asked(connection, select(OwnerRow.token)) != self._token
            if not self._lost:
                self._connection.close()
                self._connection = connection
                return
            connection.close()
        raise InUse(f"another acd has used {self._engine.url.database} meanwhile; this one must be started again")


def asked(connection: Connection, question: Any) -> Any:
    """One value; a connection that cannot tell it is closed, because nobody else knows of it yet."""
    try:
        with connection.begin():
            return connection.scalar(question)
    except SQLAlchemyError:
        connection.close()
        raise


def _locked_file(database: str | None) -> IO[str] | None:
    if database in (None, "", ":memory:"):
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
    connection.execute(f"PRAGMA busy_timeout={PATIENCE * 1000}")


def _tune_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        for setting in SESSION:
            cursor.execute(setting)
    connection.commit()
