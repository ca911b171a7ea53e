"""Whatever a message says: it is an event, nothing, or malformed; and a service that hears it goes on in good order."""

import asyncio
import json
import math
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.asterisk import translate
from acd.asterisk.link import Login
from acd.asterisk.message import Message
from acd.core import events as ev
from acd.core.records import State
from acd.core.states import SESSION_MOVES, AgentState, SessionEvent, SessionState
from acd.core.views import agent_view, queue_view, session_view
from acd.service import Service
from acd.store import STATE, Kept, call_values
from acd.store.event_log import decode
from acd.web import shapes

NOW = 1_700_000_000.0
PHONES = {"1001": "PJSIP/1001", "1002": "Local/1002@phones/n"}
QUEUES = ["support", "sales"]

HEADERS = [
    *("Timestamp", "Uniqueid", "Linkedid", "Queue", "Interface", "Location", "MemberName", "Name", "Position"),
    *("CallerIDNum", "Channel", "DestChannel", "DestUniqueid", "Status", "Variable", "Value", "Cause", "RingTime"),
    *("HoldTime", "Paused", "PausedReason", "Membership", "ChannelState", "DialStatus", "BridgeUniqueid", "BridgeId"),
    *("SwapUniqueid", "SecondTransfererUniqueid", "TransfereeUniqueid", "Result", "DestType", "TargetUniqueid"),
    *("Device", "State", "LastCall", "Wait", "Application", "ApplicationData", "Uptime", "Event"),
]
NUMBERS = [
    "0",
    "1",
    "-1",
    "4",
    "6",
    "1.5",
    "1e400",
    "1e10",
    "99999999999",
    "nan",
    "inf",
    "-inf",
    "1_0",
    "٣",
    "0x1",
    "9" * 400,
]
TEXTS = [
    "",
    " ",
    "<unknown>",
    "QUEUESTATUS",
    "TIMEOUT",
    "FULL",
    "App",
    "Success",
    "Queue",
    "AppQueue",
    "dynamic",
    "\0",
    "\n",
]
NAMES = [*QUEUES, *PHONES.values(), "PJSIP/1001-0001", "Queue:support", "/", "-", ";2", "\ufffd", "x" * 5000]
VALUES = st.sampled_from([*NUMBERS, *TEXTS, *NAMES]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KINDS = [
    *translate.TRANSLATORS,
    "QueueParams",
    "QueueMember",
    "QueueEntry",
    "CoreShowChannel",
    "FullyBooted",
    "Else",
    "",
]


def message(kind: str, headers: dict[str, str]) -> Message:
    return Message("\r\n".join([f"Event: {kind}", *(f"{name}: {value}" for name, value in headers.items())]))


MESSAGES = st.builds(message, st.sampled_from(KINDS), st.dictionaries(st.sampled_from(HEADERS), VALUES, max_size=25))


@given(MESSAGES)
def test_any_message_is_an_event_of_these_days_or_nothing_or_malformed(heard: Message):
    try:
        event = translate.to_event(heard, NOW)
    except translate.Malformed as error:
        assert len(str(error)) < 10_000
        return
    if event is not None:
        assert abs(event.at - NOW) <= translate.FAR
        assert decode(type(event).__name__, json.dumps(event)) == event


@given(st.lists(MESSAGES, max_size=6), st.lists(MESSAGES, max_size=6), st.lists(MESSAGES, max_size=6))
def test_any_lists_are_a_picture_or_malformed(queues: list[Message], channels: list[Message], devices: list[Message]):
    try:
        picture = translate.picture(NOW, NOW - 10, [*map(translate.listed, queues)], channels, devices)
    except translate.Malformed:
        return
    assert decode("PictureTaken", json.dumps(picture)) == picture
    assert all(0 <= caller.wait <= translate.LONGEST for caller in picture.callers)


@given(MESSAGES)
def test_any_start_of_asterisk_is_a_time_or_malformed(heard: Message):
    try:
        assert math.isfinite(translate.booted(heard, NOW))
    except translate.Malformed:
        pass


@pytest.mark.parametrize("stamp", ["0", "5", str(NOW - 3601), str(NOW + 3601), "32503680000"])
def test_a_timestamp_that_is_far_from_now_is_not_counted_by(stamp: str):
    event = translate.to_event(message("Hangup", {"Timestamp": stamp, "Uniqueid": "1"}), NOW)
    assert event is not None and event.at == NOW


@pytest.mark.parametrize("seconds", [-3600, -1, 0, 0.25, 3600])
def test_a_timestamp_that_is_late_or_early_is_kept(seconds: float):
    event = translate.to_event(message("Hangup", {"Timestamp": str(NOW + seconds), "Uniqueid": "1"}), NOW)
    assert event is not None and event.at == NOW + seconds


@pytest.mark.parametrize("header", ["RingTime", "HoldTime"])
def test_a_time_that_nothing_takes_is_malformed(header: str):
    told = {"Uniqueid": "1", "Queue": "q", "Interface": "PJSIP/1", "DestUniqueid": "2", header: "99999999999"}
    with pytest.raises(translate.Malformed, match=header):
        translate.to_event(message("AgentConnect", told), NOW)


# A service that hears it all


class Memory:
    """A store in memory that keeps what would be written."""

    problem = None

    def __init__(self) -> None:
        self.gaps: set[str] = set()
        self.rows: list[dict[str, Any]] = []

    def kept(self, _handler: str) -> Kept:
        return Kept(State(), [], 0)

    def heard(self, _handler: str) -> None:
        return None

    def last_agent_times(self, _handler: str) -> list[Any]:
        return []

    def append(self, _handler: str, event: ev.Event) -> None:
        json.dumps(event)

    def keep_agent_time(self, values: dict[str, Any]) -> None:
        json.dumps(values)

    def keep_call(self, handler: str, visit: Any) -> None:
        self.rows.append(call_values(handler, visit))

    async def written(self) -> None:
        pass

    def last(self, _handler: str) -> tuple[int, float]:
        return len(self.rows), NOW

    def checkpoint(self, _handler: str, _seq: int, _at: float, state: str) -> None:
        STATE.validate_json(state)


class Floor:
    """A service with two agents who are logged on; `obeys`: Asterisk tells that it did what it was ordered."""

    def __init__(self, obeys: bool) -> None:
        self.now, self.obeys = NOW, obeys
        self.store = Memory()
        self.told: dict[str, SessionState] = {}
        self.failed: list[Exception] = []
        groups = {"support": ["support"], "both": QUEUES}
        registrations = ev.Registrations(NOW, {}, groups, 5.0, 86400, missed_calls=2)
        login = Login("127.0.0.1", 1, "acd", "x")
        self.service = Service("main", login, cast(Any, self.store), registrations, clock=lambda: self.now)
        self.service.link.send = self._send  # type: ignore[method-assign, assignment]
        self.service.listen(self._moved)
        self.center = self.service.center

    async def staff(self) -> None:
        self.service.observe(ev.PictureTaken(NOW, NOW - 10, QUEUES, [], [], [], {}))
        for agent, phone in PHONES.items():
            self.service.observe(self.center.create_agent(NOW, agent, agent))
            device = "PJSIP/1002" if phone.startswith("Local") else ""
            self.service.observe(self.center.create_session(NOW, f"s{agent}", agent, "both", phone, device=device))
            await self.rest()
            if self.obeys:
                self.service.observe(self.center.ask_session_state(NOW, f"s{agent}", SessionState.READY, ""))
                self.service.observe(self.center.ask_agent_state(NOW, agent, AgentState.READY, ""))
                await self.rest()

    async def _send(self, action: str, headers: dict[str, str], timeout: float) -> None:
        kind = {"QueueAdd": "Added", "QueueRemove": "Removed", "QueuePause": "Pause"}[action]
        told = {"Status": "1", "Membership": "dynamic", "PausedReason": headers.get("Reason", "")}
        told |= {"Paused": str(int(headers.get("Paused") == "true")), "Interface": headers["Interface"]}
        queues = [headers["Queue"]] if "Queue" in headers else QUEUES
        for queue in queues if self.obeys else ():
            self.hear(message(f"QueueMember{kind}", told | {"Queue": queue}))

    async def rest(self) -> None:
        while self.service._sends:
            await asyncio.sleep(0)

    def hear(self, heard: Message) -> None:
        try:
            self.service._hear(heard, self.now)
        except Exception as error:  # raised again by `check`: a task would hide it
            self.failed.append(error)

    def _moved(self, change: Any) -> None:
        """A session is new once, and moves as published."""
        if not isinstance(getattr(change, "event", None), SessionEvent):
            return
        if change.event is SessionEvent.NEW_SESSION:
            assert change.session not in self.told
            self.told[change.session] = SessionState.NOT_READY
        else:
            assert SessionState(change.event - 1) in SESSION_MOVES[self.told[change.session]]
            self.told[change.session] = SessionState(change.event - 1)

    def check(self) -> None:
        """What must hold whatever was heard."""
        for error in self.failed:
            raise error
        state = self.center.state
        deadline = self.center.next_deadline()
        assert deadline is None or NOW <= deadline <= self.now + translate.FAR + 86400
        for queue in state.queues.values():
            assert len(set(queue.waiting)) == len(queue.waiting)
            view = queue_view(self.center, queue.name, self.now)
            gone = view.total_calls_answered + view.total_calls_abandoned + view.total_calls_flowed_out
            assert view.total_calls_queued == gone + view.final_disposition + view.current_calls_queued
            shapes.queue(self.center, queue.name, self.now)
            shapes.waiting(self.center, queue.name)
        for agent in state.agents.values():
            mine = [session.tally for session in state.sessions.values() if session.agent == agent.key]
            assert agent.measured.tally.calls == sum(tally.calls for tally in mine)
            shapes.agent(self.center, agent, self.now)
        assert {key: session.state for key, session in state.sessions.items() if session.joined} == self.told
        for figure in self.figures():
            assert figure >= 0
        for row in self.store.rows:
            shapes.call(row)

    def figures(self) -> Iterator[float]:
        """All numbers that are published."""
        state = self.center.state
        views: list[Any] = [agent_view(self.center, agent, self.now) for agent in state.agents.values()]
        views += [session_view(self.center, session, self.now) for session in state.sessions.values()]
        views += [queue_view(self.center, name, self.now) for name in state.queues]
        for view in views:
            for name in view.__slots__:
                value = getattr(view, name)
                if isinstance(value, int | float) and not isinstance(value, SessionState | AgentState):
                    yield value


CALLERS = st.integers(0, 2)
OFTEN = ["QueueCallerJoin", "QueueCallerLeave", "AgentCalled", "AgentConnect", "AttendedTransfer", "HangupRequest"] * 4


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[float, Message]]:
    """Messages of the right form in any order, of callers nobody knows and phones nobody called."""
    handed_on: set[str] = set()
    history = []
    for kind in draw(st.lists(st.sampled_from([*translate.TRANSLATORS, *OFTEN]), min_size=8, max_size=25)):
        number = draw(CALLERS)
        call, leg, other = f"c{number}", f"l{draw(CALLERS)}", f"c{draw(CALLERS)}"
        if kind == "QueueCallerJoin" and call in handed_on:
            continue
        if kind == "AttendedTransfer":
            handed_on.add(call)
        own = draw(st.sampled_from([call, leg]))
        queue = draw(st.sampled_from(["support", "support", "support", "sales", "unheard of"]))
        caller_only = kind in (
            "QueueCallerJoin",
            "QueueCallerAbandon",
            "QueueCallerLeave",
            "AgentCalled",
            "AgentConnect",
        )
        headers = {
            "Timestamp": draw(st.sampled_from(["", "5", "32503680000"])),  # 1970 and 3000: none is counted by
            "Uniqueid": call if caller_only else own,
            "Linkedid": call,
            "Queue": queue,
            "Interface": draw(st.sampled_from([*PHONES.values(), "PJSIP/nobody"])),
            "DestUniqueid": leg,
            "Position": draw(st.sampled_from(["0", "1", "2", "50"])),
            "CallerIDNum": "5551234",
            "Channel": draw(st.sampled_from(["PJSIP/1001-01", "PJSIP/1002-02", "Local/1002@phones-03;1", "trunk"])),
            "DestChannel": draw(st.sampled_from(["PJSIP/1001-01", "Local/1002@phones-03;1", "PJSIP/1002-02"])),
            "Status": draw(st.sampled_from(["1", "4", "5"])),
            "RingTime": "2",
            "HoldTime": draw(st.sampled_from(["0", "3", "-1"])),
            "Paused": draw(st.sampled_from(["0", "1"])),
            "PausedReason": draw(st.sampled_from(["", "wrapup", "lunch", "logged off", "Auto-Pause"])),
            "Membership": draw(st.sampled_from(["dynamic", "static"])),
            "ChannelState": draw(st.sampled_from(["0", "4", "6"])),
            "DialStatus": draw(st.sampled_from(["ANSWER", "BUSY"])),
            "BridgeUniqueid": "b",
            "SwapUniqueid": draw(st.sampled_from(["", leg])),
            "SecondTransfererUniqueid": call,
            "TransfereeUniqueid": other,
            "Result": "Success",
            "DestType": "App",
            "TargetUniqueid": leg,
            "Device": "PJSIP/1001",
            "State": draw(st.sampled_from(["NOT_INUSE", "UNAVAILABLE"])),
            "Variable": "QUEUESTATUS",
            "Value": draw(st.sampled_from(["TIMEOUT", "FULL", "CONTINUE"])),
            "Cause": draw(st.sampled_from(["4", "16"])),
        }
        if kind == "UserEvent":
            headers["Status"] = draw(st.sampled_from(["TIMEOUT", "JOINEMPTY", "WITHDRAW"]))
        history.append((draw(st.sampled_from([0, 0.5, 6])), message(kind, headers)))
    return history


def played(history: list[tuple[float, Message]], *, obeys: bool) -> None:
    async def play() -> None:
        floor = Floor(obeys)
        await floor.staff()
        for step, (seconds, heard) in enumerate(history):
            floor.now += seconds
            floor.hear(heard)
            await floor.rest()
            deadline = floor.center.next_deadline()
            if deadline is not None and deadline <= floor.now:
                floor.service.observe(ev.TimePassed(floor.now))
                await floor.rest()
            if step % 5 == 0:
                floor.check()
        floor.check()
        state = floor.service.center.state
        assert STATE.validate_json(STATE.dump_json(state)) == state
        await floor.service.close()

    asyncio.run(play())


@given(histories(), st.booleans())
def test_messages_in_any_order_leave_everything_in_order(history: list[tuple[float, Message]], obeys: bool):
    played(history, obeys=obeys)


@given(st.lists(MESSAGES, max_size=15))
def test_messages_of_any_content_leave_everything_in_order(heard: list[Message]):
    played([(0.5, each) for each in heard], obeys=True)
