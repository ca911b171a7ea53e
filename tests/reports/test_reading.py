"""The reader: the right rows in their order through any number of pages, and no hindrance to the writer."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from acd.reports.rows import AgentTime, Call
from acd.store import reading
from acd.store.reading import Reader, Reading
from tests.databases import Database, SqliteDatabase
from tests.reports.books import NOON, a_call, does


def keep(database: Database, *calls: Call, handler: str = "main") -> None:
    database.insert("call", *(call._asdict() | {"handler": handler} for call in calls))


def spend(database: Database, *times: AgentTime, handler: str = "main") -> None:
    database.insert("agent_time", *(row._asdict() | {"handler": handler} for row in times))


@pytest.fixture
def kept(database: Database) -> Iterator[Database]:
    """A database with its tables, and nobody who writes to it."""
    with database.opened():
        pass
    yield database


@pytest.fixture
def rows(kept: Database) -> Iterator[Reading]:
    with Reader(kept.url).reading() as rows:
        yield rows


def test_calls_come_by_time_of_entry_with_all_their_columns(kept, rows):
    last, first = a_call(NOON + 2, key="a", disposition="sold"), a_call(NOON, key="b", wrap_up_time=None)
    keep(kept, last, first)
    assert list(rows.calls("main", NOON, NOON + 3)) == [first, last]


def test_a_period_has_its_start_and_not_its_end(kept, rows):
    keep(kept, *(a_call(NOON + second, key=f"k{second}") for second in range(4)))
    assert [call.entered - NOON for call in rows.calls("main", NOON + 1, NOON + 3)] == [1.0, 2.0]


def test_many_calls_come_through_many_pages_each_once_also_where_they_entered_together(kept, rows):
    count = 3 * reading.PAGE + 7
    keep(kept, *(a_call(NOON + number // 700, key=f"k{number:05}") for number in range(count)))
    assert [call.key for call in rows.calls("main", 0.0, 1e12)] == [f"k{number:05}" for number in range(count)]


def test_only_the_queues_agents_and_handler_that_are_asked_for(kept, rows):
    keep(kept, a_call(key="a", queue="sales", agent="1002"), a_call(key="b"), a_call(key="c", agent=None))
    keep(kept, a_call(key="d"), handler="other")

    def keys(**only: Any) -> list[str]:
        return [call.key for call in rows.calls("main", 0.0, 1e12, **only)]

    assert keys() == ["a", "b", "c"]
    assert keys(queues=["support", "nowhere"]) == ["b", "c"]
    assert keys(agents=["1001", "1002"]) == ["a", "b"]
    assert keys(queues=["sales"], agents=["1001"]) == []
    assert keys(queues=[]) == []


def test_what_an_agent_did_at_the_start_comes_first_and_nothing_older(kept, rows):
    spend(
        kept,
        does("1001", NOON - 500, "READY"),
        does("1001", NOON - 100, "NOT_READY", "lunch"),
        does("1002", NOON - 200, "BUSY_ACD", wrap_up=True),
        does("1003", NOON + 5, "READY"),
        does("1001", NOON, "READY"),
        does("1004", NOON + 10, "READY"),
    )
    spend(kept, does("1005", NOON - 1, "READY"), handler="other")
    assert list(rows.agent_times("main", NOON, NOON + 10)) == [
        does("1002", NOON - 200, "BUSY_ACD", wrap_up=True),
        does("1001", NOON - 100, "NOT_READY", "lunch"),
        does("1001", NOON, "READY"),
        does("1003", NOON + 5, "READY"),
    ]


def test_the_times_of_some_agents_alone(kept, rows):
    spend(kept, *(does(agent, NOON + at, "READY") for agent in ("1001", "1002", "1003") for at in (-5, 5)))
    found = list(rows.agent_times("main", NOON, NOON + 10, agents=["1003", "1001"]))
    assert [(row.agent, row.at - NOON) for row in found] == [("1001", -5), ("1003", -5), ("1001", 5), ("1003", 5)]


def test_many_times_come_through_many_pages_each_once(kept, rows):
    many = [does(f"{agent}", NOON + second, "READY") for second in range(9) for agent in range(1000, 1200)]
    spend(kept, *many)
    assert list(rows.agent_times("main", NOON, NOON + 100)) == many


def test_rows_that_are_written_meanwhile_come_too_and_none_comes_twice(database):
    with database.opened() as store:
        keep(database, *(a_call(NOON + number, key=f"k{number:04}") for number in range(reading.PAGE + 1)))
        with Reader(database.url).reading() as rows:
            calls = rows.calls("main", 0.0, 1e12)
            found = [next(calls)]
            keep(database, a_call(NOON + 5000, key="later"))
            database.run("UPDATE call SET talk_time = 61.0")
            found += calls
        assert store.problem is None
    assert [call.key for call in found] == [*(f"k{number:04}" for number in range(reading.PAGE + 1)), "later"]


def test_between_two_pages_nothing_is_held(database: Database, request):
    """SQLite's log can be emptied into the database while a report is being made."""
    if not isinstance(database, SqliteDatabase):
        pytest.skip("a matter of SQLite's")
    with database.opened():
        keep(database, *(a_call(NOON + number, key=f"k{number:04}") for number in range(2 * reading.PAGE)))
        with Reader(database.url).reading() as rows:
            next(rows.calls("main", 0.0, 1e12))
            keep(database, a_call(NOON - 1, key="more"))
            ((busy, _, _),) = database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
            assert busy == 0


def test_it_cannot_write(kept, rows):
    with pytest.raises(SQLAlchemyError):
        rows._connection.execute(text("DELETE FROM call"))


def test_after_each_page_somebody_may_end_it(kept):
    keep(kept, *(a_call(NOON + number, key=f"k{number:04}") for number in range(2 * reading.PAGE)))
    pages = 0

    def between() -> None:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise InterruptedError

    with Reader(kept.url).reading(between) as rows, pytest.raises(InterruptedError):
        assert len(list(rows.calls("main", 0.0, 1e12))) > 0
    assert pages == 2


def test_a_database_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SQLAlchemyError), Reader(f"sqlite:///{tmp_path}/none.db").reading():
        pass
    assert not (tmp_path / "none.db").exists()


def plan(rows: Reading, find: Any) -> list[str]:
    """How SQLite looks for the rows of a query."""
    queries: list[Any] = []
    connection, rows._connection = rows._connection, Listening(rows._connection, queries)  # type: ignore[assignment]
    try:
        list(find())
    finally:
        rows._connection = connection
    steps = []
    for query, values in queries:
        compiled = query.params(**values).compile(connection, compile_kwargs={"literal_binds": True})
        steps += [step.detail for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    return steps


class Listening:
    """A connection whose queries are remembered."""

    def __init__(self, connection: Any, queries: list[Any]) -> None:
        self._connection, self._queries = connection, queries

    def execute(self, query: Any, values: Any) -> Any:
        self._queries.append((query, values))
        return self._connection.execute(query, values)

    def scalar(self, query: Any, values: Any) -> Any:
        self._queries.append((query, values))
        return self._connection.scalar(query, values)


def test_an_index_leads_to_every_page(kept, rows):
    if not isinstance(kept, SqliteDatabase):
        pytest.skip("a matter of SQLite's planner")
    spend(kept, does("1001", NOON, "READY"))
    for find in (
        lambda: rows.calls("main", 0.0, 1e12),
        lambda: rows.calls("main", 0.0, 1e12, queues=["support"], agents=["1001"]),
        lambda: rows.agent_times("main", NOON + 1, 1e12),
        lambda: rows.agent_times("main", NOON + 1, 1e12, agents=["1001"]),
    ):
        steps = plan(rows, find)
        assert steps and not [step for step in steps if step.startswith("SCAN")], steps
