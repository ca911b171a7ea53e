"""The ledger of queue visits, and the calls of agents outside the ACD.

Every visit ends in exactly one outcome. What an agent did follows from the end of his own leg, never from
AgentComplete, which is late, wrong or missing at times; what a caller did follows from several hints, because
QueueCallerAbandon alone proves nothing.
"""

from collections.abc import Callable

from acd.core import events as ev
from acd.core.devices import device_of_address, device_of_channel
from acd.core.effects import Effect, Touched, VisitMoved
from acd.core.figures import Measured, QueueTally
from acd.core.floor import Floor
from acd.core.records import AgentSession, Leg, Queue, Ring, State, Visit
from acd.core.states import Outcome, SessionState

TOLD = {  # QUEUESTATUS -> outcome
    "TIMEOUT": Outcome.TIMED_OUT,
    "LEAVEEMPTY": Outcome.LEFT_EMPTY,
    "LEAVEUNAVAIL": Outcome.LEFT_EMPTY,
    "WITHDRAW": Outcome.WITHDRAWN,
    "KEY": Outcome.LEFT_BY_KEY,
}
REFUSED = frozenset({"FULL", "JOINEMPTY", "JOINUNAVAIL"})
GAVE_UP_ELSEWHERE = frozenset(  # exits without an answer that another queue may follow
    {
        Outcome.TIMED_OUT,
        Outcome.LEFT_EMPTY,
        Outcome.LEFT_BY_KEY,
        Outcome.WITHDRAWN,
        Outcome.REDIRECTED,
        Outcome.UNKNOWN,
    }
)
GUESSED = frozenset({Outcome.LEFT_BY_KEY, Outcome.UNKNOWN})  # what nothing told
RESOLVE_WITHIN = 2.0  # seconds after which an exit nobody explained is booked as what it looks like


class Calls:
    """Visits of callers to queues, and legs of agents' phones."""

    def __init__(self, state: State, floor: Floor, emit: Callable[[Effect], None]) -> None:
        self._state = state
        self._floor = floor
        self._emit = emit
        self.note_deadlines()

    def note_deadlines(self) -> None:
        """Until when exits wait for their explanation, as the state has it."""
        self.unresolved: dict[str, float] = {
            visit.key: visit.unresolved_until
            for visit in self._state.visits.values()
            if visit.unresolved_until is not None
        }

    # Entering and leaving a queue -------------------------------------------------------------------------

    def joined(self, event: ev.CallerJoined) -> None:
        present = self.waiting(event.call, event.queue)
        if present is None or present.left is not None:  # he may leave a queue and come back at once
            self.enter(event.at, event.call, event.queue, event.caller, event.channel, position=event.position)

    def enter(self, at: float, call: str, queue_name: str, caller: str, channel: str, *, position: int) -> Visit:
        """A new visit begins; the caller's last one may turn out to have flowed out into it.

        `position`: his place among those who wait, from 1; 0 where nobody knows.
        """
        earlier = self.visits_of(call)
        nth = 1 + sum(visit.queue == queue_name for visit in earlier)
        while f"{call}/{queue_name}/{nth}" in self._state.visits:  # one that was handed on keeps its key
            nth += 1
        visit = Visit(f"{call}/{queue_name}/{nth}", call, queue_name, nth, caller, channel, at)
        self._watched(visit)
        self._state.visits[visit.key] = visit
        self._state.calls.setdefault(call, []).append(visit.key)
        queue = self.queue(queue_name, at)
        queue.waiting.insert(position - 1 if position > 0 else len(queue.waiting), visit.key)
        tally = queue.measured.book(at)
        tally.queued += 1
        if earlier and (earlier[-1].answered is not None or self._flowed_out(earlier[-1], at)):
            self._flowed_in(visit, at)
        self._emit(VisitMoved(at, visit))
        return visit

    def _watched(self, visit: Visit) -> None:
        """What was read afterwards, where nobody listened, is known to the second only."""
        visit.estimated = visit.estimated or not self._state.listening

    def _flowed_in(self, visit: Visit, at: float) -> None:
        """By overflow from another queue, or transferred by an agent."""
        visit.flowed_in = True
        self.queue(visit.queue, at).measured.book(at).flowed_in += 1

    def _flowed_out(self, visit: Visit, at: float) -> bool:
        """The queue the caller came from handed him on: neither a final disposition nor an unknown exit."""
        if visit.answered is not None:
            return False
        if visit.outcome is None:
            self.resolve(visit, at, Outcome.FLOWED_OUT)
        elif visit.outcome in GAVE_UP_ELSEWHERE:
            self._count(visit, -1)
            visit.outcome = Outcome.FLOWED_OUT
            self._count(visit, 1)
            self._emit(VisitMoved(at, visit))
        return visit.outcome is Outcome.FLOWED_OUT

    def abandoned(self, event: ev.CallerAbandoned) -> None:
        visit = self.waiting(event.call, event.queue)
        if visit is not None:
            visit.abandon_told = True

    def left(self, event: ev.CallerLeft) -> None:
        """No longer waiting. Who hung up has abandoned; for the others something else must tell."""
        visit = self.waiting(event.call, event.queue)
        if visit is None or visit.left is not None:
            return
        visit.left = event.at
        if visit.abandon_told and visit.hangup_told:
            self.resolve(visit, event.at, Outcome.ABANDONED)
            return
        self.await_explanation(visit, event.at)

    def await_explanation(self, visit: Visit, at: float) -> None:
        """He waits no longer; what tells why may still be on its way."""
        visit.unresolved_until = at + RESOLVE_WITHIN
        self.unresolved[visit.key] = visit.unresolved_until

    def status_told(self, event: ev.QueueStatusTold) -> None:
        self._state.tells_status = True
        outcome = TOLD.get(event.status)
        if event.status in REFUSED and event.queue in self._state.queues:
            self._state.queues[event.queue].measured.book(event.at).refused += 1
        visits = self.visits_of(event.call)
        if outcome is None or not visits:
            return
        visit = visits[-1]
        if visit.answered is None and visit.outcome is None and event.queue in (None, visit.queue):
            visit.left = event.at if visit.left is None else visit.left
            self.resolve(visit, event.at, outcome)

    def exit_read(self, event: ev.ExitRead) -> None:
        visit = self.waiting(event.call, event.queue)
        if visit is not None:
            self.resolve(visit, event.at, Outcome(event.outcome))

    def hangup_requested(self, event: ev.HangupRequested) -> None:
        """An agent's part is over when his phone hangs up, though Asterisk may keep the channel for a transfer."""
        for visit in self.visits_of(event.leg):
            visit.hangup_told = True
        for visit in self._visits_led_by(event.leg):
            self.release(visit, event.at)

    def channel_cut(self, event: ev.ChannelCut) -> None:
        for visit in self.visits_of(event.leg):
            visit.cut = True

    def tick(self, at: float) -> None:
        """Books the exits that nobody explained in time, unless the explanation could not be heard."""
        if not self._state.listening:
            return
        for key, until in [(key, until) for key, until in self.unresolved.items() if until <= at]:
            visit = self._state.visits[key]
            self.resolve(visit, until - RESOLVE_WITHIN, self._unexplained(visit))

    def _unexplained(self, visit: Visit) -> Outcome:
        if visit.cut:
            return Outcome.LOST
        if visit.exit_asked is not None and not visit.hangup_told:
            return visit.exit_asked
        if not visit.abandon_told:  # nor told to have left: only a picture showed that he waits no longer
            return Outcome.UNKNOWN if visit.left is None else Outcome.LEFT_BY_KEY  # the exit without QueueCallerAbandon
        if visit.hangup_told:
            return Outcome.ABANDONED
        if not self._state.tells_status:
            return Outcome.UNKNOWN
        # any decision of the queue would have told its QUEUESTATUS
        return Outcome.ABANDONED if visit.caller_gone else Outcome.REDIRECTED

    def resolve(self, visit: Visit, at: float, outcome: Outcome) -> None:
        """The one place where a visit gets its outcome."""
        self._watched(visit)
        visit.outcome, visit.unresolved_until = outcome, None
        visit.left = at if visit.left is None else visit.left
        self.unresolved.pop(visit.key, None)
        queue = self.queue(visit.queue, at)
        if visit.key in queue.waiting:
            queue.waiting.remove(visit.key)
        if queue.measured.covers(visit.left):
            tally = queue.measured.book(visit.left)
            wait = visit.wait or 0.0
            tally.left += 1
            tally.waited += wait
            tally.longest_wait = max(tally.longest_wait, wait)
        self._count(visit, 1)
        self._emit(VisitMoved(at, visit))
        self.forget_if_final(visit)

    def _count(self, visit: Visit, by: int) -> None:
        assert visit.left is not None
        queue = self._state.queues[visit.queue]
        if not queue.measured.covers(visit.left):
            return  # booked in a period that is over
        tally = queue.measured.book(visit.left)
        match visit.outcome:
            case Outcome.ANSWERED:
                tally.answered += by
            case Outcome.ABANDONED:
                tally.abandoned += by
            case Outcome.FLOWED_OUT:
                tally.flowed_out += by
            case _:
                tally.final_disposition += by

    # Agents -----------------------------------------------------------------------------------------------

    def agent_called(self, event: ev.AgentCalled) -> None:
        visit = self.waiting(event.call, event.queue)
        key = visit.key if visit is not None else ""  # an ACD leg all the same
        self._state.begin_ring(event.leg, Ring(key, event.interface, event.at, event.linked))
        self._floor.ring_began(event.interface, event.at)
        if event.leg in self._state.legs:
            self._state.legs[event.leg].visit = key

    def not_answered(self, event: ev.AgentNotAnswered) -> None:
        if self._state.end_ring(event.leg) is not None:
            self._floor.missed(event.interface, event.at)
            self._floor.ring_over(event.interface, event.at)

    def picked_up(self, event: ev.CallPickedUp) -> None:
        """The queue's call rings at another phone from now on, and is about to be answered there."""
        ring = self._state.end_ring(event.instead_of)
        if ring is not None:
            if not self._visits_led_by(event.leg):  # else the answer was told first
                self._state.begin_ring(event.leg, ring._replace(interface=device_of_channel(event.channel)))
            self._floor.ring_over(ring.interface, event.at)

    def caller_replaced(self, event: ev.CallerReplaced) -> None:
        """The waiting caller has another channel from now on, and came from wherever he was before."""
        earlier = self.visits_of(event.new)
        for visit in self.visits_of(event.old):
            if visit.outcome is None:
                visit.call, visit.caller = event.new, event.caller or visit.caller
                self._state.calls[event.old].remove(visit.key)
                if not self._state.calls[event.old]:
                    del self._state.calls[event.old]
                self._state.calls.setdefault(event.new, []).append(visit.key)
                if earlier and earlier[-1].answered is not None and not visit.flowed_in:
                    self._flowed_in(visit, event.at)
                self._emit(VisitMoved(event.at, visit))

    def connected(self, event: ev.AgentConnected) -> None:
        visit = self.waiting(event.call, event.queue) or self._guessed(event)
        if visit is None:
            if self._talking(event.call, event.queue, event.interface):
                return  # heard before
            joined = event.at - event.hold_time
            visit = self.enter(joined, event.call, event.queue, event.caller, "", position=1)
            visit.estimated = True
        visit.caller = event.caller or visit.caller  # another, where somebody gave him his place
        ring = self._state.end_ring(event.leg) or self._unheard_ring(event)
        visit.interface, visit.local = event.interface, event.channel.startswith("Local/")
        self.answer(visit, event.at, ring.interface, self._phones_leg(visit, ring.interface) or event.leg, ring.since)
        self._floor.ring_over(ring.interface, event.at)

    def _guessed(self, event: ev.AgentConnected) -> Visit | None:
        """The visit of this caller whose exit was booked as what it looked like, because the answer came too late."""
        for visit in reversed(self.visits_of(event.call)):
            if visit.queue == event.queue and visit.left is not None:
                if visit.outcome not in GUESSED or event.at - visit.left > RESOLVE_WITHIN:
                    return None
                measured = self.queue(visit.queue, visit.left).measured
                if measured.covers(visit.left):
                    measured.book(visit.left).left -= 1
                    measured.book(visit.left).waited -= visit.wait or 0.0
                self._count(visit, -1)
                visit.outcome = visit.left = None
                return visit
        return None

    def _phones_leg(self, visit: Visit, interface: str) -> str | None:
        """The leg of the agent's own phone, also behind a Local channel, which may end before it or after."""
        for session in self.sessions_at(interface):
            for key in self._state.agents[session.agent].legs:
                if self._state.legs[key].visit == visit.key and self._state.legs[key].up:
                    return key
        return None

    def sessions_at(self, place: str) -> list[AgentSession]:
        """The live sessions at an address, or at a phone."""
        at_phone = self._state.phones.get(place, ())
        return self._state.logged_on_at(place) or [self._state.sessions[key] for key in at_phone]

    def _unheard_ring(self, event: ev.AgentConnected) -> Ring:
        """Its AgentCalled came while the link was down, or another phone picked the call up and nothing said so yet."""
        phone = device_of_channel(event.channel)
        picked_up = phone and not phone.startswith("Local/") and phone != device_of_address(event.interface)
        return Ring("", phone if picked_up else event.interface, event.at - event.ring_time)

    def answer(self, visit: Visit, at: float, phone: str, leg: str, rung: float | None) -> None:
        """Somebody at this phone has the caller: the visit's wait is over and the talk begins."""
        visit.answered, visit.rung = at, rung
        visit.interface = visit.interface or phone
        visit.left = at if visit.left is None else visit.left
        self.resolve(visit, at, Outcome.ANSWERED)
        self._led_by(visit, leg)
        session = self._session_for(phone, visit.queue)
        if leg in self._state.legs:  # without a session it is a call outside the ACD to the agent
            self._state.legs[leg].visit = visit.key if session is not None else None
        if session is not None:
            visit.agent, visit.session = session.agent, session.id
            self._floor.take_call(session, visit)

    def _led_by(self, visit: Visit, leg: str) -> None:
        """The end of this channel is the end of the agent's part."""
        visit.leg = leg
        keys = self._state.calls.setdefault(leg, [])
        if visit.key not in keys:
            keys.append(visit.key)

    def _session_for(self, interface: str, queue: str) -> AgentSession | None:
        """The session this call belongs to; of several that share the queue a READY one."""
        live = self.sessions_at(interface)
        serving = [session for session in live if session.joined and queue in self._state.groups[session.group].queues]
        ready = [session for session in serving if session.state is SessionState.READY]
        return next(iter(ready or serving), None)

    def _talking(self, call: str, queue: str, interface: str) -> Visit | None:
        for visit in reversed(self.visits_of(call)):
            if (visit.queue, visit.interface) == (queue, interface) and visit.released is None:
                return visit
        return None

    def bridge_entered(self, event: ev.BridgeEntered) -> None:
        leg = self._state.legs.get(event.leg)
        if leg is not None and leg.visit is None:
            leg.bridged = True
            self.leg_up(leg, event.at)
        for visit in self._visits_led_by(event.instead_of):
            if visit.local:  # optimised away; for a phone's own channel it would be a transfer
                self._led_by(visit, event.leg)

    def hold_started(self, event: ev.HoldStarted) -> None:
        for visit in self._visits_led_by(event.leg):
            if visit.held_since is None:
                visit.held_since = event.at
                self._emit(Touched(event.at, session=visit.session or ""))

    def hold_ended(self, event: ev.HoldEnded) -> None:
        for visit in self._visits_led_by(event.leg):
            self._end_hold(visit, event.at)
            self._emit(Touched(event.at, session=visit.session or ""))

    @staticmethod
    def _end_hold(visit: Visit, at: float) -> None:
        if visit.held_since is not None:
            visit.hold += max(0.0, at - visit.held_since)
            visit.held_since = None

    def release(self, visit: Visit, at: float) -> None:
        """The agent's part in the call is over."""
        assert visit.answered is not None
        self._watched(visit)
        visit.released = max(at, visit.answered)
        self._end_hold(visit, visit.released)
        session = self._state.sessions.get(visit.session or "")
        if session is None:
            visit.wrap_up = 0.0
            self._emit(VisitMoved(at, visit))
            return
        self._floor.release(session, visit)

    # Channels ---------------------------------------------------------------------------------------------

    def channel_made(self, event: ev.ChannelMade) -> None:
        """Takes note of a channel of an agent's phone; all others are nobody's business."""
        sessions = self._state.phones.get(device_of_channel(event.channel))
        if sessions is None or event.leg in self._state.legs:
            return
        agent = self._state.agents[self._state.sessions[sessions[0]].agent]
        on_call = any(self._state.sessions[key].state is SessionState.BUSY_ON_CALL for key in agent.sessions)
        consultation = event.dialling and on_call
        leg = Leg(event.leg, agent.key, event.at, outgoing=event.dialling, consultation=consultation)
        self._state.legs[event.leg] = leg
        agent.legs.append(event.leg)
        ring = self._state.ringing.get(event.leg) or self._ring_behind(sessions, event.linked)
        led = self._visits_led_by(event.leg)  # where its making is read only after its answer
        if ring is not None or led:
            leg.visit = ring.visit if ring is not None else led[0].key
        elif event.dialling:
            self.leg_up(leg, event.at)

    def _ring_behind(self, sessions: list[str], linked: str) -> Ring | None:
        """The queue's ring at an address whose phone is now called by the dialplan behind it."""
        behind = [session.address for key in sessions if (session := self._state.sessions[key]).behind]
        rings = (ring for address in behind for ring in self._state.rings_at(address))
        return next((ring for ring in rings if ring.linked == linked), None)

    def dial_begun(self, event: ev.DialBegun) -> None:
        leg = self._state.legs.get(event.leg)
        if leg is not None and event.source is None:
            leg.outgoing = True  # the call was placed for the agent
        source = self._state.legs.get(event.source or "")
        if source is not None:
            source.dialled = True

    def dial_ended(self, event: ev.DialEnded) -> None:
        leg = self._state.legs.get(event.leg)
        if leg is not None and event.status == "ANSWER":
            self.leg_up(leg, event.at)

    def leg_up(self, leg: Leg, at: float) -> None:
        if not leg.up:
            leg.up = True
            self._floor.derive(self._state.agents[leg.agent], at)

    def channel_ended(self, event: ev.ChannelEnded) -> None:
        ring = self._state.end_ring(event.leg)
        if ring is not None:
            self._floor.ring_over(ring.interface, event.at)
        self.end_leg(event)
        for key in self._state.calls.pop(event.leg, ()):
            visit = self._state.visits.get(key)
            if visit is not None:
                self._channel_of_visit_ended(visit, event)

    def end_leg(self, event: ev.ChannelEnded) -> None:
        leg = self._state.legs.pop(event.leg, None)
        if leg is None:
            return
        agent = self._state.agents[leg.agent]
        agent.legs.remove(event.leg)
        if leg.visit is not None:
            return
        connected = leg.bridged or (event.up and not leg.dialled)
        if connected and not leg.consultation:
            tally = agent.measured.book(event.at)
            tally.outgoing += leg.outgoing
            tally.incoming += not leg.outgoing
        self._floor.derive(agent, event.at)

    def _channel_of_visit_ended(self, visit: Visit, event: ev.ChannelEnded) -> None:
        if visit.leg == event.leg and visit.released is None:
            self.release(visit, event.at)
        if visit.call == event.leg:
            visit.caller_gone = True
            if visit.outcome is None:
                self.resolve(visit, event.at, self._unexplained(visit))
        self.forget_if_final(visit)

    # Look-ups ---------------------------------------------------------------------------------------------

    def queue(self, name: str, at: float) -> Queue:
        """The queue, taken note of when it is met for the first time."""
        if name not in self._state.queues:
            self._state.queues[name] = new_queue(self._state, name, at)
        return self._state.queues[name]

    def waiting(self, call: str, queue: str) -> Visit | None:
        """The caller's visit to this queue that has no outcome yet."""
        for visit in reversed(self.visits_of(call)):
            if visit.queue == queue and visit.outcome is None:
                return visit
        return None

    def visits_of(self, call: str) -> list[Visit]:
        """The visits of this caller that are remembered, oldest first."""
        visits = [self._state.visits.get(key) for key in self._state.calls.get(call, ())]
        return [visit for visit in visits if visit is not None and visit.call == call]

    def _visits_led_by(self, leg: str) -> list[Visit]:
        visits = [self._state.visits.get(key) for key in self._state.calls.get(leg, ())]
        return [visit for visit in visits if visit is not None and visit.leg == leg and visit.released is None]

    def forget_if_final(self, visit: Visit) -> None:
        """Drops a visit whose row is complete and whose caller is gone; the store has it."""
        if not visit.final or self._state.visits.get(visit.key) is not visit:
            return
        del self._state.visits[visit.key]
        for channel in (visit.call, visit.leg or ""):
            keys = self._state.calls.get(channel)
            if keys and visit.key in keys:
                keys.remove(visit.key)
                if not keys:
                    del self._state.calls[channel]


def new_queue(state: State, name: str, at: float) -> Queue:
    """A queue with the default measurement period."""
    return Queue(name, Measured(at, state.measurement_period, QueueTally(), state.sliding))
