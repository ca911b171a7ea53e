"""PostgreSQL: the lock lives as long as a connection, and connections break."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from sqlalchemy import PoolProxiedConnection

from acd.__main__ import main
from acd.store import InUse, Store
from tests.databases import PostgresDatabase
from tests.e2e.containers import Postgres
from tests.helpers import until
from tests.test_store import an_event
from tests.web.house import open_house

pytestmark = pytest.mark.e2e


@pytest.fixture
def database(postgres: Postgres) -> Iterator[PostgresDatabase]:
    with PostgresDatabase.made(postgres) as database:
        yield database


@pytest.fixture
async def store(database: PostgresDatabase) -> AsyncIterator[Store]:
    with database.opened() as store:
        yield store


async def test_a_connection_that_breaks_costs_nothing_and_doubles_nothing(store, database):
    for number in range(1, 11):
        store.append("main", an_event(number))
        await store.written()
        if number % 3 == 0:
            database.cut()
    assert database.numbers() == list(range(1, 11))
    assert store.problem is None
    assert not store.gaps
    with pytest.raises(InUse), database.opened():
        pass


async def test_a_connection_that_breaks_in_the_midst_of_writing_costs_nothing(store, database):
    with database.busy():
        for number in range(1, 3001):
            store.append("main", an_event(number))
        store.keep_pin("main", "1001", "hash")
        await until(lambda: database.rows("SELECT 1 FROM pg_locks WHERE NOT granted"), what="the writer waits")
        database.cut()
        await until(lambda: store.problem, what="problem told")
    await store.written()
    assert database.numbers() == list(range(1, 3001))
    assert store.pins("main") == {"1001": "hash"}
    assert store.problem is None


async def test_what_was_written_without_our_hearing_of_it_is_not_written_twice(store, database, monkeypatch, caplog):
    store.append("main", an_event(1))
    await store.written()
    dialect = store._engine.dialect
    commit = dialect.do_commit

    def unheard(connection: PoolProxiedConnection) -> None:
        commit(connection)
        if database.numbers() == [1]:
            return  # that was something else
        monkeypatch.setattr(dialect, "do_commit", commit)
        connection.dbapi_connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(dialect, "do_commit", unheard)
    for number in range(2, 100):
        store.append("main", an_event(number))
    await store.written()
    assert "server closed the connection" in caplog.text
    assert "given up" not in caplog.text
    assert database.numbers() == list(range(1, 100))


async def test_who_lost_the_database_to_another_acd_writes_no_more(store, database):
    store.append("main", an_event(1))
    await store.written()
    database.cut()
    with database.opened() as other:
        assert other.append("main", an_event(92)) == 2
        await other.written()
        store.append("main", an_event(2))
        await until(lambda: "another acd uses " in str(store.problem), what="problem told")
        other.append("main", an_event(93))
        await other.written()
    await until(lambda: "must be started again" in store.problem, what="it does not take the lock again")
    with database.opened() as other:
        assert other.load("main")[1] == [an_event(number) for number in (1, 92, 93)]
    assert "must be started again" in store.problem


async def test_a_store_with_nothing_to_write_notices_too_that_its_lock_is_gone(database, monkeypatch):
    monkeypatch.setattr("acd.store.CHECK_EVERY", 0.05)
    with database.opened() as store:
        store.append("main", an_event(1))
        await store.written()
        before = database.owners()
        database.cut()
        await until(lambda: database.owners() and database.owners() != before, what="the lock is taken again")
        with pytest.raises(InUse), database.opened():
            pass
        assert store.problem is None


async def test_readers_do_not_notice_that_the_server_was_away(store, database):
    store.append("main", an_event(1))
    await store.written()
    assert store.load("main")[1] == [an_event(1)]
    database.cut_all()
    assert store.load("main")[1] == [an_event(1)]


async def test_a_call_center_works_on_it_as_on_sqlite(database, tmp_path):
    async with open_house(tmp_path, database=database.url) as house:
        key, call = await house.in_wrap_up()
        (row,) = (await house.get("calls"))["items"]
        assert (row["call"], row["agent"], row["outcome"]) == (call.id, "1001", "answered")
    with database.opened() as store:
        state, tail = store.load("main")
        assert (list(state.agents), list(state.sessions), tail) == (["1001"], [key], [])


@pytest.mark.usefixtures("logs_as_before")
def test_a_server_that_refuses_is_told_in_one_line_without_the_password(database, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ACD_E2E_PROJECT", raising=False)
    monkeypatch.setenv("ACD_AMI_SECRET", "x")
    monkeypatch.setenv("ACD_DATABASE_URL", database.url.replace("acd:", "acd:not-"))
    assert main(["serve"]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("acd: ")]
    assert "store.url: the database cannot be opened: " in line
    assert "password authentication failed" in line
    assert "not-" not in line
