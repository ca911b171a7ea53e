"""What changed in a handler, as envelopes of the stream: TAPI's events, calls, and figures that moved."""

import asyncio
from collections.abc import Callable, Collection

from acd.core.center import Center
from acd.core.effects import (
    AgentMoved,
    Change,
    GroupMoved,
    HandlerMoved,
    MonitorMoved,
    QueueMoved,
    SessionMoved,
    Touched,
    VisitMoved,
)
from acd.core.records import Visit
from acd.core.states import AgentHandlerEvent
from acd.feed import Feed
from acd.store import call_values
from acd.web import shapes
from acd.web.requests import Handler, Json

AT_ONCE = 50  # figures told in one go: some milliseconds
Due = tuple[Callable[[float, str, str, str], None], str, str]  # how they are told, as what, and whose
FIGURES_EVERY = 0.5  # seconds between two messages with the figures of the same agent, session or queue


class News:
    """Listens to one handler and publishes what its subscribers want to hear."""

    def __init__(self, handler: Handler, feed: Feed) -> None:
        self._handler = handler
        self._feed = feed
        self._agents: set[str] = set()  # whose figures moved since they were told
        self._sessions: set[str] = set()
        self._queues: set[str] = set()
        self._timer: asyncio.Handle | None = None
        self._groups: dict[str, list[str]] | None = None  # queue -> groups that it feeds, as far as it is known
        self._groups_of: Center | None = None  # another one after this node has followed for a while
        handler.service.listen(self.hear)

    def hear(self, change: Change) -> None:
        """Publishes a change, or notes that figures moved, which are told together a little later."""
        match change:
            case SessionMoved(at, key, event):
                self._session(at, "agent-session", event.name, key)
                self._touch(agent=self._handler.state.sessions[key].agent)
            case AgentMoved(at, key, event):
                self._agent(at, "agent", event.name, key)
            case GroupMoved(at, name, event):
                self._groups = None
                group = self._handler.state.groups.get(name)
                queues = [] if group is None else group.queues
                self._publish(at, "acd-group", event.name, {"name": name, "queues": queues}, groups=[name])
            case QueueMoved(at, name, event):
                self._queue(at, "queue", event.name, name)
            case HandlerMoved(at, event):
                subject = shapes.handler(self._handler)
                self._publish(at, "agent-handler", event.name, dict(subject))
                came = event is AgentHandlerEvent.NEW_AGENTHANDLER
                self._publish(at, "link", "UP" if came else "DOWN", dict(subject))
            case VisitMoved(at, visit):
                self._call(at, visit)
                self._touch(agent=visit.agent or "", session=visit.session or "", queue=visit.queue)
            case MonitorMoved(at, monitor):
                agent = self._handler.state.agents[monitor.agent]
                groups = {self._handler.state.sessions[each].group for each in agent.sessions}
                # nothing of it goes to the agent himself: that he is listened to is the supervisor's to say
                self._publish(at, "monitor", monitor.state.value, dict(shapes.monitor(monitor)), groups=sorted(groups))
            case Touched(at, agent, session, queue, group):
                self._touch(agent=agent, session=session, queue=queue)
                if group:
                    self._groups = None
                if group in self._handler.state.groups:
                    shown = shapes.group(self._handler.state.groups[group])
                    self._publish(at, "statistics", "ACD_GROUP", dict(shown), groups=[group])

    def _touch(self, *, agent: str = "", session: str = "", queue: str = "") -> None:
        for names, name in ((self._agents, agent), (self._sessions, session), (self._queues, queue)):
            if name:
                names.add(name)
        if self._timer is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # before the start, when nobody listens yet
                return
            self._timer = loop.call_later(FIGURES_EVERY, self._tell_figures)

    def _tell_figures(self) -> None:
        state = self._handler.state
        due: list[Due] = [
            *((self._agent, "AGENT", key) for key in self._agents & state.agents.keys()),
            *((self._session, "AGENT_SESSION", key) for key in self._sessions),
            *((self._queue, "QUEUE", name) for name in self._queues & state.queues.keys()),
        ]
        for names in (self._agents, self._sessions, self._queues):
            names.clear()
        self._tell_some(due)

    def _tell_some(self, due: list[Due]) -> None:
        """A few of those whose figures moved, the others in the next turns of the event loop."""
        self._timer = None
        now = self._handler.service.now()
        for tell, event, key in due[:AT_ONCE]:
            tell(now, "statistics", event, key)
        if len(due) > AT_ONCE:
            self._timer = asyncio.get_running_loop().call_soon(self._tell_some, due[AT_ONCE:])
        elif self._agents or self._sessions or self._queues:  # moved meanwhile
            self._touch()

    def close(self) -> None:
        """Nothing more is told."""
        if self._timer is not None:
            self._timer.cancel()

    # Subjects ---------------------------------------------------------------------------------------------

    def _agent(self, at: float, type: str, event: str, key: str) -> None:
        agent = self._handler.state.agents[key]
        groups = {self._handler.state.sessions[each].group for each in agent.sessions}
        self._publish(
            at, type, event, shapes.agent(self._handler.center, agent, at), agents=[key], groups=sorted(groups)
        )

    def _session(self, at: float, type: str, event: str, key: str) -> None:
        session = self._handler.state.sessions.get(key)
        if session is None:  # withdrawn before its figures were told
            return
        self._publish(
            at,
            type,
            event,
            shapes.session(self._handler.center, session, at),
            agents=[session.agent],
            groups=[session.group],
        )

    def _queue(self, at: float, type: str, event: str, name: str) -> None:
        subject = shapes.queue(self._handler.center, name, at)
        self._publish(at, type, event, subject, queues=[name], groups=self._groups_with(name))

    def _call(self, at: float, visit: Visit) -> None:
        subject = shapes.call(call_values(self._handler.name, visit))
        agents = [visit.agent] if visit.agent else []
        groups = self._groups_with(visit.queue)
        self._publish(at, "call", _stage(visit), dict(subject), agents=agents, queues=[visit.queue], groups=groups)

    def _groups_with(self, queue: str) -> list[str]:
        if self._groups is None or self._groups_of is not self._handler.center:
            self._groups, self._groups_of = {}, self._handler.center
            for group in self._handler.state.groups.values():
                for name in group.queues:
                    self._groups.setdefault(name, []).append(group.name)
        return self._groups.get(queue, [])

    def _publish(
        self,
        at: float,
        type: str,
        event: str,
        subject: Json,
        *,
        agents: Collection[str] = (),
        queues: Collection[str] = (),
        groups: Collection[str] = (),
    ) -> None:
        name = self._handler.name
        self._feed.publish(name, at, type, event, subject, agents=agents, queues=queues, groups=groups)


def _stage(visit: Visit) -> str:
    """How far a visit is: QUEUED, ANSWERED, RELEASED, COMPLETED, or in what other way it ended."""
    if visit.outcome is None:
        return "QUEUED"
    if visit.answered is None:
        return visit.outcome.name
    if visit.released is None:
        return "ANSWERED"
    return "RELEASED" if visit.wrap_up is None else "COMPLETED"
