"""Roles, and how far each of them reaches.

An agent reaches himself. A supervisor reaches the groups he was given, or all of them. An administrator reaches
everything; an integration reads everything that is no secret, and changes nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from acd.access.refusals import Forbidden
from acd.core.records import State


class Role(StrEnum):
    """What somebody may do at all; how far it reaches says his Principal."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    INTEGRATION = "integration"


EVERYBODY = frozenset(Role)
STAFF = frozenset({Role.SUPERVISOR, Role.ADMIN})
READERS = STAFF | {Role.INTEGRATION}
WORKERS = STAFF | {Role.AGENT}  # those who may change something of the day's work
ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was let in. `name`: as the log of commands shows it."""

    name: str
    role: Role
    handler: str | None = None  # an agent belongs to one
    agent: str | None = None  # an agent's own key there
    groups: frozenset[str] | None = None  # a supervisor's; None: all
    key: str = ""  # of the token or session by which he came

    @property
    def reaches_all(self) -> bool:
        """Nothing is hidden from him but what his role may not see."""
        return self.agent is None and self.groups is None

    def reaches_agent(self, handler: str, key: str, state: State) -> bool:
        """A supervisor of some groups reaches the agents who are logged on for one of them."""
        if self.agent is not None:
            return (handler, key) == (self.handler, self.agent)
        if self.groups is None:
            return True
        agent = state.agents.get(key)
        return agent is not None and any(state.sessions[each].group in self.groups for each in agent.sessions)

    def reaches_session(self, handler: str, key: str, state: State) -> bool:
        """Also one that has ended."""
        session = state.sessions.get(key)
        if session is None:
            return self.reaches_all
        if self.agent is not None:
            return (handler, session.agent) == (self.handler, self.agent)
        return self.groups is None or session.group in self.groups

    def reaches_group(self, handler: str, name: str) -> bool:
        """An agent may see every group of his handler: he chooses those for which he logs on."""
        if self.agent is not None:
            return handler == self.handler
        return self.groups is None or name in self.groups

    def reaches_queue(self, handler: str, name: str, state: State) -> bool:
        """Those of his groups; an agent sees those of the groups for which he is logged on."""
        within = self.queues_within_reach(handler, state)
        return within is None or name in within

    def queues_within_reach(self, handler: str, state: State) -> set[str] | None:
        """None: all."""
        if self.agent is not None:
            agent = state.agents.get(self.agent) if handler == self.handler else None
            groups = {state.sessions[each].group for each in agent.sessions} if agent else set()
        elif self.groups is None:
            return None
        else:
            groups = set(self.groups)
        return {queue for group in groups if group in state.groups for queue in state.groups[group].queues}

    def need(self, reached: bool, what: str) -> None:
        """Raises Forbidden unless it is within his reach."""
        if not reached:
            raise Forbidden(f"{what} is not within your reach.")
