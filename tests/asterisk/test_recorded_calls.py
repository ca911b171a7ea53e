"""Every recording of a real Asterisk, through translation into the core: the ledger equals queue_log, line by line."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from acd.asterisk import translate
from acd.asterisk.message import Blocks, Message
from acd.core import events as ev
from acd.core.center import Center
from acd.core.records import Visit
from acd.core.states import Outcome, SessionState
from tests import recordings

CALLS = [name for name in recordings.NAMES if name not in ("al-protocol", "aj-agentonly-user")]
EXITS = {  # queue_log -> the outcome we book
    "ABANDON": Outcome.ABANDONED,
    "EXITWITHTIMEOUT": Outcome.TIMED_OUT,
    "EXITEMPTY": Outcome.LEFT_EMPTY,
    "EXITWITHKEY": Outcome.LEFT_BY_KEY,
    "WITHDRAW": Outcome.WITHDRAWN,
}


def messages(name: str) -> list[Message]:
    blocks = Blocks(1 << 20).feed(recordings.received(name))
    return [Message(block.decode("utf-8", "replace")) for block in blocks if block.startswith((b"Event", b"Response"))]


@dataclass
class Played:
    """What became of a recording."""

    center: Center = field(default_factory=Center)
    visits: dict[str, Visit] = field(default_factory=dict)
    moves: list[str] = field(default_factory=list)

    def apply(self, event: ev.Event) -> None:
        if not self.center.concerns(event):
            return
        for effect in self.center.apply(event):
            if hasattr(effect, "visit"):
                self.visits[effect.visit.key] = effect.visit
            elif hasattr(effect, "event"):
                self.moves.append(f"{type(effect).__name__} {effect.event.name}")

    def log_on(self, at: float, members: list[ev.SeenMember]) -> None:
        """Every member of the first picture is an agent of ours, ready, one session a queue."""
        for number, member in enumerate(members):
            if member.name not in self.center.state.agents:
                self.apply(ev.AgentCreated(at, member.name, None, member.name))
                self.apply(ev.AgentStateAsked(at, member.name, 1, ""))
            self.apply(ev.SessionCreated(at, f"s{number}", member.name, member.queue, member.interface))
            self.apply(ev.SessionStateAsked(at, f"s{number}", SessionState.READY, ""))


def play(name: str) -> Played:
    """The recording as a center without wrap-up time lived it: what it ordered, this Asterisk never heard."""
    played = Played()
    every = messages(name)
    first = next((number for number, m in enumerate(every) if m.event == "QueueStatusComplete"), -1)
    lists = [m for m in every[: first + 1] if m.event in ("QueueParams", "QueueMember", "QueueEntry")]
    at = recordings.read(name)[0].at
    picture = translate.picture(at, at - 100, lists, [], [])
    played.apply(ev.Registrations(at, {}, {}, 0, 86400))
    played.apply(picture)
    played.log_on(at, picture.members)
    for message in every[first + 1 :]:
        event = translate.to_event(message, at)
        if event is not None:
            played.apply(event)
    end = recordings.read(name)[-1].at
    played.apply(ev.TimePassed(end + 10))
    return played


def ledger(name: str) -> dict[tuple[str, str, int], dict[str, object]]:
    """The same recomputed from queue_log alone: (call, queue, n-th) -> who, waited, talked, how it ended."""
    rows: dict[tuple[str, str, int], dict[str, object]] = {}
    entries: Counter[tuple[str, str]] = Counter()
    for line in recordings.queue_log(name):
        _, call, queue, agent, event, *data = line.split("|")
        if event == "ENTERQUEUE":
            entries[call, queue] += 1
        row = rows.setdefault((call, queue, entries[call, queue]), {}) if entries[call, queue] else {}
        if event == "CONNECT":
            row |= {"agent": agent, "waited": int(data[0])}
        elif event in ("COMPLETECALLER", "COMPLETEAGENT"):
            row |= {"talked": int(data[1])}
        elif event in EXITS:
            row |= {"outcome": EXITS[event]}
    return rows


@pytest.mark.parametrize("name", recordings.NAMES)
def test_every_message_of_a_real_asterisk_can_be_understood(name):
    for message in messages(name):
        translate.to_event(message, 0.0)


@pytest.mark.parametrize("name", CALLS)
def test_the_ledger_equals_queue_log(name):
    played, expected = play(name), ledger(name)
    assert {(v.call, v.queue, v.nth) for v in played.visits.values()} == set(expected)
    for visit in played.visits.values():
        row = expected[visit.call, visit.queue, visit.nth]
        if "agent" in row:
            assert visit.outcome is Outcome.ANSWERED
            assert visit.agent == row["agent"]
            assert visit.wait == pytest.approx(row["waited"], abs=1.01)
        elif "outcome" in row:
            assert visit.outcome is row["outcome"]
        if "talked" in row:
            assert visit.talk == pytest.approx(row["talked"], abs=1.01)


@pytest.mark.parametrize("name", CALLS)
def test_the_figures_of_agents_sessions_and_queues_close(name):
    played = play(name)
    state = played.center.state
    answered = [visit for visit in played.visits.values() if visit.agent]
    over = [visit for visit in answered if visit.released is not None]
    for agent in state.agents.values():
        own = [visit for visit in over if visit.agent == agent.key]
        sessions = [session for session in state.sessions.values() if session.agent == agent.key]
        assert agent.measured.tally.calls == len(own) == sum(session.tally.calls for session in sessions)
        assert agent.measured.tally.talk == pytest.approx(sum(visit.talk for visit in own))
    for queue in state.queues.values():
        tally = queue.measured.tally
        gone = tally.answered + tally.abandoned + tally.flowed_out + tally.final_disposition
        assert tally.queued == gone + len(queue.waiting)


@pytest.mark.parametrize("name", CALLS)
def test_every_event_heard_twice_gives_the_same_figures(name):
    once, twice = play(name), Played()
    original = Played.apply

    def apply_twice(self: Played, event: ev.Event) -> None:
        original(self, event)
        if not isinstance(event, ev.SessionCreated | ev.SessionStateAsked | ev.AgentStateAsked | ev.Registrations):
            original(self, event)

    try:
        Played.apply = apply_twice
        twice = play(name)
    finally:
        Played.apply = original
    assert [(v.key, v.outcome, v.talk, v.wait) for v in once.visits.values()] == [
        (v.key, v.outcome, v.talk, v.wait) for v in twice.visits.values()
    ]
    for key, agent in once.center.state.agents.items():
        assert twice.center.state.agents[key].measured.tally == agent.measured.tally


@pytest.mark.parametrize(
    ("name", "incoming", "outgoing"), [("o-direct-call", 1, 0), ("p-outgoing", 0, 1), ("ad-originate", 0, 1)]
)
def test_a_call_outside_the_acd_is_counted_by_its_direction(name, incoming, outgoing):
    tallies = [agent.measured.tally for agent in play(name).center.state.agents.values()]
    assert (sum(t.incoming for t in tallies), sum(t.outgoing for t in tallies)) == (incoming, outgoing)


def test_a_direct_call_while_a_queue_caller_waits_is_busy_incoming_and_then_busy_acd():
    moves = [move for move in play("o-direct-call").moves if move.startswith("AgentMoved")]
    assert [move.split()[1] for move in moves if "READY" not in move] == ["BUSY_INCOMING", "BUSY_ACD"]


def test_hold_time_is_that_of_the_hold_events():
    visit = next(iter(play("n-hold").visits.values()))
    held = [float(m.get("Timestamp")) for m in messages("n-hold") if m.event in ("Hold", "Unhold")]
    expected = sum(end - start for start, end in zip(held[::2], held[1::2], strict=False))
    assert visit.hold == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    "text",
    [
        "Event: Hangup\r\nUniqueid: \r\nLinkedid: x",
        "Event: AgentConnect\r\nUniqueid: 1.1\r\nQueue: q\r\nInterface: PJSIP/1",
        "Event: QueueMemberStatus\r\nQueue: q\r\nInterface: PJSIP/1\r\nStatus: many",
        "Event: Hangup\r\nTimestamp: yesterday\r\nUniqueid: 1.1",
    ],
)
def test_a_message_that_lacks_what_it_must_have_is_told_as_such(text):
    with pytest.raises(translate.Malformed):
        translate.to_event(Message(text), 0.0)


def test_the_end_of_a_call_whose_channels_are_gone_tells_nothing_and_is_no_fault():
    text = "Event: AgentComplete\r\nQueue: q\r\nInterface: PJSIP/1\r\nHoldTime: 0\r\nTalkTime: 3\r\nReason: caller"
    assert translate.to_event(Message(text), 0.0) is None
