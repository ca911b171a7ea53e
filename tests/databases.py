"""Databases for tests: what a test does to one behind the store's back."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, column, create_engine, insert, text
from sqlalchemy import table as sql_table
from sqlalchemy.pool import NullPool

from acd.store import Store
from tests.e2e.containers import Postgres

LOCK_HERE = (
    "FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def url_in(folder: Path) -> str:
    """The database of a test that keeps its files in this folder; with --database=postgresql another one."""
    return f"sqlite:///{folder}/acd.db"


class Database:
    """A database that is there for one test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(url, poolclass=NullPool)

    @contextmanager
    def opened(self, **settings: Any) -> Iterator[Store]:
        store = Store(self.url, **settings)
        store.open()
        try:
            yield store
        finally:
            store.close()

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(sql_table(table, *(column(name) for name in rows[0]))), list(rows))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def numbers(self) -> list[int]:
        """The sequence numbers on disk."""
        return [seq for (seq,) in self.rows("SELECT seq FROM event ORDER BY seq")]

    def rename(self, old: str, new: str) -> None:
        self.run(f"ALTER TABLE {old} RENAME TO {new}")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Meanwhile nobody else can write."""
        with self.engine.connect() as connection:
            self._hold(connection)
            yield
            connection.rollback()

    def _hold(self, connection: Connection) -> None:
        raise NotImplementedError


class SqliteDatabase(Database):
    def __init__(self, path: Path) -> None:
        super().__init__(f"sqlite:///{path}")
        self.path = path

    def _hold(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class PostgresDatabase(Database):
    @classmethod
    @contextmanager
    def made(cls, server: Postgres, template: str = "template1") -> Iterator["PostgresDatabase"]:
        """A database of its own on a running server, with the tables of another one."""
        name = f"test_{secrets.token_hex(8)}"
        everywhere = create_engine(server.url(), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with everywhere.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
            try:
                yield cls(server.url(name))
            finally:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    def _hold(self, connection: Connection) -> None:
        connection.execute(text("LOCK TABLE event, checkpoint, call, pin IN EXCLUSIVE MODE"))

    def owners(self) -> list[int]:
        """The connections that hold the lock."""
        return [pid for (pid,) in self.rows(f"SELECT pid {LOCK_HERE}")]

    def cut(self) -> None:
        """Ends the connection that holds the lock, and returns when it is ended."""
        self.run(f"SELECT pg_terminate_backend(pid, 5000) {LOCK_HERE}")

    def cut_all(self) -> None:
        """Ends every connection, as a server does that is started again."""
        self.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
