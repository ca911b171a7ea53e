"""Wanted against seen: what each member (queue x phone) shall be, what it is, and the orders that close the gap."""

from collections.abc import Callable, Generator, Sequence

from acd.core import events as ev
from acd.core.effects import AddMember, Effect, PauseMember, RemoveMember, SetPenalty
from acd.core.records import Agent, AgentSession, Member, Present, State
from acd.core.states import AgentState, SessionState

MOST_GIVEN_UP = 8  # echoes of one member's repeated orders that are waited for,
ECHO_WITHIN = 60.0  # and the seconds for which each of them is
EASY = 50  # members that are put in order in the time in which one is compared
WRAP_UP = "wrapup"  # the reason of a pause that is ours: during an ACD call and its wrap-up
OUT_OF_SERVICE = frozenset({4, 5})  # device states INVALID and UNAVAILABLE: nobody can be reached there
LOGGED_OFF = "logged off"  # the reason of the pause that stands in for removing a static member
OWN_REASONS = frozenset({WRAP_UP, LOGGED_OFF})  # a pause with one of these is never somebody's wish
IN_WRAP_UP = Present(True, WRAP_UP)
UNPAUSED = Present(False, "")


def present(paused: bool, reason: str) -> Present:
    """A member as an event or a list shows it: one that is not paused may still name its last reason."""
    return Present(paused, reason if paused else "")


class Members:
    """The members of the queues, as wanted by the sessions and as seen in Asterisk."""

    def __init__(self, state: State, emit: Callable[[Effect], None]) -> None:
        self._state = state
        self._emit = emit
        self.now = 0.0  # the time of the event that is being taken in

    def get(self, queue: str, interface: str) -> Member:
        """The member, made empty when nothing is known of it."""
        by_queue = self._state.members.get(interface)
        if by_queue is None:
            by_queue = self._state.members[interface] = {}
        member = by_queue.get(queue)
        if member is None:
            member = by_queue[queue] = Member(queue, interface)
        return member

    def is_in(self, queue: str, interface: str) -> bool:
        """Asterisk has this phone in the queue."""
        member = self._state.members.get(interface, {}).get(queue)
        return member is not None and member.seen is not None

    def wanted(self, queue: str, interface: str) -> Present | None:
        """What the sessions at this phone want the member to be; None: not in the queue."""
        want = self.wants(interface).get(queue)
        return self._unwanted(self.get(queue, interface)) if want is None else want

    def wants(self, interface: str) -> dict[str, Present]:
        """What the sessions at this phone want, by queue; of queues that are not in it none wants anything."""
        live = [s for s in self._state.logged_on_at(interface) if s.wish is not SessionState.SESSION_ENDED]
        if len(live) == 1:  # nearly always; then all queues agree
            return dict.fromkeys(self.queues_of(live[0]), self._want(live))
        wishes: dict[str, list[AgentSession]] = {}
        for session in live:
            for queue in self.queues_of(session):
                wishes.setdefault(queue, []).append(session)
        return {queue: self._want(sessions) for queue, sessions in wishes.items()}

    @staticmethod
    def _unwanted(member: Member) -> Present | None:
        return None if member.dynamic or member.seen is None else Present(True, LOGGED_OFF)

    def _want(self, wishes: list[AgentSession]) -> Present:
        agent = self._state.agents[wishes[0].agent]
        if any(self._state.sessions[other].busy for other in agent.sessions):
            return IN_WRAP_UP
        return self._idle(agent, wishes)

    @staticmethod
    def _idle(agent: Agent, wishes: list[AgentSession]) -> Present:
        if agent.asked is not AgentState.READY:
            return Present(True, agent.asked_reason)
        if any(session.wish is SessionState.READY for session in wishes):
            return UNPAUSED
        return Present(True, wishes[0].wish_reason)

    def sessions_at(self, interface: str, queue: str) -> list[AgentSession]:
        """The live sessions at this phone whose group is fed by the queue."""
        live = self._state.logged_on_at(interface)
        return [session for session in live if queue in self.queues_of(session)]

    def queues_of(self, session: AgentSession) -> list[str]:
        """The queues that a session serves: those of its group that Asterisk has and nobody took it out of."""
        group = self._state.groups.get(session.group)
        queues = group.queues if group else []
        return [queue for queue in queues if queue not in session.left and self._state.queues[queue].in_asterisk]

    def in_sync(self, session: AgentSession) -> bool:
        """Asterisk has confirmed everything that this session wants."""
        wants = self.wants(session.address)
        for queue in self.queues_of(session):
            member = self.get(queue, session.address)
            if member.doubtful or member.seen != (wants.get(queue) or self._unwanted(member)):
                return False
        return True

    def reachable(self, session: AgentSession) -> bool:
        """The phone of this session can ring, as far as Asterisk knows."""
        by_queue, nothing_known = self._state.members.get(session.address, {}), Member("", "")
        queues = self.queues_of(session)
        return any(by_queue.get(queue, nothing_known).status not in OUT_OF_SERVICE for queue in queues)

    def told(self, member: Member, seen: Present | None) -> bool:
        """Takes down what Asterisk says of a member; True when somebody else did it and we want it otherwise."""
        news = member.doubtful or seen != member.seen
        member.seen, member.doubtful = seen, False
        member.ours = member.ours and seen is not None
        if seen in member.ordered:
            member.ours = seen is not None
            del member.ordered[: member.ordered.index(seen) + 1]
            others = self._state.members[member.interface].values()
            if not any(other.ordered or other.doubtful for other in others):
                self._state.orders_due.pop(member.interface, None)
            return False
        if not news or self._is_late_echo(member, seen):  # said again, it is nobody's doing
            return False
        return seen != self.wanted(member.queue, member.interface)

    def found(self, queue: str, interface: str, dynamic: bool) -> None:
        """The member is there, in whatever state: what is wanted of it is ordered whatever that is."""
        member = self.get(queue, interface)
        member.seen, member.doubtful = member.seen or UNPAUSED, True
        member.dynamic = dynamic

    def _is_late_echo(self, member: Member, seen: Present | None) -> bool:
        """Of an order that was given again, because nothing came of it in time."""
        for place, (order, at) in enumerate(member.given_up):
            if order == seen and self.now - at < ECHO_WITHIN:
                del member.given_up[: place + 1]
                return True
        return False

    def order(self, interface: str) -> None:
        """Orders the difference between what is wanted at this phone and what is seen or under way."""
        if not self._state.linked:
            return  # the picture after the next log-in shows the difference
        known = self._state.members.get(interface, {}).values()
        queues = {member.queue: None for member in known if member.ours or member.ordered or member.doubtful}
        for session in self._state.logged_on_at(interface):
            queues.update(dict.fromkeys(self.queues_of(session)))
        pauses: dict[Present, list[Member]] = {}
        wants = self.wants(interface)
        for queue in queues:
            member = self.get(queue, interface)
            want = wants.get(queue) or self._unwanted(member)
            if want == member.coming and (member.ordered or not member.doubtful):
                continue
            if want is None:
                self._emit(RemoveMember(queue, interface))
            elif member.coming is None:
                self._emit(self._add(queue, interface, want))
            else:
                pauses.setdefault(want, []).append(member)
            member.ordered.append(want)
            self._due(interface)
        for want, members in pauses.items():
            self._pause(interface, want, members)

    def _due(self, interface: str) -> None:
        self._state.orders_due.setdefault(interface, self.now + self._state.confirm_within)

    def _pause(self, interface: str, want: Present, members: list[Member]) -> None:
        """One order for all queues where they all agree: it takes effect in all of them at the same moment."""
        there = [m for m in self._state.members[interface].values() if m.coming is not None]
        if len(members) > 1 and len(members) == len(there):
            self._emit(PauseMember(None, interface, want.paused, want.reason))
            return
        for member in members:
            self._emit(PauseMember(member.queue, interface, want.paused, want.reason))

    def penalty_wanted(self, queue: str, interface: str) -> int:
        """How late the turn of the agent at this phone is to come in this queue."""
        return self._penalties_at(interface).get(queue, 0)

    def _penalties_at(self, interface: str) -> dict[str, int]:
        sessions = self._state.logged_on_at(interface)
        return self._state.agents[sessions[0].agent].penalties if sessions else {}

    def order_penalties(self, interface: str) -> None:
        """Orders the difference between the penalties that are wanted at this phone and those that Asterisk has."""
        wanted = self._penalties_at(interface)
        for member in self._state.members.get(interface, {}).values():
            want = wanted.get(member.queue, 0)
            if member.ours and member.seen is not None and member.penalty != want:
                self._emit(SetPenalty(member.queue, interface, want))

    def _add(self, queue: str, interface: str, want: Present) -> AddMember:
        session = self._state.logged_on_at(interface)[0]
        phone = session.device if session.behind else ""
        user, penalty = self._state.agents[session.agent].user, self.penalty_wanted(queue, interface)
        return AddMember(queue, interface, user, want.paused, want.reason, phone, penalty)

    def failed(self, queue: str | None, interface: str) -> None:
        """An order came to nothing: what was under way there counts for nothing, and is tried again later."""
        self._forget(queue, interface)
        self._state.orders_due[interface] = self.now + self._state.confirm_within

    def _forget(self, queue: str | None, interface: str) -> None:
        for member in self._state.members.get(interface, {}).values():
            if queue in (None, member.queue) and member.ordered:
                again = [(order, self.now) for order in member.ordered]
                member.given_up = [*member.given_up, *again][-MOST_GIVEN_UP:]
                member.ordered.clear()
                member.doubtful = True

    def tick(self, at: float) -> list[str]:
        """The phones where an order was not confirmed in time: what is still missing there is to be ordered again."""
        late = [interface for interface, due in self._state.orders_due.items() if due <= at]
        for interface in late:
            del self._state.orders_due[interface]
            self._forget(None, interface)
        return late

    def compare(self, listed: Sequence[ev.SeenMember]) -> Generator[None, None, list[Member]]:
        """Every member as Asterisk lists it, and no order is under way; returns those who are gone since."""
        self.forget_orders()
        by_interface: dict[str, list[ev.SeenMember]] = {}
        for number, each in enumerate(listed):
            by_interface.setdefault(each.interface, []).append(each)
            if number % EASY == 0:
                yield
        gone = []
        for interface in dict.fromkeys([*self._state.members, *by_interface]):
            gone += self._compare_at(interface, by_interface.get(interface, ()))
            yield
        return gone

    def _compare_at(self, interface: str, listed: Sequence[ev.SeenMember]) -> list[Member]:
        by_queue = self._state.members.setdefault(interface, {})
        before = [member for member in by_queue.values() if member.seen is not None]
        for member in by_queue.values():
            member.seen, member.doubtful, member.given_up = None, False, []
        for each in listed:
            member = self.get(each.queue, interface)
            member.seen = present(each.paused, each.reason)
            member.status, member.dynamic, member.penalty = each.status, each.dynamic, each.penalty
        for member in list(by_queue.values()):
            member.ours = member.ours and member.seen is not None
            if member.seen is None and not self._state.logged_on_at(interface):
                del by_queue[member.queue]  # nobody's, and not there
        if not by_queue:
            del self._state.members[interface]
        return [member for member in before if member.seen is None]

    def forget_orders(self) -> None:
        """The link is gone, and with it every order under way. What it may have brought in is ours."""
        for interface in self._state.orders_due:
            for member in self._state.members.get(interface, {}).values():
                member.ours = member.ours or any(member.ordered)
                member.ordered.clear()
        self._state.orders_due.clear()
