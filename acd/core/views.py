"""What TAPI's properties say at one moment: the 17 members of ITAgent, of ITAgentSession, those of ITQueue.

Seconds are whole as TAPI publishes them; the `_exact` twin of each is the figure before rounding.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NewType

from acd.core.center import Center
from acd.core.figures import Tally, per_hour
from acd.core.records import Agent, AgentSession, State, Visit
from acd.core.states import AgentState, CallStage, SessionState

Moment = NewType("Moment", float)  # seconds since 1970 on Asterisk's clock
_ON_A_CALL = frozenset({AgentState.BUSY_ACD, AgentState.BUSY_INCOMING, AgentState.BUSY_OUTGOING})


@dataclass(slots=True)
class AgentView:
    """ITAgent. Counters cover the measurement period. `agent`: its name in addresses, the id or else the account's.

    `next_state`, `next_reason`: what follows his present call and its wrap-up; None while he has no call.
    """

    agent: str
    id: str | None
    user: str
    state: AgentState
    state_since: Moment
    reason: str
    next_state: AgentState | None
    next_reason: str
    measurement_period: int
    number_of_acd_calls: int
    number_of_incoming_calls: int
    number_of_outgoing_calls: int
    overall_call_rate: Decimal
    total_acd_call_time: int
    total_acd_call_time_exact: float
    total_acd_talk_time: int
    total_acd_talk_time_exact: float
    total_wrap_up_time: int
    total_wrap_up_time_exact: float
    wrap_up: float | None
    sessions: list[str]


@dataclass(slots=True)
class SessionCall:
    """The ACD call that a session has at this moment, from the first ring to the end of its wrap-up.

    `since`: when the stage began; `entered`: when the caller came into the queue; `disposition`: the after-call code.
    """

    call: str
    queue: str
    caller: str
    stage: CallStage
    since: Moment
    entered: Moment
    disposition: str | None


@dataclass(slots=True)
class SessionView:
    """ITAgentSession. Counters cover the life of the session."""

    id: str
    agent: str
    acd_group: str
    address: str
    state: SessionState
    state_since: Moment
    reason: str
    next_state: SessionState | None
    wrap_up_until: Moment | None
    acd_call: SessionCall | None
    session_start_time: Moment
    session_duration: int
    session_duration_exact: float
    number_of_calls: int
    total_talk_time: int
    total_talk_time_exact: float
    average_talk_time: int
    total_call_time: int
    total_call_time_exact: float
    average_call_time: int
    total_wrap_up_time: int
    total_wrap_up_time_exact: float
    average_wrap_up_time: int
    acd_call_rate: Decimal
    longest_time_to_answer: int
    longest_time_to_answer_exact: float
    average_time_to_answer: int


@dataclass(slots=True)
class QueueView:
    """ITQueue. Counters cover the measurement period; the two `current_` ones are of this moment."""

    name: str
    in_service: bool
    wrap_up: float
    measurement_period: int
    total_calls_queued: int
    current_calls_queued: int
    total_calls_answered: int
    total_calls_abandoned: int
    total_calls_flowed_in: int
    total_calls_flowed_out: int
    total_calls_refused: int
    longest_ever_wait_time: int
    longest_ever_wait_time_exact: float
    current_longest_wait_time: int
    current_longest_wait_time_exact: float
    average_wait_time: int
    average_wait_time_exact: float
    final_disposition: int


def agent_view(center: Center, agent: Agent, now: float) -> AgentView:
    """The agent as it stands at `now`."""
    tally = agent.measured.at(now)
    return AgentView(
        agent=agent.key,
        id=agent.id,
        user=agent.user,
        state=agent.state,
        state_since=Moment(agent.since),
        reason=_reason(center, agent),
        next_state=agent.asked if agent.state in _ON_A_CALL else None,
        next_reason=agent.asked_reason if agent.state in _ON_A_CALL else "",
        measurement_period=agent.measured.seconds,
        number_of_acd_calls=tally.calls,
        number_of_incoming_calls=tally.incoming,
        number_of_outgoing_calls=tally.outgoing,
        overall_call_rate=per_hour(tally.calls, _active(agent, tally, now)) * center.state.call_rate_scale,
        total_acd_call_time=tally.whole_call_time,
        total_acd_call_time_exact=tally.call_time,
        total_acd_talk_time=int(tally.talk),
        total_acd_talk_time_exact=tally.talk,
        total_wrap_up_time=int(tally.wrap_up),
        total_wrap_up_time_exact=tally.wrap_up,
        wrap_up=agent.wrap_up,
        sessions=list(agent.sessions),
    )


def _reason(center: Center, agent: Agent) -> str:
    if agent.state is AgentState.UNKNOWN:
        return "the phone cannot be reached" if center.state.linked else "Asterisk is not connected"
    return agent.settled_reason if agent.state is AgentState.NOT_READY else ""


def _active(agent: Agent, tally: Tally, now: float) -> float:
    """Agent-seconds: time with at least one session, cut to the period (semantics A16)."""
    if agent.active_since is None:
        return tally.active
    return tally.active + now - max(agent.active_since, agent.measured.start_at(now))


def session_view(center: Center, session: AgentSession, now: float) -> SessionView:
    """The session as it stands at `now`; frozen once it ended."""
    tally = session.tally
    duration = max(0.0, (now if session.ended is None else session.ended) - session.started)
    return SessionView(
        id=session.id,
        agent=session.agent,
        acd_group=session.group,
        address=session.address,
        state=session.state,
        state_since=Moment(session.since),
        reason=session.reason,
        next_state=session.next_state,
        wrap_up_until=None if session.wrap_up_until is None else Moment(session.wrap_up_until),
        acd_call=_acd_call(center.state, session),
        session_start_time=Moment(session.started),
        session_duration=int(duration),
        session_duration_exact=duration,
        number_of_calls=tally.calls,
        total_talk_time=int(tally.talk),
        total_talk_time_exact=tally.talk,
        average_talk_time=tally.average(tally.talk),
        total_call_time=tally.whole_call_time,
        total_call_time_exact=tally.call_time,
        average_call_time=tally.average(tally.call_time),
        total_wrap_up_time=int(tally.wrap_up),
        total_wrap_up_time_exact=tally.wrap_up,
        average_wrap_up_time=tally.average(tally.wrap_up),
        acd_call_rate=per_hour(tally.calls, duration),
        longest_time_to_answer=int(tally.longest_to_answer),
        longest_time_to_answer_exact=tally.longest_to_answer,
        average_time_to_answer=tally.average(tally.to_answer),
    )


def _acd_call(state: State, session: AgentSession) -> SessionCall | None:
    if session.wrap_up_from is not None:
        return _at_stage(state.visits[session.wrap_up_visit], CallStage.WRAP_UP, session.wrap_up_from)
    if session.visit is None:
        return _ringing(state, session)
    visit = state.visits[session.visit]
    if visit.held_since is not None:
        return _at_stage(visit, CallStage.ON_HOLD, visit.held_since)
    return _at_stage(visit, CallStage.TALKING, session.since if visit.answered is None else visit.answered)


def _ringing(state: State, session: AgentSession) -> SessionCall | None:
    """For a queue of its own group: who calls for another one is not for everybody who sees this session."""
    if session.ended is not None:
        return None
    queues = state.groups[session.group].queues
    for ring in state.rings_at(session.address):
        visit = state.visits.get(ring.visit)
        if visit is not None and visit.queue in queues:
            return _at_stage(visit, CallStage.RINGING, ring.since)
    return None


def _at_stage(visit: Visit, stage: CallStage, since: float) -> SessionCall:
    return SessionCall(
        visit.call, visit.queue, visit.caller, stage, Moment(since), Moment(visit.entered), visit.disposition
    )


def queue_view(center: Center, name: str, now: float) -> QueueView:
    """The queue as it stands at `now`. Raises UnknownQueue."""
    queue = center.queue(name)
    tally = queue.measured.at(now)
    oldest = min((center.state.visits[key].entered for key in queue.waiting), default=now)
    average = tally.waited / tally.left if tally.left else 0.0
    return QueueView(
        name=queue.name,
        in_service=queue.in_asterisk and center.state.linked,
        wrap_up=center.state.default_wrap_up if queue.wrap_up is None else queue.wrap_up,
        measurement_period=queue.measured.seconds,
        total_calls_queued=tally.queued,
        current_calls_queued=len(queue.waiting),
        total_calls_answered=tally.answered,
        total_calls_abandoned=tally.abandoned,
        total_calls_flowed_in=tally.flowed_in,
        total_calls_flowed_out=tally.flowed_out,
        total_calls_refused=tally.refused,
        longest_ever_wait_time=int(tally.longest_wait),
        longest_ever_wait_time_exact=tally.longest_wait,
        current_longest_wait_time=int(max(0.0, now - oldest)),
        current_longest_wait_time_exact=max(0.0, now - oldest),
        average_wait_time=int(average),
        average_wait_time_exact=average,
        final_disposition=tally.final_disposition,
    )
