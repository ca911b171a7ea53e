"""The store: nothing is lost, nothing is out of order, and what is wrong with it is told."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as sql
from sqlalchemy.exc import SQLAlchemyError

from acd.checkpoints import Checkpoints
from acd.core import events as ev
from acd.core.center import Center
from acd.core.records import State, Visit
from acd.core.states import CallStage, SessionState
from acd.store import STATE, InUse, Store
from tests.core.desk import START, Desk
from tests.databases import Database, SqliteDatabase
from tests.helpers import until

PHONE = "PJSIP/1001"


class Diary(Desk):
    """A desk that keeps what happened, in the order in which it was applied."""

    def __init__(self, **settings: object) -> None:
        self.history: list[ev.Event] = []
        super().__init__(**settings)

    def apply(self, event: ev.Event | None) -> list:
        if event is not None:
            self.history.append(event)
        return super().apply(event)

    def fail(self, phone: str, *, refused: bool, queue: str | None = None) -> None:
        self.apply(ev.OrderFailed(self.now, queue, phone, "no", refused))


def an_ordinary_day(desk: Diary) -> None:
    """Waiting, ringing, talk, hold, wrap-up extended and ended early, abandoned, handed on, logged off."""
    session = desk.agent("1001", PHONE, groups=["support", "sales"])
    desk.agent("1002", "PJSIP/1002")
    desk.join("c1")
    desk.join("c2")
    leg = desk.after(1).ring("c1", "PJSIP/1002", leg="leg-0")
    desk.apply(ev.AgentNotAnswered(desk.after(2).now, "c1", "support", "PJSIP/1002", leg))
    desk.apply(ev.ChannelEnded(desk.now, leg, False))
    desk.ring("c1")
    desk.after(4).answer("c1")
    desk.apply(ev.HoldStarted(desk.after(5).now, "leg-c1"))
    desk.after(2).give_up("c2")
    desk.apply(ev.HoldEnded(desk.after(5).now, "leg-c1"))
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.after(9.25).hang_up("c1")
    desk.after(30).ask(session.id, "READY")
    desk.take("c3", queue="sales", rings=2.5)
    desk.after(30.5).hang_up("c3")
    desk.apply(desk.center.change_wrap_up(desk.now, session.id, 60.0))
    desk.after(20)
    desk.apply(desk.center.change_wrap_up(desk.now, session.id, None))
    desk.join("c4", "sales")
    desk.after(10).leave("c4", "sales")
    desk.after(0.5).join("c4", "support")
    desk.after(10).leave("c4", "support")
    desk.apply(ev.QueueStatusTold(desk.now, "c4", "support", "TIMEOUT"))
    desk.apply(ev.ChannelEnded(desk.after(1).now, "c4", True))
    desk.apply(ev.MeasurementPeriodSet(desk.now, 3600, agent="1001"))
    desk.apply(ev.WrapUpSet(desk.now, 0.0, agent="1002"))
    desk.join("c5")
    ringing = desk.ring("c5")
    desk.apply(ev.CallPickedUp(desk.now, "leg-c5", "PJSIP/1002-0001", ringing))
    desk.answer("c5", "PJSIP/1002")
    desk.ask("s3", "SESSION_ENDED")
    desk.after(7).hang_up("c5")
    desk.after(4000)


def calls_outside_of_the_queues(desk: Diary) -> None:
    """A call out, a direct call in, and one while an ACD call is up."""
    desk.agent()
    desk.apply(ev.ChannelMade(desk.now, "o1", f"{PHONE}-01", "o1", True))
    desk.apply(ev.DialBegun(desk.now, "o1", "far"))
    desk.apply(ev.BridgeEntered(desk.after(2).now, "o1", "b"))
    desk.apply(ev.ChannelEnded(desk.after(20).now, "o1", True))
    desk.apply(ev.ChannelMade(desk.now, "i1", f"{PHONE}-02", "far2", False))
    desk.apply(ev.DialBegun(desk.now, "far2", "i1"))
    desk.apply(ev.DialEnded(desk.after(2).now, "far2", "i1", "ANSWER"))
    desk.apply(ev.ChannelEnded(desk.after(20).now, "i1", True))
    desk.take("c1")
    desk.apply(ev.ChannelMade(desk.now, "o2", f"{PHONE}-03", "o2", True))
    desk.apply(ev.ChannelEnded(desk.after(5).now, "o2", False))
    desk.after(5).hang_up("c1", by="agent")
    desk.after(60)


def a_link_that_comes_and_goes(desk: Diary) -> None:
    """Pictures with members, callers and channels: after a loss in mid-call, and after a restart of Asterisk."""
    desk.agent(groups=["support", "sales"])
    desk.agent("1002", "PJSIP/1002")
    desk.take("c1")
    desk.join("c2")
    desk.after(5).apply(ev.LinkLost(desk.now, "cut"))
    channels = [
        ev.SeenChannel("c1", "PJSIP/trunk-01", "c1", "b", True, False, False),
        ev.SeenChannel("leg-c1", f"{PHONE}-0001", "c1", "b", True, False, True),
        ev.SeenChannel("c2", "PJSIP/trunk-02", "c2", "", True, False, False),
    ]
    callers = [ev.SeenCaller("c2", "support", 1, "555", "PJSIP/trunk-02", 12.0)]
    callers.append(ev.SeenCaller("c3", "sales", 1, "556", "PJSIP/trunk-03", 2.0))
    desk.apply(ev.LinkHeard(desk.now))
    desk.after(7).link(callers=callers, channels=channels, devices={PHONE: True, "PJSIP/1002": False})
    desk.apply(ev.DeviceStateTold(desk.now, "PJSIP/1002", True))
    desk.now += 100
    desk.apply(ev.ClockSet(desk.now, 100))
    desk.after(3).hang_up("c1")
    desk.join("c5")
    desk.apply(ev.ChannelCut(desk.after(4).now, "c5"))
    desk.leave("c5")
    desk.apply(ev.ChannelEnded(desk.now, "c5", True))
    desk.apply(ev.LinkLost(desk.now, "Asterisk ended"))
    desk.join("c6")
    desk.apply(ev.ExitRead(desk.after(2).now, "c6", "support", "timed_out"))
    desk.members.clear()
    desk.after(8).link(booted=desk.now - 2)
    desk.after(120)


def others_who_meddle(desk: Diary) -> None:
    """Pauses, removals and phones that somebody else changed; groups that change."""
    desk.agent(groups=["support", "sales"])
    desk.pause(PHONE, True, "supervisor")
    desk.pause(PHONE, False)
    desk.apply(ev.GroupSet(desk.after(1).now, "early shift", ["sales"]))
    desk.apply(desk.center.remove_group(desk.after(1).now, "early shift"))
    desk.join("consultation")
    desk.apply(ev.CallerReplaced(desk.after(1).now, "consultation", "customer", "0555"))
    desk.members.pop(("sales", PHONE))
    desk.apply(ev.MemberRemoved(desk.after(1).now, "sales", PHONE))
    desk.apply(ev.MemberStatus(desk.now, "support", PHONE, 6))
    desk.apply(ev.GroupSet(desk.after(1).now, "late shift", ["sales", "support"]))
    desk.apply(desk.center.create_agent(desk.now, None, "carol"))
    desk.apply(desk.center.create_session(desk.now, "late", "carol", "late shift", "PJSIP/1003"))
    desk.apply(ev.QueueGone(desk.after(1).now, "sales"))
    desk.apply(ev.GroupSet(desk.after(1).now, "late shift", ["new"]))
    desk.members.pop(("support", PHONE))
    desk.apply(ev.MemberRemoved(desk.after(1).now, "support", PHONE))


def orders_under_way(desk: Diary) -> None:
    """Orders that wait to be confirmed, are confirmed out of turn, refused, or come to nothing."""
    session = desk.agent(groups=["support", "sales"])
    desk.obedient = False
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.ask(session.id, "READY")
    desk.ask_agent("1001", "NOT_READY", "tea")
    desk.after(1)
    for order in list(desk.orders[-2:]):
        desk.obey(order)
    desk.fail(PHONE, refused=True)
    desk.ask(session.id, "NOT_READY", "meeting")
    desk.after(1).fail(PHONE, refused=False)
    desk.after(6)  # it is ordered again
    desk.obey(desk.orders[-1])
    desk.apply(desk.center.create_agent(desk.now, "1002", "bob"))
    desk.apply(desk.center.create_session(desk.now, "s9", "1002", "support", "PJSIP/1002"))
    desk.apply(ev.SessionWithdrawn(desk.after(1).now, "s9", "refused"))
    desk.apply(ev.MemberFound(desk.now, "support", PHONE, True))
    desk.after(30)


def a_supervisor_at_work(desk: Diary) -> None:
    """Penalties, a line that is put in another order, callers taken out of it, a call listened to, after-call codes."""
    texts = {"sale": "A sale"}
    desk.apply(ev.Registrations(desk.now, {}, {}, 10.0, 86400, dispositions=texts, disposition_required=["support"]))
    session = desk.agent()
    desk.apply(desk.center.set_penalty(desk.now, "1001", "support", 3))
    for call in ("c1", "c2", "c3"):
        desk.join(call)
    desk.apply(ev.WaitingSeen(desk.after(1).now, "support", {"c3": 5, "c1": 0, "c2": 0}))
    desk.apply(ev.ExitAsked(desk.now, "c2", "support", "withdrawn"))
    desk.leave("c2")
    desk.after(5)
    desk.ring("c3")
    desk.answer("c3")
    for number, mode in enumerate(("listen", "barge")):
        desk.apply(ev.MonitorAsked(desk.now, f"m{number}", "1001", mode, "PJSIP/1020", "leg-c3"))
        desk.apply(ev.DialBegun(desk.now, None, f"m{number}"))
    desk.apply(ev.MonitorStarted(desk.after(1).now, "m0"))
    desk.apply(ev.MonitorFailed(desk.after(1).now, "m1"))
    desk.hang_up("c3")
    desk.apply(desk.center.set_disposition(desk.after(1).now, session.id, "sale"))
    desk.apply(ev.ChannelEnded(desk.after(1).now, "m0", True))


STORIES = [
    a_supervisor_at_work,
    an_ordinary_day,
    calls_outside_of_the_queues,
    a_link_that_comes_and_goes,
    others_who_meddle,
    orders_under_way,
]
Story = Callable[[Diary], None]


def told(story: Story) -> list[ev.Event]:
    desk = Diary()
    story(desk)
    return desk.history


def replayed(events: list[ev.Event], state: State | None = None) -> Center:
    center = Center(state)
    for event in events:
        center.apply(event)
    return center


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    with database.opened() as store:
        yield store


def an_event(number: int) -> ev.Event:
    return ev.CallerAbandoned(START + number, f"c{number}", "support")


def a_visit(caller: str = "555") -> Visit:
    return Visit("c1/support/1", "c1", "support", 1, caller, "PJSIP/trunk-1", START)


# What was told is told again


@pytest.mark.parametrize("story", STORIES)
def test_events_come_back_as_they_were_and_in_their_order(database, story):
    history = told(story)
    with database.opened() as store:
        for event in history:
            store.append("main", event)
    with database.opened() as store:
        state, tail = store.load("main")
    assert tail == history
    assert [type(event) for event in tail] == [type(event) for event in history]
    assert state == State()


def test_a_picture_of_thousands_of_members_comes_back_as_it_was(database):
    members = [ev.SeenMember(f"q{n % 7}", f"PJSIP/{n}", "Zoë", n % 2 == 0, 'a "b"', 1, True, 0.5) for n in range(2500)]
    picture = ev.PictureTaken(START, START - 100, ["q0", "q1"], members, [], [], {"PJSIP/1": True})
    with database.opened() as store:
        store.append("main", picture)
    with database.opened() as store:
        assert store.load("main")[1] == [picture]


def test_every_kind_of_event_is_told_in_some_story():
    seen = {type(event) for story in STORIES for event in told(story)}
    assert {kind.__name__ for kind in ev.KINDS.values() if kind not in seen} == set()


@pytest.mark.parametrize("story", STORIES)
def test_a_checkpoint_anywhere_and_the_events_after_it_give_the_same_state_as_all_events(story):
    history = told(story)
    whole = STATE.dump_python(replayed(history).state)
    before = Center()
    for cut, event in enumerate(history, 1):
        before.apply(event)
        restored = STATE.validate_json(STATE.dump_json(before.state))
        assert STATE.dump_python(restored) == STATE.dump_python(before.state), f"after {cut} events: {event}"
        after = replayed(history[cut:], restored)
        assert STATE.dump_python(after.state) == whole, f"a checkpoint after {cut} events: {event}"


@pytest.mark.parametrize("story", STORIES)
def test_a_checkpoint_keeps_what_is_due_next(story):
    """Every restart is a loss of the link, too, and that forgets the orders that wait to be tried again."""
    history = told(story)
    for cut, event in enumerate(history, 1):
        lost = ev.LinkLost(event.at, "started again")
        center = replayed(history[:cut])
        restored = Center(STATE.validate_json(STATE.dump_json(center.state)))
        center.apply(lost)
        restored.apply(lost)
        assert restored.next_deadline() == center.next_deadline(), f"after {event}"


def test_a_checkpoint_and_its_tail_come_back_from_the_disk(database):
    history = told(an_ordinary_day)
    cut = len(history) // 2
    with database.opened() as store:
        center = Center()
        for number, event in enumerate(history, 1):
            center.apply(event)
            store.append("main", event)
            if number in (3, cut):
                Checkpoints("main", store).keep(center.state)
    with database.opened() as store:
        state, tail = store.load("main")
    assert tail == history[cut:]
    assert STATE.dump_python(replayed(tail, state).state) == STATE.dump_python(replayed(history).state)


def test_what_rings_in_a_checkpoint_of_an_earlier_version_is_found_at_its_phone():
    desk = Desk()
    session = desk.agent()
    desk.join()
    desk.ring()
    kept = json.loads(STATE.dump_json(desk.center.state))
    del kept["ringing_at"]
    desk.center = Center(STATE.validate_python(kept))
    assert desk.session_now(session).acd_call.stage is CallStage.RINGING


def test_the_stories_meet_every_state_in_which_a_checkpoint_may_fall():
    """So that the comparisons above are worth something."""
    met = set()
    for story in STORIES:
        center = Center()
        for event in told(story):
            center.apply(event)
            state = center.state
            met |= {session.state.name for session in state.sessions.values()}
            met |= {"held" for visit in state.visits.values() if visit.held_since is not None}
            met |= {"waiting" for queue in state.queues.values() if queue.waiting}
            met |= {"ringing"} & ({"ringing"} if state.ringing else set())
            met |= {"unresolved" for visit in state.visits.values() if visit.unresolved_until is not None}
            met |= {"next state" for session in state.sessions.values() if session.next_state is not None}
            met |= {"left a queue" for session in state.sessions.values() if session.left}
            met |= {"not joined" for session in state.sessions.values() if not session.joined}
            met |= {"other call" for leg in state.legs.values() if leg.visit is None}
            met |= {"ordered" for queues in state.members.values() for member in queues.values() if member.ordered}
            met |= {"wrap-up" for session in state.sessions.values() if session.wrap_up_until is not None}
            met |= set() if state.linked else {"not linked"}
    assert met == {state.name for state in SessionState} | {
        "held",
        "waiting",
        "ringing",
        "unresolved",
        "next state",
        "left a queue",
        "not joined",
        "other call",
        "ordered",
        "wrap-up",
        "not linked",
    }


def test_two_handlers_keep_to_themselves(database):
    with database.opened() as store:
        for number in range(6):
            store.append("main" if number % 2 else "other", an_event(number))
        Checkpoints("other", store).keep(State(tells_status=True))
    with database.opened() as store:
        assert store.load("main") == (State(), [an_event(number) for number in (1, 3, 5)])
        assert store.load("other") == (State(tells_status=True), [])


def test_sequence_numbers_grow_by_one_also_over_a_restart(database):
    for _ in range(3):
        with database.opened() as store:
            for number in range(5):
                store.append("main", an_event(number))
    assert database.numbers() == list(range(1, 16))


def test_the_number_of_an_event_is_told_when_it_is_appended(database):
    with database.opened() as store:
        assert [store.append("main", an_event(number)) for number in range(3)] == [1, 2, 3]
    with database.opened() as store:
        assert store.append("main", an_event(4)) == 4


async def test_a_row_of_the_ledger_is_renewed_not_doubled(store):
    visit = a_visit()
    store.keep_call("main", visit)
    visit.left = START + 3
    store.keep_call("main", visit)
    await store.written()
    visit.abandon_told = True
    visit.left = START + 5
    store.keep_call("main", visit)
    await store.written()
    (row,) = store.calls("main", start=0, end=2e9)
    assert row["wait_time"] == 5.0


async def test_what_each_agent_of_a_handler_did_last_is_found_among_all_that_he_did(store):
    for handler, agent, at, state in [
        ("main", "1002", 5.0, "READY"),
        ("main", "1001", 1.0, "READY"),
        ("main", "1001", 3.0, "NOT_READY"),
        ("main", "1001", 2.0, "BUSY_ACD"),
        ("branch", "1001", 9.0, "UNKNOWN"),
        ("branch", "1003", 9.0, "UNKNOWN"),
    ]:
        reason, wrap_up = f"because of {at}", state == "NOT_READY"
        values = {"handler": handler, "agent": agent, "at": at, "state": state, "reason": reason, "wrap_up": wrap_up}
        store.keep_agent_time(values)
    await store.written()
    assert dict(store.last_agent_times("main")) == {
        "1001": ("NOT_READY", "because of 3.0", True),
        "1002": ("READY", "because of 5.0", False),
    }
    assert store.last_agent_times("nowhere") == []


async def test_a_pin_is_renewed_and_kept_by_handler(store):
    for handler, hashed in (("main", "old"), ("other", "theirs"), ("main", "new")):
        store.keep_pin(handler, "1001", hashed)
    await store.written()
    assert (store.pins("main"), store.pins("other")) == ({"1001": "new"}, {"1001": "theirs"})


# Writing


@pytest.mark.parametrize("many", [1, 16, 17, 64, 65, 200])
async def test_however_many_rows_are_written_at_once_each_is_there_once_and_as_it_was_last(store, many):
    for version in ("old", "new"):
        for number in range(many):
            store.keep_pin("main", str(number), f"{version} {number}")
            store.append(version, an_event(number))
        await store.written()
    assert store.pins("main") == {str(number): f"new {number}" for number in range(many)}
    assert store.events("new", 0) == ([(number + 1, an_event(number)) for number in range(many)], many)


async def test_many_events_are_written_in_few_transactions(database):
    commits: list[object] = []

    def committed(connection: object) -> None:
        commits.append(connection)

    with database.opened() as store:
        await store.written()
        sql.listen(Engine, "commit", committed)
        try:
            with database.busy():  # so that they gather behind the first one
                for number in range(5000):
                    store.append("main", an_event(number))
            await store.written()
        finally:
            sql.remove(Engine, "commit", committed)
        assert len(database.numbers()) == 5000
        assert 1 <= len(commits) <= 10


async def test_what_was_handed_over_is_on_disk_when_written_returns(store, database):
    for number in range(300):
        store.append("main", an_event(number))
    await store.written()
    assert database.numbers() == list(range(1, 301))
    assert store.waiting == 0


async def test_whoever_waits_is_not_held_up_while_a_batch_is_gathered(store, database, monkeypatch):
    monkeypatch.setattr("acd.store.GATHER", 3600)
    store.append("main", an_event(1))
    await store.written()
    assert database.numbers() == [1]


async def test_a_reader_who_gives_up_waiting_does_not_end_the_writer(store, database):
    with database.busy():
        store.append("main", an_event(1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await store.written()
    store.append("main", an_event(2))
    await until(lambda: database.numbers() == [1, 2], what="both events on disk")


# When it cannot


async def test_a_locked_database_is_told_and_nothing_is_lost_when_it_is_free_again(store, database, caplog):
    caplog.set_level(logging.INFO)
    store.append("main", an_event(0))
    await store.written()
    with database.busy():
        for number in range(1, 50):
            store.append("main", an_event(number))
        await until(lambda: store.problem, what="problem told")
        assert "lock" in store.problem
        for number in range(50, 100):
            store.append("main", an_event(number))
        assert store.waiting >= 50
    await until(lambda: store.problem is None, what="well again")
    await store.written()
    assert store.load("main")[1] == [an_event(number) for number in range(100)]
    assert not store.gaps
    told_of_it = [record for record in caplog.records if record.name == "acd.store"]
    assert [record.levelno for record in told_of_it] == [logging.ERROR, logging.INFO]


async def test_a_table_that_is_gone_for_a_while_is_told_and_nothing_is_lost(store, database):
    database.rename("event", "elsewhere")
    store.append("main", an_event(1))
    store.keep_pin("main", "1001", "hash")
    await until(lambda: store.problem)
    database.rename("elsewhere", "event")
    await store.written()
    assert store.problem is None
    assert store.load("main")[1] == [an_event(1)]
    assert store.pins("main") == {"1001": "hash"}


async def test_a_directory_that_is_moved_away_and_back_loses_nothing(tmp_path):
    folder, away = tmp_path / "data", tmp_path / "away"
    folder.mkdir()
    with SqliteDatabase(folder / "acd.db").opened() as store:
        store.append("main", an_event(1))
        await store.written()
        folder.rename(away)
        store.append("main", an_event(2))
        await until(lambda: store.problem or not store.waiting)
        away.rename(folder)
        store.append("main", an_event(3))
        await store.written()
    assert SqliteDatabase(folder / "acd.db").numbers() == [1, 2, 3]


async def test_a_database_that_can_only_be_read_is_told(tmp_path):
    path = tmp_path / "acd.db"
    with SqliteDatabase(path).opened():
        pass
    store = Store(f"sqlite:///file:{path}?mode=ro&uri=true")
    try:
        store.open()
    except SQLAlchemyError:
        return  # told at once: that is as good
    try:
        store.append("main", an_event(1))
        await until(lambda: store.problem)
        assert "readonly" in store.problem
    finally:
        store.close()


def test_a_directory_that_is_not_there_is_told_when_it_is_opened(tmp_path):
    with pytest.raises(SQLAlchemyError, match="unable to open"):
        Store(f"sqlite:///{tmp_path}/no/such/acd.db").open()


def test_a_file_that_is_no_database_is_told_when_it_is_opened(tmp_path):
    path = tmp_path / "acd.db"
    path.write_bytes(b"something else " * 1000)
    with pytest.raises(SQLAlchemyError, match="not a database"):
        Store(f"sqlite:///{path}").open()


@pytest.mark.parametrize("url", ["nosuch://x", "not a url", "", "sqlite+nosuch:///x"])
def test_an_address_of_no_database_is_told(url):
    with pytest.raises(SQLAlchemyError):
        Store(url)


async def test_a_second_store_on_the_same_database_is_refused_and_spoils_nothing(store, database):
    store.append("main", an_event(1))
    await store.written()
    with pytest.raises(InUse, match="another acd uses "), database.opened():
        pass
    store.append("main", an_event(2))
    await store.written()
    assert store.problem is None
    assert database.numbers() == [1, 2]


def test_a_database_that_was_closed_can_be_opened_by_another(database):
    for number in (1, 2):
        with database.opened() as store:
            assert store.append("main", an_event(number)) == number


@pytest.mark.parametrize("oddity", ["an event without a time", "a caller that is no text"])
async def test_what_cannot_be_written_takes_nothing_else_with_it(store, database, oddity):
    await store.written()
    with database.busy():  # so that all of them come in one batch
        store.append("main", an_event(1))
        if oddity == "an event without a time":
            store.append("main", ev.CallerAbandoned(float("nan"), "c", "support"))
        else:
            store.keep_call("main", a_visit(caller="\ud800"))
        store.append("main", an_event(3))
    store.append("main", an_event(4))

    def others() -> list[ev.Event]:
        return [event for event in store.load("main")[1] if event.call != "c"]

    await until(lambda: len(others()) == 3, what="the others on disk")
    assert others() == [an_event(number) for number in (1, 3, 4)]


async def test_no_hash_of_a_pin_is_logged_when_it_cannot_be_written(store, caplog):
    store.keep_pin("main", None, "the-hash-of-a-pin")
    await store.written()
    assert "A row of pin cannot be written and is given up" in caplog.text
    assert "the-hash-of-a-pin" not in caplog.text


async def test_when_too_much_waits_the_rest_is_given_up_and_told_once(database, monkeypatch, caplog):
    monkeypatch.setattr("acd.store.MOST_WAITING", 20)
    with database.opened() as store:
        await store.written()
        gathered = threading.Event()  # what comes while a batch is gathered would be written with it
        write = store._write
        monkeypatch.setattr(store, "_write", lambda *batch: (gathered.set(), write(*batch)))
        with database.busy():
            store.append("main", an_event(0))
            await until(gathered.is_set, what="the writer is busy with the first one")
            for number in range(1, 101):
                store.append("main", an_event(number))
            assert (store.waiting, store.gaps) == (20, {"main"})
            assert caplog.text.count("away for too long") == 1
        await until(lambda: not store.waiting)
        await store.written()
        assert store.load("main")[1] == [an_event(number) for number in range(21)]
        assert store.append("main", an_event(200)) == 22, "what was given up took no number"


async def test_rows_of_the_ledger_come_back_also_when_too_much_waited(database, monkeypatch):
    monkeypatch.setattr("acd.store.MOST_WAITING", 20)
    with database.opened() as store:
        await store.written()
        with database.busy():
            for number in range(30):
                store.append("main", an_event(number))
            for caller in ("555", "556"):
                store.keep_call("main", a_visit(caller=caller))
            assert store.given_up > 0
        await until(lambda: not store.waiting)
        await store.written()
        assert [row["caller"] for row in store.calls("main", start=0, end=2e12)] == ["556"]


async def test_a_database_that_is_moved_away_is_waited_for_and_gets_everything_when_it_is_back(tmp_path):
    database = SqliteDatabase(tmp_path / "acd.db")
    with database.opened() as store:
        store.append("main", an_event(1))
        await store.written()
        database.path.rename(elsewhere := tmp_path / "elsewhere.db")
        store.append("main", an_event(2))
        await until(lambda: store.problem)
        elsewhere.rename(database.path)
        store.append("main", an_event(3))
        await store.written()
        assert store.problem is None
        assert store.load("main")[1] == [an_event(number) for number in (1, 2, 3)]


async def test_another_file_in_the_place_of_the_database_is_not_written_to(tmp_path):
    database = SqliteDatabase(tmp_path / "acd.db")
    with database.opened() as store:
        store.append("main", an_event(1))
        await store.written()
        database.path.rename(tmp_path / "elsewhere.db")
        database.path.write_bytes(b"")
        store.append("main", an_event(2))
        await until(lambda: store.problem)
        assert "start acd again" in store.problem
    assert database.path.read_bytes() == b""


def test_closing_writes_what_waits(database):
    with database.opened() as store:
        for number in range(3000):
            store.append("main", an_event(number))
    assert database.numbers() == list(range(1, 3001))


async def test_closing_while_the_database_is_away_does_not_hang(database):
    with database.opened() as store:
        database.rename("event", "elsewhere")
        store.append("main", an_event(1))
        await until(lambda: store.problem)
