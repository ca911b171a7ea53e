"""States, events and the moves between them, as TAPI 3 publishes them. Values are those of the wire."""

from collections.abc import Sequence
from enum import IntEnum, StrEnum
from functools import cache


class AgentState(IntEnum):
    """AGENT_STATE: an agent as a whole. There is no value for wrap-up (BUSY_ACD) and none for logged off."""

    NOT_READY = 0
    READY = 1
    BUSY_ACD = 2
    BUSY_INCOMING = 3
    BUSY_OUTGOING = 4
    UNKNOWN = 5


class SessionState(IntEnum):
    """AGENT_SESSION_STATE: one log-in of an agent for one group at one address."""

    NOT_READY = 0
    READY = 1
    BUSY_ON_CALL = 2
    BUSY_WRAPUP = 3
    SESSION_ENDED = 4


class AgentEvent(IntEnum):
    """AGENT_EVENT: value for value the AGENT_STATE that was entered."""

    NOT_READY = 0
    READY = 1
    BUSY_ACD = 2
    BUSY_INCOMING = 3
    BUSY_OUTGOING = 4
    UNKNOWN = 5


class SessionEvent(IntEnum):
    """AGENT_SESSION_EVENT: 0 for a new session, otherwise the AGENT_SESSION_STATE that was entered plus one."""

    NEW_SESSION = 0
    NOT_READY = 1
    READY = 2
    BUSY = 3
    WRAPUP = 4
    END = 5


class ACDGroupEvent(IntEnum):
    """ACDGROUP_EVENT: a group came or went."""

    NEW_GROUP = 0
    GROUP_REMOVED = 1


class ACDQueueEvent(IntEnum):
    """ACDQUEUE_EVENT: a queue came or went."""

    NEW_QUEUE = 0
    QUEUE_REMOVED = 1


class AgentHandlerEvent(IntEnum):
    """AGENTHANDLER_EVENT: a handler can be used, or cannot any more."""

    NEW_AGENTHANDLER = 0
    AGENTHANDLER_REMOVED = 1


class AddressState(IntEnum):
    """ADDRESS_STATE: whether a phone can be reached."""

    INSERVICE = 0
    OUTOFSERVICE = 1


class MonitorState(StrEnum):
    """How far a supervisor is who wants to hear an agent's call."""

    CALLING = "CALLING"
    RINGING = "RINGING"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"


class MonitorMode(StrEnum):
    """Heard by nobody, by the agent alone, or by both."""

    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"


class CallStage(StrEnum):
    """How far an ACD call at an agent is."""

    RINGING = "RINGING"
    TALKING = "TALKING"
    ON_HOLD = "ON_HOLD"
    WRAP_UP = "WRAP_UP"


class Outcome(StrEnum):
    """How a visit to a queue ended. Exactly one a visit."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TIMED_OUT = "timed_out"
    LEFT_EMPTY = "left_empty"
    LEFT_BY_KEY = "left_by_key"
    WITHDRAWN = "withdrawn"
    FLOWED_OUT = "flowed_out"
    REDIRECTED = "redirected"
    LOST = "lost"
    UNKNOWN = "unknown"


SESSION_MOVES: dict[SessionState, frozenset[SessionState]] = {
    SessionState.NOT_READY: frozenset({SessionState.READY, SessionState.SESSION_ENDED}),
    SessionState.READY: frozenset({SessionState.NOT_READY, SessionState.BUSY_ON_CALL, SessionState.SESSION_ENDED}),
    SessionState.BUSY_ON_CALL: frozenset(
        {
            SessionState.NOT_READY,
            SessionState.READY,
            SessionState.BUSY_WRAPUP,
            SessionState.SESSION_ENDED,
        }
    ),
    SessionState.BUSY_WRAPUP: frozenset({SessionState.NOT_READY, SessionState.READY, SessionState.SESSION_ENDED}),
    SessionState.SESSION_ENDED: frozenset(),
}

BUSY = frozenset({SessionState.BUSY_ON_CALL, SessionState.BUSY_WRAPUP})


@cache
def legal_steps(start: SessionState, goal: SessionState) -> Sequence[SessionState]:
    """The shortest legal way from one session state to another, without the start; empty when already there.

    Asterisk decides what is; this table decides what is announced. So an agent who was paused while the
    phone rang and answered all the same is announced READY, then BUSY_ON_CALL.

    Raises ValueError out of SESSION_ENDED: nothing leads out of it.
    """
    ways: list[list[SessionState]] = [[]]
    for way in ways:
        here = way[-1] if way else start
        if here is goal:
            return way
        ways.extend([*way, step] for step in sorted(SESSION_MOVES[here]) if step not in way)
    raise ValueError(f"no legal way from {start.name} to {goal.name}")
