"""How agents spend their time: a row at each change of what one of them does, for reports."""

from typing import NamedTuple

from acd.core.effects import AgentMoved, Change, SessionMoved, Touched
from acd.core.records import Agent, State
from acd.core.states import AgentState, SessionState
from acd.store import Store

LOGGED_OFF = "LOGGED_OFF"  # no state of TAPI's: an agent without a session, whatever he last asked for


class Doing(NamedTuple):
    """What an agent does. `state`: a name of AGENT_STATE, or LOGGED_OFF; `wrap_up`: nothing but after-call work."""

    state: str
    reason: str
    wrap_up: bool


class TimeSheets:
    """Of one handler's agents."""

    def __init__(self, handler: str, store: Store) -> None:
        self._handler = handler
        self._store = store
        self._last = {agent: Doing(*doing) for agent, doing in store.last_agent_times(handler)}

    def hear(self, change: Change, state: State) -> None:
        """A change may be one of what an agent does."""
        match change:
            case AgentMoved(at, key):
                self._look(key, at, state)
            case SessionMoved(at, key):
                self._look(state.sessions[key].agent, at, state)
            case Touched(at, key) if key:
                self._look(key, at, state)

    def _look(self, key: str, at: float, state: State) -> None:
        agent = state.agents.get(key)
        if agent is None:
            return
        doing = _doing(agent, state)
        if self._last.get(key) != doing:
            self._last[key] = doing
            self._store.keep_agent_time({"handler": self._handler, "agent": key, "at": at, **doing._asdict()})


def _doing(agent: Agent, state: State) -> Doing:
    if not agent.sessions:
        return Doing(LOGGED_OFF, "", False)
    busy = agent.state is AgentState.BUSY_ACD
    talks = any(state.sessions[key].state is SessionState.BUSY_ON_CALL for key in agent.sessions)
    reason = agent.settled_reason if agent.state is AgentState.NOT_READY else ""
    return Doing(agent.state.name, reason, busy and not talks)
