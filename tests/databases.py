"""Databases for tests: what a test does to one behind the store's back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, column, create_engine, insert, text
from sqlalchemy import table as sql_table
from sqlalchemy.pool import NullPool

from acd.store import Store


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
