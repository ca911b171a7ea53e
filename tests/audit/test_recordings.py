"""Recordings of a real Asterisk, played through the core into a store, and audited: equal, until a row is altered."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from acd.core import events as ev
from acd.store import Heard, Store
from tests import recordings
from tests.asterisk.test_recorded_calls import CALLS, Played, begun, heard
from tests.audit.books import Audited, Books, write_log


class Kept(Played):
    """A recording whose events and rows go into a store."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store

    def apply(self, event: ev.Event) -> None:
        if self.center.concerns(event):
            self.store.append("main", event)
        super().apply(event)


def keep(name: str, folder: Path) -> None:
    """Plays the whole recording into a database there."""
    store = Store(f"sqlite:///{folder}/acd.db")
    store.open()
    played = begun(name, Kept(store))
    for event in heard(name):
        played.apply(event)
    end = recordings.read(name)[-1].at + 10
    played.apply(ev.TimePassed(end))
    for visit in played.visits.values():
        store.keep_call("main", visit)
    store.keep_heard("main", Heard(end + 100))
    store.close()


@pytest.fixture
def recorded(books: Books) -> Callable[[str], Books]:
    def record(name: str) -> Books:
        keep(name, books.folder)
        write_log(books.folder / "queue_log", recordings.queue_log(name), recordings.read(name)[-1].at)
        (books.folder / "acd.toml").write_text(
            f"[handlers.main]\nqueue_log = '{books.folder}/queue_log'\n"
            f"[store]\nurl = 'sqlite:///{books.folder}/acd.db'\n"
        )
        books.write = lambda: books.folder / "acd.toml"  # type: ignore[method-assign]
        return books

    return record


@pytest.mark.parametrize("name", CALLS)
def test_every_recording_is_without_an_unexplained_difference(recorded, name):
    if not recordings.queue_log(name):
        return
    entries = sum("|ENTERQUEUE|" in line for line in recordings.queue_log(name))
    audited: Audited = recorded(name).audit()
    assert audited.status == 0, audited.body["differences"]
    assert audited.calls["compared"] == entries - audited.calls["left_out"]["began_before"]
    assert audited.found == []
    for table in (*audited.body["queues"].values(), *audited.body["agents"].values()):
        for figure, values in table.items():
            is_time = figure.startswith(("total", "average", "longest"))
            assert abs(values["difference"]) <= (1.25 * entries if is_time else 0), figure


ALTERED = {  # what is done to one answered row -> figures that must be found to differ
    "outcome": ("UPDATE call SET outcome = 'timed_out'", {"outcome"}),
    "to redirected": ("UPDATE call SET outcome = 'redirected'", {"outcome"}),
    "agent": ("UPDATE call SET agent = 'Alice Adams'", {"agent"}),
    "no agent": ("UPDATE call SET agent = NULL", {"agent"}),
    "talk": ("UPDATE call SET talk_time = talk_time + 2", {"talk"}),
    "talk and its end": ("UPDATE call SET talk_time = talk_time + 2, ended = ended + 2", {"ended"}),
    "shorter talk": ("UPDATE call SET talk_time = talk_time - 2, ended = ended - 2", {"ended"}),
    "wait": ("UPDATE call SET wait_time = wait_time + 2", {"wait"}),
    "wait and the answer": ("UPDATE call SET wait_time = wait_time + 2, answered = answered + 2", {"answered", "talk"}),
    "entry": ("UPDATE call SET wait_time = wait_time + 2, entered = entered - 2", {"entered"}),
    "wrap-up": ("UPDATE call SET wrap_up_time = 2", {"wrap_up"}),
    "missing": ("DELETE FROM call", {"visit"}),
    "not over": ("UPDATE call SET ended = NULL, talk_time = NULL, wrap_up_time = NULL", {"ended"}),
    "doubled": (
        "INSERT INTO call (handler, key, call, queue, caller, agent, session, entered, answered, ended, wait_time,"
        " talk_time, hold_time, wrap_up_time, outcome, estimated)"
        " SELECT handler, key || '2', call, queue, caller, agent, session, entered, answered, ended,"
        " wait_time, talk_time, hold_time, wrap_up_time, outcome, estimated FROM call",
        {"visit"},
    ),
    "additional": (
        "INSERT INTO call (handler, key, call, queue, caller, agent, session, entered, answered, ended, wait_time,"
        " talk_time, hold_time, wrap_up_time, outcome, estimated)"
        " SELECT handler, '9.9/' || queue || '/1', '9.9', queue, caller, agent, session, entered,"
        " answered, ended, wait_time, talk_time, hold_time, wrap_up_time, outcome, estimated FROM call",
        {"visit"},
    ),
    "another queue": ("UPDATE call SET queue = 'sales'", {"visit"}),
    "another call": ("UPDATE call SET call = '9.9'", {"call"}),
}


@pytest.mark.parametrize("what", ALTERED)
def test_one_altered_row_is_found(recorded, what):
    books = recorded("c-ring-no-answer")
    statement, figures = ALTERED[what]
    alter(books, statement)
    audited = books.audit()
    assert audited.status == 1
    assert {figure for figure, kind in audited.found if kind is None} == figures


WAITED = {
    "outcome": ("UPDATE call SET outcome = 'timed_out'", {"outcome"}),
    "to redirected": ("UPDATE call SET outcome = 'redirected'", {"outcome"}),
    "to lost": ("UPDATE call SET outcome = 'lost'", {"outcome"}),
    "to flowed out": ("UPDATE call SET outcome = 'flowed_out'", {"outcome"}),
    "still waiting": ("UPDATE call SET outcome = NULL, ended = NULL, wait_time = NULL", {"outcome", "left"}),
    "end": ("UPDATE call SET ended = ended + 2, wait_time = wait_time + 2", {"left"}),
    "answered": (
        "UPDATE call SET outcome = 'answered', answered = ended, agent = 'Bob Brown', talk_time = 0, wrap_up_time = 0",
        {"outcome"},
    ),
}


@pytest.mark.parametrize("what", WAITED)
def test_one_altered_row_of_a_caller_who_gave_up_is_found(recorded, what):
    books = recorded("f-abandon-ringing")
    statement, figures = WAITED[what]
    alter(books, statement)
    audited = books.audit()
    assert audited.status == 1
    assert {figure for figure, kind in audited.found if kind is None} == figures


def alter(books: Books, statement: str) -> None:
    engine = create_engine(f"sqlite:///{books.folder}/acd.db")
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount == 1
    engine.dispose()


def test_one_call_of_many_is_found_by_its_name(recorded):
    books = recorded("v-load-30-callers")
    call = "1795236430.402"
    alter(books, f"UPDATE call SET talk_time = talk_time + 2, ended = ended + 2 WHERE call = '{call}'")  # noqa: S608
    audited = books.audit()
    assert [(each["call"], each["figure"]) for each in audited.body["differences"]] == [(call, "ended")]
    assert audited.calls["unexplained"] == 1
    assert audited.calls["equal"] == audited.calls["compared"] - 1
