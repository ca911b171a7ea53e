"""How the writer brings rows into their tables: many by one statement, and what has a newer version in its place."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from acd.store import event_log
from acd.store.tables import EnvelopeRow, EventRow

Row = dict[str, Any]
# Python's lock is given up for each statement, and the event loop may keep it: few statements are soon done.
AT_ONCE = 64
FEW = 16
TABLES = SQLModel.metadata.tables
ADDED = {EventRow.__tablename__, EnvelopeRow.__tablename__}  # a row of any other table is renewed
KEYS = {name: tuple(each.primary_key.columns.keys()) for name, each in TABLES.items() if name not in ADDED}
INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Statement(NamedTuple):
    """As the driver takes it; `values`: those of a row in the order in which it takes them, one row after the other."""

    text: str
    values: Callable[[Row], tuple[Any, ...]]


def key(table: str, row: Row) -> tuple[Any, ...]:
    """What identifies a row of a table whose rows are renewed."""
    return tuple(row[name] for name in KEYS[table])


def write(connection: Connection, table: str, rows: list[Row]) -> None:
    """Adds rows, each in place of its older version. They have the same columns."""
    if table == "event":
        rows = [row | {"data": event_log.encode(row["data"])} for row in rows]
    if table in KEYS:
        rows = list({key(table, row): row for row in rows}.values())  # the newest of each
    for part in _parts(rows):
        text, values = _statement(table, tuple(part[0]), len(part), connection.dialect)
        connection.exec_driver_sql(text, tuple(chain.from_iterable(map(values, part))))


def _parts(rows: list[Row]) -> Iterator[list[Row]]:
    """In few sizes: a few rows, or several times as many. Drivers keep what they have prepared."""
    while rows:
        many = len(rows) if len(rows) <= FEW else min(AT_ONCE, len(rows) // FEW * FEW)
        yield rows[:many]
        rows = rows[many:]


@cache
def _statement(table: str, columns: tuple[str, ...], many: int, dialect: Dialect) -> Statement:
    """Made once, because that costs more than to carry it out.

    Values go to the driver as they are: SQLAlchemy would look at each of them, which costs as much as the writing.
    """
    statement = INSERT[dialect.name](TABLES[table]).values([dict.fromkeys(columns)] * many)
    if table in KEYS:
        newer = {name: statement.excluded[name] for name in columns if name not in KEYS[table]}
        statement = statement.on_conflict_do_update(index_elements=KEYS[table], set_=newer)
    compiled = statement.compile(dialect=dialect)
    places = compiled.positiontup or []
    return Statement(str(compiled), itemgetter(*(place.removesuffix("_m0") for place in places[: len(columns)])))
