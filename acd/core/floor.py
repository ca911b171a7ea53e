"""Agents and sessions: what was asked for, what Asterisk confirmed, and the states announced from both."""

import heapq
from collections.abc import Callable

from acd.core.effects import AgentMoved, Effect, SessionMoved, Touched, VisitMoved
from acd.core.figures import Tally
from acd.core.members import Members
from acd.core.records import Agent, AgentSession, State, Visit
from acd.core.states import BUSY, AgentEvent, AgentState, SessionEvent, SessionState, legal_steps

MISSED = "missed calls"  # the system's own reason
REMOVED = "removed"  # the reason of a log-off that follows from being taken out of the last queue
LATE = 1.0  # seconds after which a wrap-up that should be over counts no longer


class Floor:
    """Moves agents and sessions. A state changes here and nowhere else."""

    def __init__(self, state: State, members: Members, emit: Callable[[Effect], None]) -> None:
        self._state = state
        self._members = members
        self._emit = emit
        self.note_times()

    def note_times(self) -> None:
        """When wrap-ups end and sessions ended, as the state has it."""
        self.ended: list[tuple[float, str]] = [
            (session.ended, session.id) for session in self._state.sessions.values() if session.ended is not None
        ]
        heapq.heapify(self.ended)
        self.deadlines: list[tuple[float, str]] = [
            (session.wrap_up_until, session.id)
            for session in self._state.sessions.values()
            if session.wrap_up_until is not None
        ]
        heapq.heapify(self.deadlines)

    # What was asked for -----------------------------------------------------------------------------------

    def ask_session(self, session: AgentSession, goal: SessionState, reason: str, at: float) -> None:
        """put_State of a session: at once, or as the next state while a call is up (semantics A19)."""
        on_call = session.busy and session.wrap_up_from is None
        if on_call or (goal is SessionState.SESSION_ENDED and self._rings(session)):
            session.next_state, session.next_reason = goal, reason
            self._emit(Touched(at, session=session.id))
            return
        session.wish, session.wish_reason, session.next_state = goal, reason, None
        if session.wrap_up_from is not None:
            self.end_wrap_up(session, at)
        else:
            self.reconsider(session.agent, at)

    def _rings(self, session: AgentSession) -> bool:
        return session.address in self._state.ringing_at

    def ring_began(self, interface: str, at: float) -> None:
        """A phone rings for a queue."""
        for session in self._state.logged_on_at(interface):
            self._emit(Touched(at, session=session.id))

    def ring_over(self, interface: str, at: float) -> None:
        """A phone has stopped ringing: what was put off because of it happens now, unless it was answered."""
        for session in self._state.logged_on_at(interface):
            self._emit(Touched(at, session=session.id))
            if session.next_state is not None and not session.busy and not self._rings(session):
                goal, session.next_state = session.next_state, None
                self.ask_session(session, goal, session.next_reason, at)

    def missed(self, interface: str, at: float) -> None:
        """An offered call was not answered; too many in a row, and calls are kept from the agent."""
        there = self._state.logged_on_at(interface)
        if not there:
            return
        agent = self._state.agents[there[0].agent]
        agent.missed += 1
        if self._state.missed_calls and agent.missed >= self._state.missed_calls:
            agent.missed = 0
            sessions = [self._state.sessions[key] for key in agent.logins]
            ready = [session for session in sessions if session.wish is SessionState.READY and not session.busy]
            self.take_over(agent, ready, paused=True, reason=MISSED)
            self.reconsider(agent.key, at)

    def take_over(self, agent: Agent, sessions: list[AgentSession], paused: bool, reason: str) -> None:
        """Not what he asked for but what is so: these sessions were paused, or let go, from outside."""
        for session in sessions:
            session.wish = SessionState.NOT_READY if paused else SessionState.READY
            session.wish_reason = reason if paused else ""
        if paused:
            self.follow(agent, reason)
        else:
            agent.asked, agent.asked_reason = AgentState.READY, ""

    def follow(self, agent: Agent, reason: str) -> None:
        """Of whom no session is to be ready, he is not ready himself."""
        sessions = [self._state.sessions[key] for key in agent.sessions]
        goals = [s.wish if s.next_state is None else s.next_state for s in sessions]
        if SessionState.READY not in goals:
            agent.asked, agent.asked_reason = AgentState.NOT_READY, reason

    def ask_agent(self, agent: Agent, goal: AgentState, reason: str, at: float) -> None:
        """put_State of an agent: no session changes with it (semantics A21), but calls come only if both are."""
        agent.asked, agent.asked_reason = goal, reason
        if agent.state is AgentState.BUSY_ACD:  # no state moves yet, and yet there is something to tell
            self._emit(Touched(at, agent=agent.key))
        self.reconsider(agent.key, at)

    def take_back(self, address: str) -> None:
        """Asterisk refused what was asked for at this phone: every wish there is what it was."""
        for session in self._state.logged_on_at(address):
            if not session.joined:  # a refused log-on is withdrawn
                continue
            agent = self._state.agents[session.agent]
            agent.asked, agent.asked_reason = agent.settled, agent.settled_reason
            if session.state in (SessionState.READY, SessionState.NOT_READY):
                session.wish, session.wish_reason = session.state, session.reason

    # What Asterisk confirmed ------------------------------------------------------------------------------

    def reconsider(self, agent_key: str, at: float) -> None:
        """Orders what is missing for an agent and announces what is confirmed."""
        agent = self._state.agents[agent_key]
        for address in dict.fromkeys(self._state.sessions[key].address for key in agent.logins):
            self._members.order(address)
        self.settle(agent, at)

    def settle(self, agent: Agent, at: float) -> None:
        """Moves an agent and his sessions to what they wish, as far as Asterisk has confirmed it."""
        sessions = [self._state.sessions[key] for key in agent.logins]
        in_sync = [session for session in sessions if self._members.in_sync(session)]
        for session in in_sync:
            if not session.busy:
                self._settle_session(session, at)
        if len(in_sync) == len(sessions) and not any(session.busy for session in sessions):
            self._settle_agent(agent, at)
        self.derive(agent, at)

    def _settle_agent(self, agent: Agent, at: float) -> None:
        if (agent.settled, agent.settled_reason) != (agent.asked, agent.asked_reason):
            agent.settled, agent.settled_reason = agent.asked, agent.asked_reason
            self._emit(Touched(at, agent=agent.key))

    def _settle_session(self, session: AgentSession, at: float) -> None:
        if not session.joined and session.wish is SessionState.SESSION_ENDED:  # refused before anybody saw it
            self.drop(session)
            return
        if not session.joined:
            self._join(session, at)
        if session.wish is not session.state:
            self.announce(session, session.wish, at, session.wish_reason)
        elif session.reason != session.wish_reason:
            session.reason = session.wish_reason
            self._emit(Touched(at, session=session.id))
        if session.state is SessionState.SESSION_ENDED:
            self._leave(session, at)

    def _join(self, session: AgentSession, at: float) -> None:
        agent = self._state.agents[session.agent]
        session.joined = True
        agent.sessions.append(session.id)
        if agent.active_since is None:
            agent.active_since = session.started
        self._emit(SessionMoved(at, session.id, SessionEvent.NEW_SESSION))

    def _leave(self, session: AgentSession, at: float) -> None:
        agent = self._state.agents[session.agent]
        session.ended = at
        heapq.heappush(self.ended, (at, session.id))
        self.drop(session)
        if not agent.sessions and agent.active_since is not None:
            tally = agent.measured.book(at)
            tally.active += max(0.0, at - max(agent.active_since, agent.measured.start_at(at)))
            agent.active_since = None

    def drop(self, session: AgentSession) -> None:
        """Takes a session off the floor; one that had been seen stays readable (semantics A27)."""
        agent = self._state.agents[session.agent]
        agent.logins.remove(session.id)
        if session.id in agent.sessions:
            agent.sessions.remove(session.id)
        for index, place in ((self._state.addresses, session.address), (self._state.phones, session.device)):
            index[place].remove(session.id)
            if not index[place]:
                del index[place]
        if not session.joined:
            del self._state.sessions[session.id]

    def forget_ended(self, before: float, most: int) -> None:
        """Sessions that ended before then are no longer readable, nor are the oldest where there are more than that."""
        while self.ended and (self.ended[0][0] < before or len(self.ended) > most):
            _, key = heapq.heappop(self.ended)
            del self._state.sessions[key]

    # What is announced ------------------------------------------------------------------------------------

    def announce(self, session: AgentSession, goal: SessionState, at: float, reason: str = "") -> None:
        """Moves a session, step by legal step, and says so."""
        for step in legal_steps(session.state, goal):
            if session.state is SessionState.BUSY_WRAPUP:
                self._book_wrap_up(session, at)
            session.state, session.since = step, at
            self._emit(SessionMoved(at, session.id, SessionEvent(step + 1)))
        session.reason = reason

    def derive(self, agent: Agent, at: float) -> None:
        """An agent's state follows from the link, his sessions, his other calls and what he asked for."""
        state = self._derived(agent)
        if state is agent.state:
            return
        agent.state, agent.since = state, at
        self._emit(AgentMoved(at, agent.key, AgentEvent(state)))

    def _derived(self, agent: Agent) -> AgentState:
        if not self._state.linked and agent.sessions:
            return AgentState.UNKNOWN
        sessions = [self._state.sessions[key] for key in agent.sessions]
        if any(session.state in BUSY for session in sessions):
            return AgentState.BUSY_ACD
        if sessions and not any(self._members.reachable(session) for session in sessions):
            return AgentState.UNKNOWN
        others = [leg for leg in map(self._state.legs.__getitem__, agent.legs) if leg.up and leg.visit is None]
        if any(not leg.outgoing for leg in others):
            return AgentState.BUSY_INCOMING
        if others:
            return AgentState.BUSY_OUTGOING
        return agent.settled

    # Calls and wrap-up ------------------------------------------------------------------------------------

    def take_call(self, session: AgentSession, visit: Visit) -> None:
        """AgentConnect: busy, and paused in all his queues at once, so that wrap-up is covered from its start."""
        assert visit.answered is not None
        session.visit = visit.key
        session.talks.append(visit.key)
        self._state.agents[session.agent].missed = 0
        self.announce(session, SessionState.BUSY_ON_CALL, visit.answered)
        self.reconsider(session.agent, visit.answered)

    def release(self, session: AgentSession, visit: Visit) -> None:
        """The agent's leg is over: into wrap-up, or straight to the next state where none is due."""
        assert visit.released is not None and visit.answered is not None and visit.talk is not None
        at = visit.released
        for tally in self._tallies(session, at):
            tally.released(visit.talk, visit.ring or 0.0)
        session.talks.remove(visit.key)
        if session.talks:  # he still talks in another
            session.visit = session.talks[-1]
            visit.wrap_up = 0.0
            self._emit(VisitMoved(at, visit))
            return
        seconds = self.wrap_up_seconds(session, visit.queue)
        if not self._state.listening and not self._members.in_sync(session):
            seconds = 0.0  # answered while nobody listened: no pause kept the next call away
        if session.left and not self._members.queues_of(session):
            session.next_state, session.next_reason = SessionState.SESSION_ENDED, REMOVED
        if session.next_state is not None:
            session.wish, session.wish_reason = session.next_state, session.next_reason
            session.next_state = None
            seconds = 0.0
        if seconds <= 0:
            self._free(session, visit, at)
            return
        self._emit(VisitMoved(at, visit))
        session.wrap_up_visit, session.wrap_up_from = visit.key, at
        self.announce(session, SessionState.BUSY_WRAPUP, at)
        self.wrap_up_until(session, at + seconds)
        self.derive(self._state.agents[session.agent], at)

    def wrap_up_seconds(self, session: AgentSession, queue: str) -> float:
        """The agent's own wrap-up time, else the queue's, else the handler's."""
        own = self._state.agents[session.agent].wrap_up
        queues = self._state.queues[queue].wrap_up
        return own if own is not None else queues if queues is not None else self._state.default_wrap_up

    def wrap_up_until(self, session: AgentSession, until: float) -> None:
        """Sets the end of wrap-up: the queue's time, or an extension of it."""
        session.wrap_up_until = until
        heapq.heappush(self.deadlines, (until, session.id))

    def end_wrap_up(self, session: AgentSession, at: float) -> None:
        """Time over or ended early: the pause is lifted; the state follows when Asterisk confirmed it."""
        session.wrap_up_until = None
        session.visit = None
        self.reconsider(session.agent, at)

    def next_deadline(self) -> float | None:
        """When `tick` is due next; None when no wrap-up runs."""
        while self.deadlines:
            until, key = self.deadlines[0]
            session = self._state.sessions.get(key)
            if session is not None and session.wrap_up_until == until:
                return until
            heapq.heappop(self.deadlines)
        return None

    def tick(self, at: float) -> None:
        """Ends every wrap-up whose time is over."""
        while (until := self.next_deadline()) is not None and until <= at:
            _, key = heapq.heappop(self.deadlines)
            session = self._state.sessions[key]
            if not self._state.linked or at > until + LATE:  # nobody could lift the pause in time: not his doing
                self._book_wrap_up(session, until)
            self.end_wrap_up(session, until)

    def _free(self, session: AgentSession, visit: Visit, at: float) -> None:
        visit.wrap_up, session.visit = 0.0, None
        self._emit(VisitMoved(at, visit))
        self.reconsider(session.agent, at)

    def _book_wrap_up(self, session: AgentSession, at: float) -> None:
        """Books the after-call work once, when it ended (semantics A13)."""
        if session.wrap_up_from is None:
            return
        seconds = max(0.0, at - session.wrap_up_from)
        session.wrap_up_from = session.wrap_up_until = None
        for tally in self._tallies(session, at):
            tally.wrap_up += seconds
        visit = self._state.visits.get(session.wrap_up_visit)
        if visit is not None:
            visit.wrap_up = seconds
            self._emit(VisitMoved(at, visit))

    def _tallies(self, session: AgentSession, at: float) -> list[Tally]:
        return [session.tally, self._state.agents[session.agent].measured.book(at)]
