"""What comes out of the core: orders to Asterisk in the imperative, and changes that others want to hear of."""

from typing import NamedTuple

from acd.core.records import Monitor, Visit
from acd.core.states import ACDGroupEvent, ACDQueueEvent, AgentEvent, AgentHandlerEvent, SessionEvent


class AddMember(NamedTuple):
    """QueueAdd. `state_interface`: the phone behind the interface, "" where it is one itself."""

    queue: str
    interface: str
    name: str
    paused: bool
    reason: str
    state_interface: str = ""
    penalty: int = 0


class RemoveMember(NamedTuple):
    """QueueRemove."""

    queue: str
    interface: str


class PauseMember(NamedTuple):
    """QueuePause. `queue` None: in every queue that holds the interface."""

    queue: str | None
    interface: str
    paused: bool
    reason: str


class SetPenalty(NamedTuple):
    """QueuePenalty."""

    queue: str
    interface: str
    penalty: int


class MonitorMoved(NamedTuple):
    """A supervisor's phone rings, he hears the agent, or it is over."""

    at: float
    monitor: Monitor


class SessionMoved(NamedTuple):
    """ITAgentSessionEvent: a session was made or entered another state."""

    at: float
    session: str
    event: SessionEvent


class AgentMoved(NamedTuple):
    """ITAgentEvent: an agent entered another state."""

    at: float
    agent: str
    event: AgentEvent


class GroupMoved(NamedTuple):
    """ITACDGroupEvent: a group came or went."""

    at: float
    group: str
    event: ACDGroupEvent


class QueueMoved(NamedTuple):
    """ITQueueEvent: a queue came or went in Asterisk."""

    at: float
    queue: str
    event: ACDQueueEvent


class HandlerMoved(NamedTuple):
    """ITAgentHandlerEvent: Asterisk is connected, or no more."""

    at: float
    event: AgentHandlerEvent


class Touched(NamedTuple):
    """What is shown of these changed without an event of TAPI's: a reason, a deadline, a period, a group's queues."""

    at: float
    agent: str = ""
    session: str = ""
    queue: str = ""
    group: str = ""


class VisitMoved(NamedTuple):
    """A queue visit began, was answered, ended or got its last figures (`visit.final`)."""

    at: float
    visit: Visit


Order = AddMember | RemoveMember | PauseMember | SetPenalty
Change = SessionMoved | AgentMoved | GroupMoved | QueueMoved | HandlerMoved | VisitMoved | MonitorMoved | Touched
Effect = Order | Change
