"""A desk for tests: a Center, a clock that is a number, and an Asterisk that does what it is ordered."""

from collections.abc import Iterable, Sequence
from itertools import count

from acd.core import events as ev
from acd.core.center import Center
from acd.core.effects import (
    AddMember,
    AgentMoved,
    Effect,
    Order,
    PauseMember,
    RemoveMember,
    SessionMoved,
    SetPenalty,
    VisitMoved,
)
from acd.core.records import Agent, AgentSession, Visit
from acd.core.states import AgentState, SessionState
from acd.core.views import AgentView, QueueView, SessionView, agent_view, queue_view, session_view

START = 1_000_000.0


class Desk:
    """`obedient`: orders are confirmed at once, as Asterisk does within milliseconds; else they wait in `orders`."""

    def __init__(self, wrap_up: float = 10.0, queues: Iterable[str] = ("support", "sales")) -> None:
        self.now = START
        self.center = Center()
        self.orders: list[Order] = []
        self.moves: list[str] = []
        self.visits: dict[str, Visit] = {}
        self.obedient = True
        self.members: dict[tuple[str, str], tuple[bool, str]] = {}
        self._names = count(1)
        self.apply(ev.Registrations(self.now, {}, {}, wrap_up, 86400))
        self.link(queues)

    def link(self, queues: Iterable[str] = ("support", "sales"), booted: float = START - 100, **more: object) -> None:
        """The picture after a log-in, with the members as they are."""
        members = [
            ev.SeenMember(queue, phone, "", paused, reason, 1, True, 0.0)
            for (queue, phone), (paused, reason) in self.members.items()
        ]
        picture = {"callers": [], "channels": [], "devices": {}, "members": members} | more
        self.apply(ev.PictureTaken(self.now, booted, list(queues), **picture))

    # time

    def after(self, seconds: float) -> "Desk":
        """Time goes on, and deadlines on the way are met."""
        end = self.now + seconds
        while (deadline := self.center.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.apply(ev.TimePassed(self.now))
        self.now = end
        return self

    # what happens

    def apply(self, event: ev.Event | None) -> Sequence[Effect]:
        if event is None:
            return ()
        effects = self.center.apply(event)
        for effect in effects:
            if isinstance(effect, SessionMoved | AgentMoved):
                self.moves.append(f"{type(effect).__name__.removesuffix('Moved').lower()} {effect.event.name}")
            elif isinstance(effect, Order):
                self.orders.append(effect)
            elif isinstance(effect, VisitMoved):
                self.visits[effect.visit.key] = effect.visit
        if self.obedient:
            for order in [effect for effect in effects if isinstance(effect, Order)]:
                self.obey(order)
        return effects

    def obey(self, order: Order) -> None:
        """What Asterisk says when it carries out an order."""
        match order:
            case AddMember(queue, phone, name, paused, reason, _, penalty):
                self.members[queue, phone] = (paused, reason)
                self.apply(ev.MemberAdded(self.now, queue, phone, name, paused, reason, 1, True, penalty))
            case SetPenalty(queue, phone, penalty):
                self.apply(ev.MemberPenalty(self.now, queue, phone, penalty))
            case RemoveMember(queue, phone):
                self.members.pop((queue, phone), None)
                self.apply(ev.MemberRemoved(self.now, queue, phone))
            case PauseMember(queue, phone, paused, reason):
                self.pause(phone, paused, reason, queue)

    def pause(self, phone: str, paused: bool, reason: str = "", queue: str | None = None) -> None:
        """A pause or unpause in Asterisk, whoever did it."""
        for key in [key for key in self.members if key[1] == phone and queue in (None, key[0])]:
            self.members[key] = (paused, reason)
            self.apply(ev.MemberPaused(self.now, key[0], phone, paused, reason))

    def agent(self, id: str = "1001", phone: str = "PJSIP/1001", groups: Iterable[str] = ("support",)) -> AgentSession:
        """An agent who is logged on and ready; returns his (last) session."""
        self.apply(self.center.create_agent(self.now, id, f"user {id}"))
        for group in groups:
            session = f"s{next(self._names)}"
            self.apply(self.center.create_session(self.now, session, id, group, phone))
            self.ask(session, "READY")
        self.ask_agent(id, "READY")
        return self.center.state.sessions[session]

    def ask(self, session: str, state: str, reason: str = "") -> None:
        self.apply(self.center.ask_session_state(self.now, session, SessionState[state], reason))

    def ask_agent(self, agent: str, state: str, reason: str = "") -> None:
        self.apply(self.center.ask_agent_state(self.now, agent, AgentState[state], reason))

    # calls

    def join(self, call: str = "c1", queue: str = "support") -> str:
        known = self.center.state.queues.get(queue)
        position = 1 + len(known.waiting if known else ())
        self.apply(ev.CallerJoined(self.now, call, queue, position, "555", "PJSIP/trunk-01"))
        return call

    def ring(self, call: str = "c1", phone: str = "PJSIP/1001", queue: str = "support", leg: str = "") -> str:
        leg = leg or f"leg-{call}"
        self.apply(ev.ChannelMade(self.now, leg, f"{phone}-0001", call, False))
        self.apply(ev.AgentCalled(self.now, call, queue, phone, leg))
        self.apply(ev.DialBegun(self.now, call, leg))
        return leg

    def answer(self, call: str = "c1", phone: str = "PJSIP/1001", queue: str = "support", leg: str = "") -> str:
        leg = leg or f"leg-{call}"
        self.apply(ev.DialEnded(self.now, call, leg, "ANSWER"))
        self.apply(ev.CallerLeft(self.now, call, queue))
        self.apply(ev.AgentConnected(self.now, call, queue, phone, "", leg, 0, 0))
        self.apply(ev.BridgeEntered(self.now, leg, "b"))
        self.apply(ev.BridgeEntered(self.now, call, "b"))
        return leg

    def take(self, call: str = "c1", phone: str = "PJSIP/1001", queue: str = "support", rings: float = 0.0) -> str:
        """A caller who is answered after `rings` seconds."""
        self.join(call, queue)
        self.ring(call, phone, queue)
        self.after(rings)
        return self.answer(call, phone, queue)

    def hang_up(self, call: str = "c1", *, by: str = "caller") -> None:
        """The end of an answered call."""
        leg = f"leg-{call}"
        self.apply(ev.HangupRequested(self.now, call if by == "caller" else leg))
        self.apply(ev.ChannelEnded(self.now, leg, True))
        self.apply(ev.ChannelEnded(self.now, call, True))

    def give_up(self, call: str = "c1", queue: str = "support") -> None:
        """A caller hangs up while he waits."""
        self.apply(ev.HangupRequested(self.now, call))
        self.leave(call, queue)
        self.apply(ev.ChannelEnded(self.now, call, True))

    def leave(self, call: str = "c1", queue: str = "support") -> None:
        """A caller leaves without an agent, in one of the ways that send QueueCallerAbandon."""
        self.apply(ev.CallerAbandoned(self.now, call, queue))
        self.apply(ev.CallerLeft(self.now, call, queue))

    # what is seen

    def agent_now(self, id: str = "1001") -> AgentView:
        return agent_view(self.center, self.person(id), self.now)

    def person(self, id: str = "1001") -> Agent:
        return self.center.state.agents[id]

    def session_now(self, session: AgentSession) -> SessionView:
        return session_view(self.center, session, self.now)

    def queue_now(self, name: str = "support") -> QueueView:
        return queue_view(self.center, name, self.now)

    def visit(self, call: str = "c1", queue: str = "support", nth: int = 1) -> Visit:
        return self.visits[f"{call}/{queue}/{nth}"]
