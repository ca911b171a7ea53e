"""One agent handler: events in, effects out; and the requests of people, checked and made into events.

Everything that changes state passes `apply`, so a log of the events replays to the same state.
A request only asks: it returns the event that records it, or raises a refusal.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from acd.core import clock, refusals
from acd.core import events as ev
from acd.core.calls import Calls, new_queue
from acd.core.comparison import Comparison
from acd.core.devices import device_of_address, device_of_channel
from acd.core.effects import Effect, GroupMoved, HandlerMoved, QueueMoved, Touched, VisitMoved
from acd.core.figures import Measured, Tally
from acd.core.floor import REMOVED, Floor
from acd.core.members import OUT_OF_SERVICE, OWN_REASONS, Members, present
from acd.core.records import Agent, AgentSession, Group, Queue, Registered, State, Visit
from acd.core.states import BUSY, ACDGroupEvent, ACDQueueEvent, AgentHandlerEvent, AgentState, SessionState
from acd.core.supervision import Supervision

INVALID = 4  # device state of a phone that Asterisk has never heard of
KEEP_ENDED = 86400.0  # seconds for which an ended session stays readable
MOST_ENDED = 10_000  # ended sessions that stay readable
PIECE = 25  # agents, phones or calls that are looked at in one go: some milliseconds, with all that is told
NOTHING: Sequence[Effect] = ()


class Center:
    """The ACD behind one Asterisk: ITAgentHandler and all that belongs to it."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self._out: list[Effect] = []
        self.members = Members(self.state, self._emit)
        self.floor = Floor(self.state, self.members, self._emit)
        self.calls = Calls(self.state, self.floor, self._emit)
        self.supervision = Supervision(self.state, self.members, self.calls, self._emit)
        self._handlers = self._table()
        self._known = self._channel_tests()

    def _emit(self, effect: Effect) -> None:
        self._out.append(effect)

    def _table(self) -> dict[type, Callable[[Any], None]]:
        """The whole vocabulary on one screen."""
        return {
            ev.CallerJoined: self._caller_joined,
            ev.CallerAbandoned: self.calls.abandoned,
            ev.CallerLeft: self.calls.left,
            ev.QueueStatusTold: self.calls.status_told,
            ev.ExitRead: self.calls.exit_read,
            ev.HangupRequested: self.calls.hangup_requested,
            ev.ChannelCut: self.calls.channel_cut,
            ev.AgentCalled: self.calls.agent_called,
            ev.AgentConnected: self.calls.connected,
            ev.AgentNotAnswered: self.calls.not_answered,
            ev.CallerReplaced: self.calls.caller_replaced,
            ev.CallPickedUp: self.calls.picked_up,
            ev.ChannelMade: self.calls.channel_made,
            ev.DialBegun: self._dial_begun,
            ev.DialEnded: self.calls.dial_ended,
            ev.BridgeEntered: self.calls.bridge_entered,
            ev.HoldStarted: self.calls.hold_started,
            ev.HoldEnded: self.calls.hold_ended,
            ev.ChannelEnded: self._channel_ended,
            ev.MemberAdded: self._member_added,
            ev.MemberFound: self._member_found,
            ev.MemberRemoved: self._member_removed,
            ev.MemberPenalty: self.supervision.member_penalty,
            ev.WaitingSeen: self.supervision.waiting_seen,
            ev.MonitorStarted: self.supervision.monitor_started,
            ev.MonitorFailed: self.supervision.monitor_failed,
            ev.MemberPaused: self._member_paused,
            ev.MemberStatus: self._member_status,
            ev.QueueGone: self._queue_gone,
            ev.DeviceStateTold: self._device_told,
            ev.LinkLost: lambda event: exhausted(self._link_lost(event)),
            ev.LinkHeard: self._link_heard,
            ev.PictureTaken: lambda event: exhausted(self._picture_taken(event)),
            ev.Registrations: self._registered,
            ev.AgentCreated: self._agent_created,
            ev.WrapUpSet: self._wrap_up_set,
            ev.GroupSet: self._group_set,
            ev.GroupRemoved: self._group_removed,
            ev.SessionCreated: self._session_created,
            ev.SessionWithdrawn: self._session_withdrawn,
            ev.SessionStateAsked: self._session_asked,
            ev.AgentStateAsked: self._agent_asked,
            ev.OrderFailed: self._order_failed,
            ev.WrapUpChanged: self._wrap_up_changed,
            ev.DispositionSet: self.supervision.disposition_set,
            ev.PenaltySet: self.supervision.penalty_set,
            ev.ExitAsked: self.supervision.exit_asked,
            ev.MonitorAsked: self.supervision.monitor_asked,
            ev.MeasurementPeriodSet: self._period_set,
            ev.TimePassed: self._time_passed,
            ev.ClockSet: self._clock_set,
        }

    def apply(self, event: ev.Event) -> Sequence[Effect]:
        """Takes in one event, wholly, and returns what follows from it: changes and orders, in order."""
        self.members.now = event.at
        try:
            self._handlers[type(event)](event)
        except BaseException:
            self._out = []  # what half an event led to must not go out with the next one
            raise
        return self._effects() if self._out else NOTHING

    def pieces(self, event: ev.LinkLost | ev.PictureTaken) -> Iterator[Sequence[Effect]]:
        """As `apply`, but piece by piece, none of which takes long: these two concern every agent.

        Nothing else may be applied before the last piece. Who looks in between sees some agents as they were before.
        """
        self.members.now = event.at
        steps = self._link_lost(event) if isinstance(event, ev.LinkLost) else self._picture_taken(event)
        try:
            for number, _ in enumerate(steps, 1):
                if number % PIECE == 0:
                    yield self._effects()
            yield self._effects()
        finally:
            self._out = []

    def _effects(self) -> Sequence[Effect]:
        out, self._out = self._out, []
        for effect in out:
            if type(effect) is VisitMoved and effect.visit.final:
                self.calls.forget_if_final(effect.visit)
        return out

    def concerns(self, event: ev.Event) -> bool:
        """False for channels that are neither a caller's in a queue nor an agent's, and for what is no news."""
        known = self._known.get(type(event))
        return known is None or known(event)

    def _channel_tests(self) -> dict[type, Callable[[Any], bool]]:
        """For events that come for every channel and device of Asterisk: is it one of ours, and news?"""
        legs, calls = self.state.legs, self.state.calls

        def on_either(event: Any) -> bool:
            return event.leg in calls or event.leg in legs

        def dialled(event: Any) -> bool:
            return event.leg in legs or event.source in legs

        def of_a_caller(event: Any) -> bool:
            return event.leg in calls

        return {
            ev.AgentCalled: lambda event: event.call in calls or event.interface in self.state.addresses,
            ev.ChannelMade: lambda event: device_of_channel(event.channel) in self.state.phones,
            ev.DialBegun: lambda event: dialled(event) or event.leg in self.state.monitors,
            ev.DialEnded: dialled,
            ev.HangupRequested: of_a_caller,
            ev.ChannelCut: of_a_caller,
            ev.CallerReplaced: lambda event: event.old in calls,
            ev.CallPickedUp: lambda event: event.instead_of in self.state.ringing,
            ev.BridgeEntered: lambda event: on_either(event) or event.instead_of in calls,
            ev.HoldStarted: on_either,
            ev.HoldEnded: on_either,
            ev.ChannelEnded: lambda event: (
                on_either(event) or event.leg in self.state.ringing or event.leg in self.state.monitors
            ),
            ev.MonitorStarted: lambda event: event.monitor in self.state.monitors,
            ev.MonitorFailed: lambda event: event.monitor in self.state.monitors,
            ev.DeviceStateTold: lambda event: self.state.devices.get(event.device) is not event.in_service,
        }

    def next_deadline(self) -> float | None:
        """When a TimePassed event is due; None when nothing waits for time to pass."""
        due = self.floor.next_deadline()
        if not self.state.listening:  # what explains an exit is then read from the log, or shown by the next picture
            return due
        for waits in (self.calls.unresolved, self.state.orders_due):
            if waits:
                first = min(waits.values())
                due = first if due is None else min(due, first)
        return due

    def _caller_joined(self, event: ev.CallerJoined) -> None:
        self._queue_heard(event.queue, event.at)
        self.calls.joined(event)

    def _dial_begun(self, event: ev.DialBegun) -> None:
        self.calls.dial_begun(event)
        self.supervision.monitor_rings(event.leg, event.at)

    def _channel_ended(self, event: ev.ChannelEnded) -> None:
        self.calls.channel_ended(event)
        self.supervision.monitor_over(event.leg, event.at)

    # Asterisk's members -----------------------------------------------------------------------------------

    def _member_added(self, event: ev.MemberAdded) -> None:
        self._queue_heard(event.queue, event.at)
        member = self.members.get(event.queue, event.interface)
        member.status, member.dynamic, member.penalty = event.status, event.dynamic, event.penalty
        self._back_in(event.queue, event.interface)
        self.members.told(member, present(event.paused, event.reason))
        for session in self.members.sessions_at(event.interface, event.queue):
            if event.status == INVALID and not session.joined:
                session.wish = SessionState.SESSION_ENDED  # there is no such phone
        self._settle_at(event.interface, event.at)

    def _member_found(self, event: ev.MemberFound) -> None:
        self._back_in(event.queue, event.interface)
        self.members.found(event.queue, event.interface, event.dynamic)
        self._settle_at(event.interface, event.at)

    def _back_in(self, queue: str, interface: str) -> None:
        """Who was taken out of a queue from outside and put back again serves it again."""
        for session in self.state.logged_on_at(interface):
            session.left.discard(queue)

    def _member_removed(self, event: ev.MemberRemoved) -> None:
        """Our own log-off, or somebody else's, which is taken over: out of his last queue, he is logged off."""
        of_all = [queue for queue, member in self.state.members.get(event.interface, {}).items() if member.seen]
        for queue in of_all if event.queue is None else [event.queue]:
            if self.members.told(self.members.get(queue, event.interface), None):
                self._taken_out(queue, event.interface, event.at)
        self._settle_at(event.interface, event.at)

    def _taken_out(self, queue: str, interface: str, at: float) -> None:
        for session in self.members.sessions_at(interface, queue):
            session.left.add(queue)
            if not session.talks and not self.members.queues_of(session):  # else it is looked at after the call
                self.floor.ask_session(session, SessionState.SESSION_ENDED, REMOVED, at)

    def _member_paused(self, event: ev.MemberPaused) -> None:
        """Our own pause, or somebody else's, which is taken over unless it would break into a wrap-up."""
        member = self.members.get(event.queue, event.interface)
        if self.members.told(member, present(event.paused, event.reason)):
            self._taken_over(event.queue, event.interface, event.paused, event.reason, event.at)
        self._settle_at(event.interface, event.at)

    def _taken_over(self, queue: str, interface: str, paused: bool, reason: str, at: float) -> None:
        there = self.members.sessions_at(interface, queue)
        sessions = [session for session in there if session.wish is not SessionState.SESSION_ENDED]
        if not sessions or (paused and reason in OWN_REASONS):
            return
        agent = self.state.agents[sessions[0].agent]
        if any(self.state.sessions[key].busy for key in agent.sessions):
            if paused:  # an unpause is undone: the next order closes the gap again
                for session in sessions:
                    if session.next_state is not SessionState.SESSION_ENDED:
                        self.floor.ask_session(session, SessionState.NOT_READY, reason, at)
                self.floor.follow(agent, reason)
            return
        self.floor.take_over(agent, sessions, paused, reason)

    def _member_status(self, event: ev.MemberStatus) -> None:
        by_queue = self.state.members.get(event.interface)
        if by_queue is None or event.queue not in by_queue:
            return
        member = by_queue[event.queue]
        gone_or_back = (member.status in OUT_OF_SERVICE) is not (event.status in OUT_OF_SERVICE)
        member.status = event.status
        if gone_or_back:
            self._settle_at(event.interface, event.at)

    def _device_told(self, event: ev.DeviceStateTold) -> None:
        self.state.devices[event.device] = event.in_service

    def _settle_at(self, interface: str, at: float) -> None:
        for agent in {session.agent for session in self.state.logged_on_at(interface)}:
            self.floor.reconsider(agent, at)

    # The link ---------------------------------------------------------------------------------------------

    def _link_lost(self, event: ev.LinkLost) -> Iterator[None]:
        if self.state.linked:
            self.state.lost_at = event.at
            self._emit(HandlerMoved(event.at, AgentHandlerEvent.AGENTHANDLER_REMOVED))
        self.state.linked = self.state.listening = False
        self.members.forget_orders()
        for agent in list(self.state.agents.values()):
            self.floor.derive(agent, event.at)
            yield

    def _link_heard(self, _event: ev.LinkHeard) -> None:
        self.state.listening = True

    def _picture_taken(self, picture: ev.PictureTaken) -> Iterator[None]:
        """Everything is compared with what Asterisk shows; then the difference is ordered."""
        restarted = bool(self.state.booted) and picture.booted > self.state.booted + RESTART_SLACK
        if not self.state.linked:
            self._emit(HandlerMoved(picture.at, AgentHandlerEvent.NEW_AGENTHANDLER))
        self.state.booted, self.state.linked, self.state.listening = picture.booted, True, True
        self.state.devices = dict(picture.devices) or self.state.devices
        for name in picture.queues:
            self._queue_came(name, picture.at)
        for name in [name for name in self.state.queues if name not in picture.queues]:
            self._queue_went(name, picture.at)
        gone = yield from self.members.compare(picture.members)
        for session in self.state.sessions.values():
            if session.left:
                session.left -= {queue for queue in session.left if self.members.is_in(queue, session.address)}
        yield from Comparison(self.state, self.floor, self.calls, picture, restarted).run()
        if not restarted:
            yield from self._take_over_members(picture.at)
            for member in gone:
                self._taken_out(member.queue, member.interface, picture.at)
        self.supervision.compare({channel.leg for channel in picture.channels}, picture.at)
        for interface in dict.fromkeys([*self.state.members, *self.state.addresses]):
            self.members.order(interface)
            self.members.order_penalties(interface)
            yield
        for agent in list(self.state.agents.values()):
            self.floor.settle(agent, picture.at)
            yield

    def _queue_came(self, name: str, at: float) -> None:
        """A queue that no group has yet is a group of its own."""
        queue = self.calls.queue(name, at)
        if queue.in_asterisk:
            return
        queue.in_asterisk = True
        self._emit(QueueMoved(at, name, ACDQueueEvent.NEW_QUEUE))
        taken = name in self.state.groups  # by a group of other queues
        if not taken and not any(name in group.queues for group in self.state.groups.values()):
            self._group_set(ev.GroupSet(at, name, [name]))

    def _queue_went(self, name: str, at: float) -> None:
        """Nobody can be in it; its sessions serve their other queues."""
        queue = self.state.queues.get(name)
        if queue is None or not queue.in_asterisk:
            return
        queue.in_asterisk = False
        self._emit(QueueMoved(at, name, ACDQueueEvent.QUEUE_REMOVED))
        for by_queue in self.state.members.values():
            by_queue.pop(name, None)

    def _queue_heard(self, name: str, at: float) -> None:
        """A queue made by a reload says so by what happens in it."""
        queue = self.state.queues.get(name)
        if queue is not None and queue.in_asterisk:
            return
        self._queue_came(name, at)
        self._reconsider_all(at)

    def _queue_gone(self, event: ev.QueueGone) -> None:
        self._queue_went(event.queue, event.at)
        self._reconsider_all(event.at)

    def _reconsider_all(self, at: float) -> None:
        for agent in list(self.state.agents.values()):
            self.floor.reconsider(agent.key, at)

    def _take_over_members(self, at: float) -> Iterator[None]:
        """Pauses set or lifted by others while the link was down, where nothing of ours was under way."""
        for key in [key for keys in self.state.addresses.values() for key in keys]:
            session = self.state.sessions[key]
            if session.wish is session.state:
                self._take_over_members_of(session, at)
            yield

    def _take_over_members_of(self, session: AgentSession, at: float) -> None:
        wants = self.members.wants(session.address)
        for queue in self.members.queues_of(session):
            seen = self.members.get(queue, session.address).seen
            if seen is not None and seen != wants.get(queue):
                self._taken_over(queue, session.address, seen.paused, seen.reason, at)
                wants = self.members.wants(session.address)

    # What people decided ----------------------------------------------------------------------------------

    def _registered(self, event: ev.Registrations) -> None:
        self.state.default_wrap_up = event.default_wrap_up
        self.state.missed_calls = event.missed_calls
        self.state.call_rate_scale = event.call_rate_scale
        self.state.confirm_within = event.confirm_within
        self.state.dispositions = event.dispositions or {}
        self.state.disposition_required = event.disposition_required or []
        self.state.reasons = event.reasons or []
        self._measure(event)
        before, now = self.state.registered, Registered(event.wrap_up, event.agents_wrap_up or {}, event.groups)
        self.state.registered = now
        for group in _changed(before.groups, now.groups):
            if group in now.groups:
                self._group_set(ev.GroupSet(event.at, group, now.groups[group]))
        for name in _changed(before.queues, now.queues):
            self.calls.queue(name, event.at).wrap_up = now.queues.get(name)
        for key in _changed(before.agents, now.agents):
            if key in self.state.agents:  # else he gets it when he is made
                self.state.agents[key].wrap_up = now.agents.get(key)

    def _measure(self, event: ev.Registrations) -> None:
        """Another default length, or another kind of period, starts those anew that it reaches."""
        measured: list[Measured[Any]] = [agent.measured for agent in self.state.agents.values()]
        measured += [queue.measured for queue in self.state.queues.values()]
        for each in measured:
            seconds = each.seconds if each.own else event.measurement_period
            if (each.seconds, each.sliding) != (seconds, event.sliding):
                each.sliding = event.sliding
                each.restart(event.at, seconds)
                each.rolled = False  # this is our own clock, before Asterisk's is known
        self.state.sliding, self.state.measurement_period = event.sliding, event.measurement_period

    def _agent_created(self, event: ev.AgentCreated) -> None:
        if event.agent in self.state.agents:
            return
        measured = Measured(event.at, self.state.measurement_period, Tally(), self.state.sliding)
        agent = Agent(event.agent, event.id, event.user, event.at, measured, since=event.at)
        agent.wrap_up = self.state.registered.agents.get(event.agent)
        self.state.agents[event.agent] = agent
        self._emit(Touched(event.at, agent=agent.key))

    def _wrap_up_set(self, event: ev.WrapUpSet) -> None:
        if event.agent is not None:
            self.state.agents[event.agent].wrap_up = event.seconds
        if event.queue is not None:
            self.calls.queue(event.queue, event.at).wrap_up = event.seconds
        self._emit(Touched(event.at, agent=event.agent or "", queue=event.queue or ""))

    def _group_set(self, event: ev.GroupSet) -> None:
        """Sessions of the group follow: into the queues that came, out of those that went."""
        if event.group not in self.state.groups:
            self.state.groups[event.group] = Group(event.group, [])
            self._emit(GroupMoved(event.at, event.group, ACDGroupEvent.NEW_GROUP))
        group = self.state.groups[event.group]
        group.queues = list(event.queues)
        self._emit(Touched(event.at, group=group.name))
        for queue in event.queues:
            if queue not in self.state.queues:
                self.state.queues[queue] = new_queue(self.state, queue, event.at)
        live = [s for s in self.state.sessions.values() if s.group == group.name and s.ended is None]
        for agent in dict.fromkeys(session.agent for session in live):
            self.floor.reconsider(agent, event.at)

    def _group_removed(self, event: ev.GroupRemoved) -> None:
        if self.state.groups.pop(event.group, None) is not None:
            self._emit(GroupMoved(event.at, event.group, ACDGroupEvent.GROUP_REMOVED))

    def _session_created(self, event: ev.SessionCreated) -> None:
        if event.session in self.state.sessions:
            return
        self.floor.forget_ended(event.at - KEEP_ENDED, MOST_ENDED)
        device = event.device or device_of_address(event.address)
        session = AgentSession(event.session, event.agent, event.group, event.address, device, event.at, since=event.at)
        self.state.sessions[session.id] = session
        self.state.addresses.setdefault(session.address, []).append(session.id)
        self.state.phones.setdefault(session.device, []).append(session.id)
        agent = self.state.agents[event.agent]
        agent.logins.append(session.id)
        self.floor.reconsider(agent.key, event.at)

    def _session_withdrawn(self, event: ev.SessionWithdrawn) -> None:
        session = self.state.sessions.get(event.session)
        if session is not None and not session.joined:
            self.floor.drop(session)
            self.members.order(session.address)
            self.floor.reconsider(session.agent, event.at)

    def _session_asked(self, event: ev.SessionStateAsked) -> None:
        session = self.state.sessions[event.session]
        self.floor.ask_session(session, SessionState(event.state), event.reason, event.at)

    def _agent_asked(self, event: ev.AgentStateAsked) -> None:
        agent = self.state.agents[event.agent]
        self.floor.ask_agent(agent, AgentState(event.state), event.reason, event.at)

    def _order_failed(self, event: ev.OrderFailed) -> None:
        self.members.failed(event.queue, event.interface)
        if event.refused:
            self.floor.take_back(event.interface)

    def _wrap_up_changed(self, event: ev.WrapUpChanged) -> None:
        session = self.state.sessions[event.session]
        if event.until <= event.at:
            self.floor.end_wrap_up(session, event.at)
        else:
            self.floor.wrap_up_until(session, event.until)
            self._emit(Touched(event.at, session=session.id))

    def _period_set(self, event: ev.MeasurementPeriodSet) -> None:
        measured: list[Measured[Any]] = []
        if event.agent is not None:
            measured.append(self.state.agents[event.agent].measured)
        if event.queue is not None:
            measured.append(self.state.queues[event.queue].measured)
        for each in measured:
            each.own = True
            each.restart(event.at, event.seconds)
        self._emit(Touched(event.at, agent=event.agent or "", queue=event.queue or ""))

    def _clock_set(self, event: ev.ClockSet) -> None:
        clock.move(self.state, event.by)
        self.floor.note_times()
        self.calls.note_deadlines()

    def _time_passed(self, event: ev.TimePassed) -> None:
        self.calls.tick(event.at)
        self.floor.tick(event.at)
        for interface in self.members.tick(event.at):
            self.members.order(interface)
            self._settle_at(interface, event.at)

    # Requests ---------------------------------------------------------------------------------------------

    def create_agent(self, now: float, id: str | None, user: str) -> ev.AgentCreated | None:
        """CreateAgent (no id) or CreateAgentWithID. None: there is such an agent already.

        Raises AgentExists when the account name belongs to another agent: it is the member's name in Asterisk.
        """
        key = id if id is not None else user
        present = self.state.agents.get(key)
        if present is not None and present.id == id:
            return None
        if present is not None or any(agent.user == user for agent in self.state.agents.values()):
            raise refusals.AgentExists(f"The account name or id {user!r} belongs to another agent.")
        return ev.AgentCreated(now, key, id, user)

    def create_session(
        self, now: float, session: str, agent_key: str, group_name: str, address: str, *, device: str = ""
    ) -> ev.SessionCreated:
        """CreateSession. A log-on that Asterisk has not confirmed yet is returned as it was made.

        `device`: the phone behind an address that is not one itself.

        Raises UnknownAgent, UnknownGroup, GroupEmpty, SessionExists, AddressInUse, NotLinked.
        """
        agent, group = self.agent(agent_key), self.group(group_name)
        self._need_link()
        if not any(self.state.queues[queue].in_asterisk for queue in group.queues):
            raise refusals.GroupEmpty()
        for other in (self.state.sessions[key] for key in agent.logins):
            if not other.joined and other.wish is SessionState.SESSION_ENDED:
                continue  # there is no such phone; it is being taken back
            if other.group == group_name and other.address == address and not other.joined:
                return ev.SessionCreated(other.started, other.id, agent.key, group.name, address, other.device)
            if other.group == group_name:
                raise refusals.SessionExists()
        device = device or device_of_address(address)
        for key in [*self.state.phones.get(device, ()), *self.state.addresses.get(address, ())]:
            if self.state.sessions[key].agent != agent_key:
                raise refusals.AddressInUse()
        return ev.SessionCreated(now, session, agent.key, group.name, address, device)

    def ask_session_state(self, now: float, key: str, goal: SessionState, reason: str) -> ev.SessionStateAsked | None:
        """ITAgentSession.put_State. None: it is so already (semantics A22).

        Raises UnknownSession, StateNotSettable, StateNotReachable (out of SESSION_ENDED), NotLinked.
        """
        session = self.session(key)
        if goal in BUSY:
            raise refusals.StateNotSettable(f"{goal.name} describes calls; only the switch sets it.")
        if session.state is goal and goal is SessionState.SESSION_ENDED:
            return None
        if session.state is SessionState.SESSION_ENDED:
            raise refusals.StateNotReachable("The session has ended; nothing leads out of that.")
        settled = session.state is goal and session.wish is goal and session.next_state is None
        if settled and session.reason == reason:
            return None
        self._need_link()
        if goal is SessionState.READY:
            self.supervision.need_code(session)
        return ev.SessionStateAsked(now, key, goal, reason)

    def ask_agent_state(self, now: float, key: str, goal: AgentState, reason: str) -> ev.AgentStateAsked | None:
        """ITAgent.put_State. None: it is so already. Raises UnknownAgent, StateNotSettable, NotLinked."""
        agent = self.agent(key)
        if goal not in (AgentState.READY, AgentState.NOT_READY):
            raise refusals.StateNotSettable(f"{goal.name} follows from calls; only the switch sets it.")
        if agent.settled is goal and (agent.asked, agent.asked_reason) == (goal, reason):
            return None
        self._need_link()
        return ev.AgentStateAsked(now, key, goal, reason)

    def change_wrap_up(self, now: float, key: str, extend: float | None) -> ev.WrapUpChanged:
        """Extends the wrap-up by `extend` seconds, or ends it now (None).

        Raises UnknownSession, NotInWrapUp, NotLinked, DispositionMissing.
        """
        session = self.session(key)
        if session.state is not SessionState.BUSY_WRAPUP or session.wrap_up_until is None:
            raise refusals.NotInWrapUp()
        self._need_link()
        if extend is None:
            self.supervision.need_code(session)
        return ev.WrapUpChanged(now, key, now if extend is None else session.wrap_up_until + extend)

    def set_disposition(self, now: float, key: str, code: str) -> ev.DispositionSet:
        """The after-call code of the call in talk or wrap-up. Raises UnknownSession, UnknownDisposition, NoCall."""
        session = self.session(key)
        if code not in self.state.dispositions:
            raise refusals.UnknownDisposition(f"There is no after-call code {code!r}.")
        self.supervision.need_call(session)
        return ev.DispositionSet(now, key, code)

    def set_penalty(self, now: float, agent_key: str, queue: str, penalty: int) -> ev.PenaltySet | None:
        """How late an agent's turn comes in a queue. None: it is so already. Raises UnknownAgent, UnknownQueue."""
        agent = self.agent(agent_key)
        self.queue(queue)
        known = agent.penalties.get(queue, 0) == penalty
        if known and self.supervision.penalty_confirmed(agent, queue, penalty):
            return None
        if agent.sessions:
            self._need_link()
        return ev.PenaltySet(now, agent_key, queue, penalty)

    def remove_group(self, now: float, name: str) -> ev.GroupRemoved:
        """Takes a group away. Raises UnknownGroup, GroupInUse while somebody is logged on for it."""
        self.group(name)
        if any(s.group == name and s.ended is None for s in self.state.sessions.values()):
            raise refusals.GroupInUse()
        return ev.GroupRemoved(now, name)

    def set_measurement_period(
        self, now: float, seconds: int, agent: str | None = None, queue: str | None = None
    ) -> ev.MeasurementPeriodSet:
        """put_MeasurementPeriod of an agent or a queue. Raises PeriodInvalid, UnknownAgent, UnknownQueue."""
        if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < 2**31:
            raise refusals.PeriodInvalid()
        if agent is not None:
            self.agent(agent)
        if queue is not None:
            self.queue(queue)
        return ev.MeasurementPeriodSet(now, seconds, agent, queue)

    def _need_link(self) -> None:
        if not self.state.linked:
            raise refusals.NotLinked()

    # Look-ups ---------------------------------------------------------------------------------------------

    def agent(self, key: str) -> Agent:
        """Raises UnknownAgent."""
        try:
            return self.state.agents[key]
        except KeyError:
            raise refusals.UnknownAgent(f"There is no agent {key!r}.") from None

    def session(self, key: str) -> AgentSession:
        """Raises UnknownSession, also for one that Asterisk has not confirmed yet."""
        session = self.state.sessions.get(key)
        if session is None or not session.joined:
            raise refusals.UnknownSession(f"There is no session {key!r}.")
        return session

    def group(self, name: str) -> Group:
        """Raises UnknownGroup."""
        try:
            return self.state.groups[name]
        except KeyError:
            raise refusals.UnknownGroup(f"There is no ACD group {name!r}.") from None

    def queue_in_asterisk(self, name: str) -> Queue:
        """Raises UnknownQueue also for one that Asterisk has no more."""
        queue = self.queue(name)
        if not queue.in_asterisk:
            raise refusals.UnknownQueue(f"Asterisk has no queue {name!r}.")
        return queue

    def present_call(self, call: str) -> Visit:
        """The last visit of a caller who is still there. Raises UnknownCall."""
        for key in reversed(self.state.calls.get(call, ())):
            visit = self.state.visits.get(key)
            if visit is not None and visit.call == call and not visit.caller_gone:
                return visit
        raise refusals.UnknownCall(f"There is no call {call!r} at present.")

    def queue(self, name: str) -> Queue:
        """Raises UnknownQueue."""
        try:
            return self.state.queues[name]
        except KeyError:
            raise refusals.UnknownQueue(f"There is no queue {name!r}.") from None


def exhausted(steps: Iterator[None]) -> None:
    """All of it in one go."""
    for _ in steps:
        pass


RESTART_SLACK = 2.0  # seconds by which two readings of one start-up may differ: Uptime is whole seconds


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The keys whose value came, went or is another."""
    return [key for key in {**before, **now} if before.get(key) != now.get(key)]
