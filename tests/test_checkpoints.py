"""Checkpoints: the state of one moment, while the events go on."""

import os
import time

import pytest

from acd import checkpoints
from acd.checkpoints import Checkpoints
from acd.core.records import State
from acd.store import STATE, CheckpointRow, Store
from tests.helpers import until
from tests.test_store import an_event, an_ordinary_day, replayed, told


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    yield store
    store.close()


@pytest.fixture
def state(monkeypatch):
    monkeypatch.setattr(checkpoints, "EVERY", 3)
    return State()


def take(kept: Checkpoints, store: Store, state: State, *numbers: int) -> None:
    """Events, each of which leaves its trace in the state."""
    for number in numbers:
        store.append("main", an_event(number))
        state.devices[f"PJSIP/{number}"] = True
        kept.took(state)


def found(store: Store) -> tuple[list[str], int]:
    """The devices of the newest checkpoint on disk, and how many events are behind it."""
    state, tail = store.load("main")
    return sorted(state.devices), len(tail)


def children() -> bool:
    """Whether there are any, also such as have ended and were not waited for; they are left as they are."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


async def test_what_is_dumped_is_the_whole_state(store):
    whole = replayed(told(an_ordinary_day)).state
    kept = Checkpoints("main", store)
    store.gaps.add("main")
    kept.took(whole)
    await until(lambda: store.load("main")[0] == whole)
    assert not children()


async def test_it_is_the_state_of_the_event_after_which_it_was_due_whatever_comes_meanwhile(store, state):
    kept = Checkpoints("main", store)
    take(kept, store, state, 1, 2, 3)
    take(kept, store, state, 4, 5)
    await until(lambda: found(store) == (["PJSIP/1", "PJSIP/2", "PJSIP/3"], 2))


async def test_there_is_one_at_a_time_and_the_next_follows_when_it_is_over(store, state):
    kept = Checkpoints("main", store)
    take(kept, store, state, *range(1, 10))
    await until(lambda: found(store) == (["PJSIP/1", "PJSIP/2", "PJSIP/3"], 6))
    assert len(store.rows(CheckpointRow)) == 1
    take(kept, store, state, 10)
    await until(lambda: len(found(store)[0]) == 10)


async def test_many_agents_have_them_less_often(store, state):
    kept = Checkpoints("main", store)
    state.agents = dict.fromkeys(map(str, range(5)))
    take(kept, store, state, 1, 2, 3, 4)
    await store.written()
    assert found(store) == ([], 4)


async def test_events_that_the_log_lacks_are_made_good_at_once(store, state):
    kept = Checkpoints("main", store)
    store.gaps.add("main")
    take(kept, store, state, 1)
    await until(lambda: found(store) == (["PJSIP/1"], 0))
    assert not store.gaps


async def test_nothing_is_kept_for_a_database_that_is_away(tmp_path, state, monkeypatch):
    store = Store(f"sqlite:///{tmp_path}/acd.db")  # not opened: nobody writes
    kept: list[int] = []
    monkeypatch.setattr(store, "checkpoint", lambda _handler, seq, _at, _state: kept.append(seq))
    made = Checkpoints("main", store)
    store.problem = "away"
    take(made, store, state, 1, 2, 3, 4)
    store.problem = None
    take(made, store, state, 5)
    await until(lambda: kept == [5])


def broken(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """The child goes wrong; the process itself can dump."""
    here, dump = os.getpid(), STATE.dump_json

    def in_the_child(state: State) -> bytes:
        if os.getpid() == here:
            return dump(state)
        time.sleep(60 if how == "stuck" else 0)
        raise ValueError("broken")

    class Type:
        dump_json = staticmethod(in_the_child)

    monkeypatch.setattr(checkpoints, "STATE", Type)
    monkeypatch.setattr(checkpoints, "DUMPED_WITHIN", 0.2 if how == "stuck" else 10)


@pytest.mark.parametrize("how", ["stuck", "raises"])
async def test_a_child_that_goes_wrong_is_replaced_by_a_dump_here(store, state, monkeypatch, caplog, how):
    broken(monkeypatch, how)
    take(Checkpoints("main", store), store, state, 1, 2, 3)
    await until(lambda: len(found(store)[0]) == 3)
    assert "The state is dumped in the midst of the events" in caplog.text
    assert not children()


async def test_where_no_process_can_be_made_the_state_is_dumped_here(store, state, monkeypatch):
    def fork() -> int:
        raise BlockingIOError("too many processes")

    monkeypatch.setattr(os, "fork", fork)
    take(Checkpoints("main", store), store, state, 1, 2, 3)
    await until(lambda: len(found(store)[0]) == 3)


async def test_what_is_under_way_at_the_end_is_given_up(store, state, monkeypatch):
    broken(monkeypatch, "stuck")
    monkeypatch.setattr(checkpoints, "DUMPED_WITHIN", 60)
    kept = Checkpoints("main", store)
    take(kept, store, state, 1, 2, 3)
    kept.close()
    await until(lambda: not children())
    await store.written()
    assert found(store) == ([], 3)
