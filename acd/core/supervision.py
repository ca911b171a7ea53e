"""What supervisors do beyond states: penalties, the line of waiting callers, listening in; and after-call codes."""

from collections.abc import Callable

from acd.core import events as ev
from acd.core import refusals
from acd.core.calls import Calls
from acd.core.effects import Effect, MonitorMoved, Touched, VisitMoved
from acd.core.members import OUT_OF_SERVICE, Members
from acd.core.records import Agent, AgentSession, Monitor, State, Visit
from acd.core.states import MonitorState, Outcome


class Supervision:
    """Events of supervision, and the questions that a request has to ask before it becomes one."""

    def __init__(self, state: State, members: Members, calls: Calls, emit: Callable[[Effect], None]) -> None:
        self._state = state
        self._members = members
        self._calls = calls
        self._emit = emit

    # Penalties --------------------------------------------------------------------------------------------

    def penalty_set(self, event: ev.PenaltySet) -> None:
        """It holds for this log-in and those to come."""
        agent = self._state.agents[event.agent]
        agent.penalties[event.queue] = event.penalty
        for address in dict.fromkeys(self._state.sessions[key].address for key in agent.logins):
            self._members.order_penalties(address)
        self._emit(Touched(event.at, agent=agent.key, queue=event.queue))

    def member_penalty(self, event: ev.MemberPenalty) -> None:
        """Our own order, or somebody else's, which is taken over."""
        self._members.get(event.queue, event.interface).penalty = event.penalty
        for session in self._members.sessions_at(event.interface, event.queue)[:1]:
            self._state.agents[session.agent].penalties[event.queue] = event.penalty
            self._emit(Touched(event.at, agent=session.agent, queue=event.queue))

    def penalty_confirmed(self, agent: Agent, queue: str, penalty: int) -> bool:
        """Asterisk has it so, wherever the agent serves this queue."""
        addresses = {self._state.sessions[key].address for key in agent.sessions}
        members = [self._state.members.get(address, {}).get(queue) for address in addresses]
        return all(each is None or each.seen is None or each.penalty == penalty for each in members)

    # The line ---------------------------------------------------------------------------------------------

    def waiting_seen(self, event: ev.WaitingSeen) -> None:
        """No event tells of a changed priority; a look at the queue does."""
        queue = self._calls.queue(event.queue, event.at)
        places = {call: place for place, call in enumerate(event.priorities)}
        for key in queue.waiting:
            visit = self._state.visits[key]
            visit.priority = event.priorities.get(visit.call, visit.priority)
        queue.waiting.sort(key=lambda key: places.get(self._state.visits[key].call, len(places)))
        self._emit(Touched(event.at, queue=event.queue))

    def exit_asked(self, event: ev.ExitAsked) -> None:
        visit = self._calls.waiting(event.call, event.queue)
        if visit is not None:
            visit.exit_asked = Outcome(event.outcome)

    def waiting_call(self, queue: str, call: str) -> Visit:
        """Raises UnknownCall unless this caller waits in this queue."""
        visit = self._calls.waiting(call, queue)
        if visit is None or visit.left is not None:
            raise refusals.UnknownCall(f"The call {call!r} does not wait in the queue {queue!r}.")
        return visit

    def need_somebody_in(self, queue: str) -> None:
        """Asterisk hangs up on who is sent into a queue that nobody serves. Raises QueueEmpty."""
        at_work = (by_queue.get(queue) for by_queue in self._state.members.values())
        if not any(each and each.seen is not None and each.status not in OUT_OF_SERVICE for each in at_work):
            raise refusals.QueueEmpty(f"Nobody serves the queue {queue!r}: Asterisk would hang up on the caller.")

    # Listening in -----------------------------------------------------------------------------------------

    def leg_of(self, agent: str) -> str:
        """The channel of the agent's present call: the ACD's before any other. Raises NoCall."""
        for session in (self._state.sessions[key] for key in self._state.agents[agent].sessions):
            for key in reversed(session.talks):
                leg = self._state.visits[key].leg
                if leg is not None:
                    return leg
        up = [key for key in self._state.agents[agent].legs if self._state.legs[key].up and not self._spies(key)]
        if not up:
            raise refusals.NoCall(f"The agent {agent!r} has no call.")
        return up[0]

    def _spies(self, leg: str) -> bool:
        return leg in self._state.monitors

    def monitor(self, id: str) -> Monitor:
        """Raises UnknownMonitor, also for one that has ended."""
        try:
            return self._state.monitors[id]
        except KeyError:
            raise refusals.UnknownMonitor(f"Nobody listens by the name of {id!r}.") from None

    def monitor_decided(self, id: str) -> bool:
        """His phone rings, or he hears already, or it came to nothing."""
        monitor = self._state.monitors.get(id)
        return monitor is None or monitor.state is not MonitorState.CALLING

    def monitor_asked(self, event: ev.MonitorAsked) -> None:
        calling = MonitorState.CALLING
        monitor = Monitor(event.monitor, event.agent, event.mode, event.address, event.leg, calling, event.at)
        self._state.monitors[monitor.id] = monitor

    def monitor_rings(self, id: str, at: float) -> None:
        """His phone is called."""
        monitor = self._state.monitors.get(id)
        if monitor is not None and monitor.state is MonitorState.CALLING:
            self._move(id, MonitorState.RINGING, at)

    def monitor_started(self, event: ev.MonitorStarted) -> None:
        self._move(event.monitor, MonitorState.ACTIVE, event.at)

    def monitor_failed(self, event: ev.MonitorFailed) -> None:
        self.monitor_over(event.monitor, event.at)

    def monitor_over(self, id: str, at: float) -> None:
        """His channel is gone, or was never made."""
        self._move(id, MonitorState.ENDED, at)
        self._state.monitors.pop(id, None)

    def _move(self, id: str, state: MonitorState, at: float) -> None:
        monitor = self._state.monitors.get(id)
        if monitor is not None and monitor.state is not state:
            self._state.monitors[id] = monitor._replace(state=state, since=at)
            self._emit(MonitorMoved(at, self._state.monitors[id]))

    def compare(self, channels: set[str], at: float) -> None:
        """After each log-in: who is not among the channels listens no more."""
        for id in [id for id in self._state.monitors if id not in channels]:
            self.monitor_over(id, at)

    # After-call codes -------------------------------------------------------------------------------------

    def disposition_set(self, event: ev.DispositionSet) -> None:
        visit = self._visit_of(self._state.sessions[event.session])
        if visit is not None:
            visit.disposition = event.code
            self._emit(VisitMoved(event.at, visit))

    def _visit_of(self, session: AgentSession) -> Visit | None:
        """The call in talk, or the one whose after-call work is going on."""
        key = session.wrap_up_visit if session.wrap_up_from is not None else session.visit
        return self._state.visits.get(key or "")

    def need_call(self, session: AgentSession) -> None:
        """Raises NoCall unless there is a call to give a code to: in talk, or in wrap-up."""
        if not session.busy or self._visit_of(session) is None:
            raise refusals.NoCall("The session has no call, and is not in wrap-up.")

    def need_code(self, session: AgentSession) -> None:
        """Raises DispositionMissing in the wrap-up of a call that needs a code and has none."""
        visit = self._visit_of(session) if session.wrap_up_from is not None else None
        if visit is not None and visit.disposition is None and visit.queue in self._state.disposition_required:
            raise refusals.DispositionMissing()
