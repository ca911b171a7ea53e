"""Migrations: every older database comes to the present tables with all its rows, and a newer one is left alone."""

import json

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

from acd.core import events as ev
from acd.migrations import NewerDatabase
from acd.store import STATE, call_values
from tests.databases import Database
from tests.test_store import a_visit, an_ordinary_day, replayed, told

# As acd made them before it numbered them.
UNNUMBERED = """
CREATE TABLE event (seq INTEGER NOT NULL, handler VARCHAR NOT NULL, at FLOAT NOT NULL, kind VARCHAR NOT NULL,
    data VARCHAR NOT NULL, PRIMARY KEY (seq));
CREATE TABLE checkpoint (handler VARCHAR NOT NULL, seq INTEGER NOT NULL, state VARCHAR NOT NULL, PRIMARY KEY (handler));
CREATE TABLE call (handler VARCHAR NOT NULL, key VARCHAR NOT NULL, call VARCHAR NOT NULL, queue VARCHAR NOT NULL,
    caller VARCHAR NOT NULL, agent VARCHAR, session VARCHAR, entered FLOAT NOT NULL, answered FLOAT, ended FLOAT,
    wait_time FLOAT, talk_time FLOAT, hold_time FLOAT NOT NULL, wrap_up_time FLOAT, outcome VARCHAR,
    estimated BOOLEAN NOT NULL, PRIMARY KEY (handler, key));
CREATE INDEX call_by_entry ON call (handler, entered);
CREATE TABLE pin (handler VARCHAR NOT NULL, agent VARCHAR NOT NULL, hash VARCHAR NOT NULL, PRIMARY KEY (handler, agent))
"""
HISTORY = told(an_ordinary_day)
CUT = len(HISTORY) // 2


@pytest.fixture
def unnumbered(database: Database) -> Database:
    """A database of an acd without migrations: a day's events, a checkpoint in its midst, a call, a PIN."""
    database.run(*UNNUMBERED.split(";"))
    events = enumerate(HISTORY, 1)
    database.insert("event", *(a_row(seq, happened) for seq, happened in events))
    state = STATE.dump_json(replayed(HISTORY[:CUT]).state).decode()
    database.insert("checkpoint", {"handler": "main", "seq": CUT, "state": state})
    database.insert("call", an_old_call())
    database.insert("pin", {"handler": "main", "agent": "1001", "hash": "its hash"})
    return database


def an_old_call() -> dict[str, object]:
    """A row of the ledger as it was before it told how long the phone rang, and the after-call code."""
    values = call_values("main", a_visit())
    return {name: value for name, value in values.items() if name not in ("ring_time", "disposition")}


def a_row(seq: int, happened: ev.Event) -> dict[str, object]:
    kind, data = type(happened).__name__, json.dumps(happened)
    return {"seq": seq, "handler": "main", "at": happened.at, "kind": kind, "data": data}


def differences(database: Database) -> list[object]:
    """What the database has otherwise than the code, in tables, columns, types, indexes and primary keys."""
    with database.engine.connect() as connection:
        differing = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
        present = inspect(connection).get_table_names()
        for name, table in SQLModel.metadata.tables.items():
            if name not in present:
                continue  # that was told already
            here = inspect(connection).get_pk_constraint(name)["constrained_columns"]
            if here != [column.name for column in table.primary_key]:
                differing.append((name, here))
    return differing


def test_what_the_migrations_make_is_what_the_code_has(database):
    with database.opened():
        pass
    assert differences(database) == []


def test_differences_are_seen(database):
    """So that the comparison is worth something."""
    with database.opened():
        pass
    database.run(
        "DROP INDEX call_by_entry",
        "ALTER TABLE event ADD COLUMN more VARCHAR",
        "DROP TABLE pin",
        "DROP TABLE checkpoint",
    )
    database.run("CREATE TABLE checkpoint (handler VARCHAR NOT NULL, seq INTEGER NOT NULL, state VARCHAR NOT NULL)")
    told_of = str(differences(database))
    for name in ("call_by_entry", "more", "pin", "('checkpoint', [])"):
        assert name in told_of


def test_a_database_from_before_the_migrations_is_taken_over_with_all_its_rows(unnumbered):
    calls = f"SELECT {', '.join(an_old_call())} FROM call"  # noqa: S608 - names of our own
    before = unnumbered.rows("SELECT handler, seq, at, kind, data FROM event ORDER BY seq"), unnumbered.rows(calls)
    with unnumbered.opened() as store:
        state, tail = store.load("main")
        assert tail == HISTORY[CUT:]
        assert STATE.dump_python(replayed(tail, state).state) == STATE.dump_python(replayed(HISTORY).state)
        assert store.pins("main") == {"1001": "its hash"}
        assert [row["key"] for row in store.calls("main", start=0, end=2e9)] == ["c1/support/1"]
        assert store.append("main", HISTORY[0]) == len(HISTORY) + 1
    after = unnumbered.rows("SELECT handler, seq, at, kind, data FROM event ORDER BY seq"), unnumbered.rows(calls)
    assert (after[0][:-1], after[1]) == before
    assert differences(unnumbered) == []


def test_the_checkpoint_that_is_taken_over_has_the_time_of_its_last_event(unnumbered):
    with unnumbered.opened() as store:
        state, tail = store.load_at("main", HISTORY[CUT].at)
        assert tail[0] == HISTORY[CUT]
        assert STATE.dump_python(state) == STATE.dump_python(replayed(HISTORY[:CUT]).state)
    assert unnumbered.rows("SELECT seq, at FROM checkpoint") == [(CUT, HISTORY[CUT - 1].at)]


def test_a_step_that_fails_leaves_the_database_as_it_was(unnumbered):
    unnumbered.run("CREATE TABLE log_start (mine INTEGER)")  # in the way of the last thing that revision 2 makes
    before = unnumbered.rows("SELECT * FROM checkpoint")
    with pytest.raises(SQLAlchemyError, match="log_start"), unnumbered.opened():
        pass
    assert unnumbered.rows("SELECT * FROM checkpoint") == before
    assert not inspect(unnumbered.engine).has_table("alembic_version")
    unnumbered.run("DROP TABLE log_start")
    with unnumbered.opened() as store:
        assert store.load("main")[1] == HISTORY[CUT:]
    assert differences(unnumbered) == []


def test_opening_again_changes_nothing(unnumbered):
    with unnumbered.opened():
        pass
    number = unnumbered.rows("SELECT version_num FROM alembic_version")
    assert len(number) == 1
    with unnumbered.opened() as store:
        assert store.load("main")[1] == HISTORY[CUT:]
    assert unnumbered.rows("SELECT version_num FROM alembic_version") == number


def test_a_database_of_a_newer_acd_is_refused_and_left_as_it_is(database):
    with database.opened() as store:
        store.append("main", HISTORY[0])
    database.run("UPDATE alembic_version SET version_num = '9876'", "ALTER TABLE pin RENAME TO secret")
    with pytest.raises(NewerDatabase, match=r"newer acd \(revision 9876, "), database.opened():
        pass
    assert database.rows("SELECT version_num FROM alembic_version") == [("9876",)]
    assert database.rows("SELECT * FROM secret") == []
    assert database.numbers() == [1]
