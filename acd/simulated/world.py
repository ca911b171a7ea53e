"""A simulated Asterisk: queues ring phones, callers wait, talk and leave, and every step is told as AMI tells it.

Pure: its clock is a number, nothing is awaited, and it does nothing by itself that is not on its agenda.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from acd.simulated import messages
from acd.simulated.agenda import Agenda
from acd.simulated.messages import RING, RINGING, UP, Event
from acd.simulated.records import INVALID, STATUS, Call, Channel, DeviceState, Member, Queue, Rules

NORMAL, BUSY, NO_CAUSE = 16, 17, 0  # causes of a hang-up
SOON = 0.05  # seconds until a phone rings for a caller who has just come


class Watcher(Protocol):
    """Who wants to know what the phones do, apart from AMI. He must not act at once, but put it on the agenda."""

    def rings(self, call: Call) -> None: ...
    def talks(self, call: Call) -> None: ...
    def queued(self, call: Call) -> None: ...
    def over(self, call: Call, leg: Channel | None) -> None:
        """The agent's leg of it, if there was one; the caller may wait on in another queue."""


class World:
    """All that is in Asterisk. `phones`: those that are registered."""

    def __init__(self, agenda: Agenda, rules: Iterable[Rules], phones: Iterable[str]) -> None:
        self.agenda = agenda
        self.booted = agenda.now
        self.queues = {each.name: Queue(each) for each in rules}
        self.devices = dict.fromkeys(phones, DeviceState.NOT_INUSE)
        self.calls: list[Call] = []
        self.channels: dict[str, Channel] = {}  # by Uniqueid
        self.book: Counter[tuple[str, str]] = Counter()  # (queue, how a stay in it ended) -> how often
        self.hear: list[Callable[[bytes], object]] = []  # each is given every event
        self.watchers: list[Watcher] = []
        self.leg_ended: list[Callable[[Channel], object]] = []
        self._numbers = itertools.count(1)
        self._turns = itertools.count(1)
        self._memberships: dict[str, list[Member]] = {}  # by interface
        self._looking: set[str] = set()  # queues that will look whom they can bring together
        self._lines: dict[str, list[Channel]] = {}  # by device

    @property
    def now(self) -> float:
        return self.agenda.now

    def tell(self, event: Event) -> None:
        data = messages.told(self.now, event)
        for listener in self.hear:
            listener(data)

    # Channels and phones ----------------------------------------------------------------------------------

    def new_channel(
        self,
        device: str,
        number: str,
        person: str,
        context: str,
        exten: str,
        *,
        state: int = 0,
        of: str = "",
        id: str = "",
    ) -> Channel:
        """`of`: the Linkedid of the call that it belongs to; `id`: its Uniqueid, where somebody chose one."""
        count = next(self._numbers)
        uniqueid = id or f"{int(self.now)}.{count}"
        channel = Channel(f"{device}-{count:08x}", number, person, context, exten, uniqueid, of or uniqueid, state)
        channel.since = self.now
        self.channels[uniqueid] = channel
        self._lines.setdefault(device, []).append(channel)
        self.tell(messages.event("Newchannel", "call", channel.text()))
        return channel

    def end_channel(self, channel: Channel, cause: int = NORMAL) -> None:
        """It is hung up, and its phone is free."""
        self.channels.pop(channel.uniqueid, None)
        self._lines[channel.device].remove(channel)
        self.tell(messages.hangup(channel, channel.other, channel.state, cause))
        for listener in self.leg_ended:
            listener(channel)
        self.look_at_phone(channel.device)

    def look_at_phone(self, device: str) -> None:
        """Tells when a phone's state is another than it was."""
        states = {channel.state for channel in self._lines.get(device, ())}
        present = DeviceState.NOT_INUSE
        if states:
            present = DeviceState.INUSE if states & {RING, UP} else DeviceState.RINGING
        before = self.devices.get(device)
        if before in (None, DeviceState.UNAVAILABLE, present):
            return
        self._set_device(device, present)

    def unplug(self, device: str) -> None:
        """A phone is gone from the network."""
        self._set_device(device, DeviceState.UNAVAILABLE)

    def plug_in(self, device: str) -> None:
        """It is there again."""
        self._set_device(device, DeviceState.NOT_INUSE)
        self.look_at_phone(device)

    def _set_device(self, device: str, state: DeviceState) -> None:
        self.devices[device] = state
        self.tell(messages.device(device, state))
        for member in self._memberships.get(device, ()):
            self.tell_of(member, "QueueMemberStatus")
            self.look_soon(member.queue)

    # Members ----------------------------------------------------------------------------------------------

    def status_of(self, interface: str) -> int:
        """Of a member's phone, as QueueMemberStatus says it."""
        state = self.devices.get(interface)
        return INVALID if state is None else STATUS[state]

    def members_at(self, interface: str) -> list[Member]:
        return self._memberships.get(interface, [])

    def add_member(self, member: Member) -> None:
        self.queues[member.queue].members[member.interface] = member
        self._memberships.setdefault(member.interface, []).append(member)
        self.tell_of(member, "QueueMemberAdded")
        self.look_soon(member.queue)

    def remove_member(self, member: Member) -> None:
        del self.queues[member.queue].members[member.interface]
        self._memberships[member.interface].remove(member)
        self.tell_of(member, "QueueMemberRemoved")

    def pause_member(self, member: Member, paused: bool, reason: str) -> None:
        if paused and not member.paused:
            member.last_pause = self.now
        member.paused, member.reason = paused, reason
        self.tell_of(member, "QueueMemberPause")
        self.look_soon(member.queue)

    def set_penalty(self, member: Member, penalty: int) -> None:
        member.penalty = penalty
        self.tell_of(member, "QueueMemberPenalty")
        self.look_soon(member.queue)

    def tell_of(self, member: Member, name: str) -> None:
        self.tell(
            messages.member(
                name,
                member.queue,
                member.interface,
                member.name,
                reason=member.reason if member.paused else None,
                status=self.status_of(member.interface),
                penalty=member.penalty,
                calls_taken=member.calls_taken,
                last_call=member.last_call,
                last_pause=member.last_pause,
                login_time=member.login_time,
            )
        )

    # Callers and phones that ring -------------------------------------------------------------------------

    def call_in(self, queue: str, number: str, person: str) -> Call:
        """Somebody calls, and waits in a queue."""
        caller = self.new_channel("PJSIP/trunk", number, person, "from-trunk", "600", state=RING)
        caller.state, caller.context = UP, "queue"
        call = Call(caller, queue, self.now)
        self.calls.append(call)
        self._enter(call, queue)
        return call

    def _enter(self, call: Call, name: str) -> None:
        queue = self.queues[name]
        call.queue, call.entered, call.answered, call.retry_at = name, self.now, None, 0.0
        call.leg = call.member = None
        call.on_hold = call.withdrawn = False
        call.caller.application, call.caller.data, call.caller.bridge = "Queue", f"{name},t,,,", ""
        ahead = [each for each in queue.waiting if each.priority >= call.priority]
        queue.waiting.insert(len(ahead), call)
        call.first_place = len(ahead) + 1
        text = (
            f"{call.caller.text()}{messages.headers(Queue=name, Position=call.first_place, Count=len(queue.waiting))}"
        )
        self.tell(messages.event("QueueCallerJoin", "agent", text))
        for watcher in self.watchers:
            watcher.queued(call)
        if queue.rules.longest_wait is not None:
            entered = call.entered
            self.agenda.after(queue.rules.longest_wait, lambda: self._waited_too_long(call, name, entered))
        self.look_soon(name)

    def look_soon(self, queue: str) -> None:
        """Free agents and waiting callers of a queue will be brought together.

        As in app_queue, where every caller looks once a second: so of two queues that an agent serves neither starves.
        """
        waiting = self.queues[queue].waiting
        if waiting and queue not in self._looking:
            waited = self.now - waiting[0].entered
            self._look_in(SOON if waited < SOON else 1 - waited % 1, queue)

    def _look_in(self, seconds: float, queue: str) -> None:
        self._looking.add(queue)
        self.agenda.after(seconds, lambda: self._bring_together(self.queues[queue]))

    def _bring_together(self, queue: Queue) -> None:
        self._looking.discard(queue.name)
        for call in list(queue.waiting):
            if call.leg is None and call.retry_at <= self.now:
                member = self._next_member(queue)
                if member is None:
                    return
                self._ring(call, member)

    def _next_member(self, queue: Queue) -> Member | None:
        """In turn (rrmemory), of those with the lowest penalty; one call at a time."""
        free = [each for each in queue.members.values() if not each.paused and self._is_free(each, queue)]
        return min(free, key=lambda each: (each.penalty, each.rung), default=None)

    def _is_free(self, member: Member, queue: Queue) -> bool:
        if self.devices.get(member.interface) is not DeviceState.NOT_INUSE:
            return False
        last = max(each.last_call for each in self._memberships[member.interface])  # shared_lastcall
        free_at = last + queue.rules.wrap_up if last else 0.0
        if free_at > self.now:
            self.agenda.at(free_at, lambda: self.look_soon(queue.name))
            return False
        return True

    def _ring(self, call: Call, member: Member) -> None:
        number = member.interface.partition("/")[2]
        caller = call.caller
        leg = self.new_channel(member.interface, number, member.name, "from-phone", "s", of=caller.linkedid)
        leg.application = "AppQueue"
        member.rung = next(self._turns)
        call.leg, call.member, call.rung_at = leg, member, self.now
        leg.other = caller.party
        both = caller.text() + leg.text("Dest")
        self.tell(messages.event("AgentCalled", "agent", both + self._served(call)))
        self.tell(messages.event("DialBegin", "call", f"{both}DialString: {member.interface}\r\n"))
        caller.other, leg.state = leg.party, RINGING
        self.look_at_phone(leg.device)
        self.agenda.after(self.queues[call.queue].rules.ring_for, lambda: self.not_answered(call, leg))
        for watcher in self.watchers:
            watcher.rings(call)

    def _served(self, call: Call) -> str:
        assert call.member is not None
        return messages.served(call.queue, call.member.interface, call.member.name)

    def not_answered(self, call: Call, leg: Channel, *, rejected: bool = False) -> None:
        """The phone has rung for too long, or its owner rejects the call; then the next one is tried."""
        if not call.rings or call.leg is not leg:
            return
        if rejected:
            self.tell(messages.event("HangupRequest", "call", f"{leg.text()}Cause: {BUSY}\r\n"))
        rung = f"RingTime: {int(max(1.0, self.now - call.rung_at)) * 1000}\r\n"
        both = call.caller.text() + leg.text("Dest")
        self.tell(messages.event("AgentRingNoAnswer", "agent", both + self._served(call) + rung))
        for status in ("NOANSWER",) if rejected else ("NOANSWER", "CANCEL"):
            self._dial_end(call.caller, leg, status)
        self._stop_ringing(call, BUSY if rejected else NO_CAUSE)
        if call.withdrawn:
            self._exit(call, "WITHDRAW")
        else:
            call.retry_at = self.now + self.queues[call.queue].rules.retry
            self._look_in(self.queues[call.queue].rules.retry, call.queue)

    def _dial_end(self, caller: Channel, leg: Channel, status: str) -> None:
        text = f"{caller.text()}{leg.text('Dest')}DialStatus: {status}\r\n"
        self.tell(messages.event("DialEnd", "call", text))

    def _stop_ringing(self, call: Call, cause: int = NO_CAUSE) -> None:
        leg, call.leg, call.member = call.leg, None, None
        if leg is not None:
            self.end_channel(leg, cause)
            for watcher in self.watchers:
                watcher.over(call, leg)

    def _cancel(self, call: Call) -> None:
        """The phone that rings for him is not to be answered any more; it stops a moment later."""
        if call.leg is not None:
            self._dial_end(call.caller, call.leg, "CANCEL")
            self._dial_end(call.caller, call.leg, "CANCEL")

    # Talking ----------------------------------------------------------------------------------------------

    def answer(self, call: Call, leg: Channel) -> None:
        """The agent answers, unless it is too late."""
        if not call.rings or call.leg is not leg:
            return
        caller, queue = call.caller, self.queues[call.queue]
        leg.state = UP
        self._dial_end(caller, leg, "ANSWER")
        self._leave(call)
        times = messages.headers(HoldTime=int(self.now - call.entered), RingTime=int(self.now - call.rung_at))
        text = caller.text() + leg.text("Dest") + self._served(call) + times
        self.tell(messages.event("AgentConnect", "agent", text))
        call.answered = self.now
        queue.completed += 1
        self.book[queue.name, "answered"] += 1
        self.look_at_phone(leg.device)
        caller.bridge = leg.bridge = messages.bridge_id(leg.name.rpartition("-")[2])
        for each in (leg, caller):
            self.tell(messages.event("BridgeEnter", "call", messages.bridge(each.bridge) + each.text()))
        for watcher in self.watchers:
            watcher.talks(call)

    def hold(self, call: Call) -> None:
        """The agent puts the caller on hold."""
        if call.talks and call.leg is not None and not call.on_hold:
            call.on_hold = True
            self.tell(messages.event("Hold", "call", f"{call.leg.text()}MusicClass: default\r\n"))

    def unhold(self, call: Call) -> None:
        if call.talks and call.leg is not None and call.on_hold:
            call.on_hold = False
            self.tell(messages.event("Unhold", "call", call.leg.text()))

    # How it ends ------------------------------------------------------------------------------------------

    def caller_hangs_up(self, call: Call) -> None:
        """He puts down the receiver, waiting or talking."""
        if not call.over:
            self.tell(messages.event("HangupRequest", "call", call.caller.text()))
            self.end_call(call)

    def agent_hangs_up(self, call: Call, leg: Channel) -> None:
        if call.talks and call.leg is leg:
            self.tell(messages.event("HangupRequest", "call", leg.text()))
            self.end_call(call)

    def end_call(self, call: Call) -> None:
        """Caller and agent are gone, whoever ended it."""
        if call.over:
            return
        if call.waits:
            self._cancel(call)
            self._abandon(call)
            self._leave(call)
            self.book[call.queue, "abandoned"] += 1
        self._hang_up_caller(call)

    def _hang_up_caller(self, call: Call) -> None:
        call.over = True
        self.calls.remove(call)
        self.tell(messages.event("SoftHangupRequest", "call", f"{call.caller.text()}Cause: {NORMAL}\r\n"))
        self._release(call)
        self.end_channel(call.caller)
        if call.answered is None:
            for watcher in self.watchers:
                watcher.over(call, None)

    def _release(self, call: Call) -> None:
        """The agent's leg ends, ringing or talking."""
        if call.answered is None:
            self._stop_ringing(call)
        elif call.leg is not None:
            leg, member = call.leg, call.member
            assert member is not None
            member.calls_taken += 1
            member.last_call = self.now
            self.end_channel(leg)
            call.leg = call.member = None
            for watcher in self.watchers:
                watcher.over(call, leg)

    def _abandon(self, call: Call) -> None:
        place = self.queues[call.queue].waiting.index(call) + 1
        waited = int(self.now - call.entered)
        text = messages.headers(Queue=call.queue, Position=place, OriginalPosition=call.first_place, HoldTime=waited)
        self.tell(messages.event("QueueCallerAbandon", "agent", call.caller.text() + text))
        self.queues[call.queue].abandoned += 1

    def _leave(self, call: Call) -> None:
        queue = self.queues[call.queue]
        place = queue.waiting.index(call) + 1
        queue.waiting.remove(call)
        text = messages.headers(Queue=call.queue, Position=place, Count=len(queue.waiting))
        self.tell(messages.event("QueueCallerLeave", "agent", call.caller.text() + text))

    def _waited_too_long(self, call: Call, queue: str, entered: float) -> None:
        if call.waits and (call.queue, call.entered) == (queue, entered):
            self._cancel(call)
            self._exit(call, "TIMEOUT")

    def withdraw(self, call: Call) -> None:
        """The dialplan goes on with a waiting caller; while a phone rings for him, after that."""
        if call.rings:
            call.withdrawn = True
        elif call.waits:
            self._exit(call, "WITHDRAW")

    def _exit(self, call: Call, status: str) -> None:
        """Out of the queue without an agent: the dialplan says why, and hangs up."""
        self._abandon(call)
        self._leave(call)
        self.book[call.queue, status.lower()] += 1
        own = messages.headers(UserEvent="AcdQueueLeft", Queue=call.queue, Status=status)
        self.tell(messages.event("UserEvent", "user", call.caller.text() + own))
        self._hang_up_caller(call)

    def redirect(self, call: Call, queue: str) -> None:
        """The caller goes to the end of another queue, waiting or talking."""
        call.caller.context, call.caller.exten = "acd-queue", queue
        leg, waited = call.leg, call.waits
        member, answered = call.member, call.answered
        if waited:
            self._cancel(call)
            self._abandon(call)
            self._leave(call)
            self.book[call.queue, "redirected"] += 1
        call.caller.context = "queue"
        self._enter(call, queue)
        call_before = Call(call.caller, "", 0.0, leg=leg, member=member, answered=answered)
        self._release(call_before)

    def prioritise(self, call: Call, priority: int) -> None:
        """A waiting caller is given another place at once. Nothing tells of it."""
        waiting = self.queues[call.queue].waiting
        call.priority = priority
        waiting.remove(call)
        waiting.insert(sum(each.priority >= priority for each in waiting), call)

    def call_with(self, channel: str) -> Call | None:
        """The call with this channel, by its name or Uniqueid, on either side."""
        for call in self.calls:
            sides = [call.caller] if call.leg is None else [call.caller, call.leg]
            if any(channel in (side.name, side.uniqueid) for side in sides):
                return call
        return None
