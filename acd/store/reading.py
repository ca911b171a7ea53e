"""Rows for reports, read through connections of their own while the writer writes.

Page by page, each a short query that an index leads to: no transaction lasts longer than a page, so neither SQLite's
log nor PostgreSQL's vacuum waits for a report. A row cannot come twice, because no row's place in the order changes.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, func, make_url
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel, col, select

from acd.reports.rows import AgentTime, Call
from acd.store.database import ON_THE_NETWORK, PATIENCE
from acd.store.tables import AgentTimeRow, CallRow

PAGE = 500  # rows
READ_ONLY = "SET default_transaction_read_only = on"


class Reader:
    """Opens the database anew for each report, to read alone."""

    def __init__(self, url: str) -> None:
        """`url`: the store's, of a file or a server. Raises SQLAlchemyError, ImportError."""
        self._engine = _read_only(url)

    @contextmanager
    def reading(self, between: Callable[[], None] = lambda: None) -> Iterator["Reading"]:
        """A connection to read through in one thread. `between`: called after each page; what it raises ends it.

        Raises SQLAlchemyError, now and while rows are read.
        """
        with self._engine.connect() as connection:
            yield Reading(connection, between)


class Reading:
    """What a report can ask for. Names of nobody (`queues`, `agents` empty) find nothing; None finds all."""

    def __init__(self, connection: Connection, between: Callable[[], None]) -> None:
        self._connection = connection
        self._between = between

    def calls(
        self,
        handler: str,
        start: float,
        end: float,
        queues: Collection[str] | None = None,
        agents: Collection[str] | None = None,
    ) -> Iterator[Call]:
        """The visits of a handler with start <= entered < end, by time of entry."""
        query = _calls(queues is not None, agents is not None)
        names = {"handler": handler, "end": end, "queues": queues, "agents": agents}
        at, behind = start, ""
        while True:
            page = [Call._make(row) for row in self._page(query, names, at, behind)]
            yield from page
            if len(page) < PAGE:
                return
            at, behind = page[-1].entered, page[-1].key

    def begun(self, handler: str) -> float | None:
        """The time of the first row that there is."""
        first = [self._connection.scalar(query, {"handler": handler}) for query in _FIRST]
        return min((at for at in first if at is not None), default=None)

    def agents(self, handler: str, start: float, end: float, queues: Collection[str]) -> list[str]:
        """Who answered a visit to one of these queues that entered in that time."""
        query = (
            select(CallRow.agent)
            .where(
                CallRow.handler == handler,
                col(CallRow.entered) >= start,
                col(CallRow.entered) < end,
                col(CallRow.queue).in_(queues),
                col(CallRow.answered).is_not(None),
                col(CallRow.agent).is_not(None),
            )
            .distinct()
        )
        found = [agent for agent in self._connection.scalars(query) if agent is not None]
        self._between()
        return found

    def agent_times(
        self, handler: str, start: float, end: float, agents: Collection[str] | None = None
    ) -> Iterator[AgentTime]:
        """What each agent did at `start`, as far as it is known, and his moves up to `end`, by their time."""
        yield from self._at(handler, start, agents)
        query = _agent_times(agents is not None)
        names = {"handler": handler, "end": end, "agents": agents}
        at, behind = start, ""
        while True:
            page = [AgentTime._make(row) for row in self._page(query, names, at, behind)]
            yield from page
            if len(page) < PAGE:
                return
            at, behind = page[-1].at, page[-1].agent

    def _page(self, query: Any, names: dict[str, Any], at: float, behind: str) -> Sequence[Any]:
        given = {name: value for name, value in names.items() if value is not None}
        page = self._connection.execute(query, {**given, "at": at, "behind": behind}).all()
        self._between()
        return page

    def _at(self, handler: str, start: float, agents: Collection[str] | None) -> list[AgentTime]:
        """The row of each agent that was in force just before."""
        found = []
        for agent in self._agents(handler) if agents is None else agents:
            row = self._connection.execute(_LAST_MOVE, {"handler": handler, "who": agent, "start": start}).first()
            self._between()
            if row is not None:
                found.append(AgentTime._make(row))
        return sorted(found, key=lambda row: (row.at, row.agent))

    def _agents(self, handler: str) -> Iterator[str]:
        """From one to the next by the index, without a look at each row."""
        agent = self._connection.scalar(_NEXT_AGENT, {"handler": handler, "behind": ""})
        while agent is not None:
            yield agent
            agent = self._connection.scalar(_NEXT_AGENT, {"handler": handler, "behind": agent})


# The queries, made once: SQLAlchemy is quicker with one that it knows ------------------------------------------


@cache
def _calls(some_queues: bool, some_agents: bool) -> Any:
    """A page of visits: from the moment `at` on, there only those whose key is behind `behind`."""
    query = (
        _columns(CallRow, Call._fields)
        .where(
            CallRow.handler == bindparam("handler"),
            col(CallRow.entered) < bindparam("end"),
            col(CallRow.entered) >= bindparam("at"),
            (col(CallRow.entered) > bindparam("at")) | (col(CallRow.key) > bindparam("behind")),
        )
        .order_by(col(CallRow.entered), col(CallRow.key))
        .limit(PAGE)
    )
    if some_queues:
        query = query.where(col(CallRow.queue).in_(bindparam("queues", expanding=True)))
    if some_agents:
        query = query.where(col(CallRow.agent).in_(bindparam("agents", expanding=True)))
    return query


@cache
def _agent_times(some_agents: bool) -> Any:
    """A page of moves, likewise."""
    query = (
        _columns(AgentTimeRow, AgentTime._fields)
        .where(
            AgentTimeRow.handler == bindparam("handler"),
            col(AgentTimeRow.at) < bindparam("end"),
            col(AgentTimeRow.at) >= bindparam("at"),
            (col(AgentTimeRow.at) > bindparam("at")) | (col(AgentTimeRow.agent) > bindparam("behind")),
        )
        .order_by(col(AgentTimeRow.at), col(AgentTimeRow.agent))
        .limit(PAGE)
    )
    return query.where(col(AgentTimeRow.agent).in_(bindparam("agents", expanding=True))) if some_agents else query


def _columns(model: type[SQLModel], names: Sequence[str]) -> Any:
    return select(model).with_only_columns(*(getattr(model, name) for name in names))


_LAST_MOVE = (
    _columns(AgentTimeRow, AgentTime._fields)
    .where(
        AgentTimeRow.handler == bindparam("handler"),
        col(AgentTimeRow.agent) == bindparam("who"),
        col(AgentTimeRow.at) < bindparam("start"),
    )
    .order_by(col(AgentTimeRow.at).desc())
    .limit(1)
)
_FIRST = [
    select(func.min(CallRow.entered)).where(CallRow.handler == bindparam("handler")),
    select(func.min(AgentTimeRow.at)).where(AgentTimeRow.handler == bindparam("handler")),
]
_NEXT_AGENT = select(func.min(AgentTimeRow.agent)).where(
    AgentTimeRow.handler == bindparam("handler"), col(AgentTimeRow.agent) > bindparam("behind")
)


def _read_only(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = parsed.database or ""
        return create_engine("sqlite://", creator=lambda: _open(path), poolclass=NullPool, hide_parameters=True)
    settings = {name: value for name, value in ON_THE_NETWORK.items() if name not in parsed.query}
    engine = create_engine(
        parsed, connect_args=settings, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True
    )
    event.listen(engine, "connect", _tune)
    return engine


def _open(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=PATIENCE)


def _tune(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(READ_ONLY)
    connection.commit()
