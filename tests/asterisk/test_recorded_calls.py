"""Every recording of a real Asterisk, through translation into the core: what must hold whatever happens in it."""

from dataclasses import dataclass, field
from functools import cache

import pytest

from acd.asterisk import translate
from acd.asterisk.message import Blocks, Message
from acd.core import events as ev
from acd.core.center import Center
from acd.core.records import Visit
from acd.core.states import SessionState
from tests import recordings

CALLS = [name for name in recordings.NAMES if name not in ("al-protocol", "aj-agentonly-user")]


@cache
def messages(name: str) -> list[Message]:
    blocks = Blocks(1 << 20).feed(recordings.received(name))
    return [Message(block.decode("utf-8", "replace")) for block in blocks if block.startswith((b"Event", b"Response"))]


@dataclass
class Played:
    """What became of a recording."""

    center: Center = field(default_factory=Center)
    visits: dict[str, Visit] = field(default_factory=dict)

    def apply(self, event: ev.Event) -> None:
        if not self.center.concerns(event):
            return
        for effect in self.center.apply(event):
            if hasattr(effect, "visit"):
                self.visits[effect.visit.key] = effect.visit

    def log_on(self, at: float, members: list[ev.SeenMember]) -> None:
        """Every member of the first picture is an agent of ours, ready, one session a queue."""
        for number, member in enumerate(members):
            if member.name not in self.center.state.agents:
                self.apply(ev.AgentCreated(at, member.name, None, member.name))
                self.apply(ev.AgentStateAsked(at, member.name, 1, ""))
            self.apply(ev.SessionCreated(at, f"s{number}", member.name, member.queue, member.interface))
            self.apply(ev.SessionStateAsked(at, f"s{number}", SessionState.READY, ""))


def _first(every: list[Message]) -> int:
    return next((number for number, m in enumerate(every) if m.event == "QueueStatusComplete"), -1)


def begun(name: str, played: Played | None = None) -> Played:
    """A center without wrap-up time that has seen the recording's first picture; what it ordered, nobody heard."""
    played = played or Played()
    every = messages(name)
    lists = [m for m in every[: _first(every) + 1] if m.event in ("QueueParams", "QueueMember", "QueueEntry")]
    at = recordings.read(name)[0].at
    picture = translate.picture(at, at - 100, [*map(translate.listed, lists)], [], [])
    played.apply(ev.Registrations(at, {}, {}, 0, 86400))
    played.apply(picture)
    played.log_on(at, picture.members)
    return played


@cache
def heard(name: str) -> list[ev.Event]:
    """The events behind that picture."""
    every = messages(name)
    at = recordings.read(name)[0].at
    events = [translate.to_event(message, at) for message in every[_first(every) + 1 :]]
    return [event for event in events if event is not None]


def play(name: str) -> Played:
    """The whole recording."""
    played = begun(name)
    for event in heard(name):
        played.apply(event)
    played.apply(ev.TimePassed(recordings.read(name)[-1].at + 10))
    return played


@pytest.mark.parametrize("name", recordings.NAMES)
def test_every_message_of_a_real_asterisk_can_be_understood(name):
    for message in messages(name):
        translate.to_event(message, 0.0)


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
