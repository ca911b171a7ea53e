"""After a log-in: what the calls became while nobody watched, as far as Asterisk's picture shows it."""

from collections.abc import Iterator

from acd.core import events as ev
from acd.core.calls import Calls
from acd.core.devices import device_of_address, device_of_channel
from acd.core.floor import Floor
from acd.core.records import State, Visit
from acd.core.states import Outcome


class Comparison:
    """Makes the calls agree with one picture. What follows from no sight but from conclusion is marked estimated."""

    def __init__(self, state: State, floor: Floor, calls: Calls, picture: ev.PictureTaken, restarted: bool) -> None:
        """`restarted`: this Asterisk is not the one we knew, so every call of that one is over."""
        self._state = state
        self._floor = floor
        self._calls = calls
        self._picture = picture
        self._restarted = restarted
        self._channels = {channel.leg: channel for channel in picture.channels}
        self._by_member: dict[tuple[str, str], float] | None = None
        self._in_bridge: dict[str, list[ev.SeenChannel]] = {}
        for channel in picture.channels:
            self._in_bridge.setdefault(channel.bridge, []).append(channel)
        self._waiting: dict[str, set[str]] = {}  # call -> the queues it waits in
        for caller in picture.callers:
            self._waiting.setdefault(caller.call, set()).add(caller.queue)

    def run(self) -> Iterator[None]:
        for leg in [leg for leg in self._state.legs if leg not in self._channels]:
            self._calls.end_leg(ev.ChannelEnded(self._gone_at, leg, self._state.legs[leg].up))
            yield
        for channel in self._picture.channels:
            self._adopt_leg(channel)
            yield
        for visit in list(self._state.visits.values()):
            self._compare_visit(visit)
            yield
        self._compare_lines()
        for channel in self._picture.channels:
            self._adopt_call(channel)
            yield
        yield from self._forget()

    @property
    def _gone_at(self) -> float:
        """A call that Asterisk no longer has ended at the loss of the link, and at the latest when it started anew."""
        if not self._restarted:
            return self._picture.at
        return min(self._state.lost_at or self._picture.at, self._picture.booted)

    # Agents' channels -------------------------------------------------------------------------------------

    def _adopt_leg(self, channel: ev.SeenChannel) -> None:
        at = self._picture.at
        known = channel.leg in self._state.legs or self._behind_a_caller(channel)
        if not known and not channel.acd:
            self._calls.channel_made(ev.ChannelMade(at, channel.leg, channel.channel, channel.linked, channel.dialling))
        leg = self._state.legs.get(channel.leg)
        if leg is not None and channel.up and leg.visit is None:
            leg.bridged = leg.bridged or bool(channel.bridge)
            self._calls.leg_up(leg, at)

    def _behind_a_caller(self, channel: ev.SeenChannel) -> bool:
        """The phone behind a Local channel that a queue rang for this caller while nobody watched."""
        behind = (s for s in self._calls.sessions_at(device_of_channel(channel.channel)) if s.behind)
        caller = self._channels.get(channel.linked)
        of_a_queue = channel.linked in self._state.calls or (caller is not None and bool(caller.queue))
        return any(behind) and of_a_queue and channel.linked != channel.leg

    # Visits that were known -------------------------------------------------------------------------------

    def _compare_visit(self, visit: Visit) -> None:
        if visit.outcome is None and visit.queue not in self._waiting.get(visit.call, ()):
            self._missed_exit(visit)
        if visit.answered is not None and visit.released is None and visit.leg not in self._channels:
            visit.estimated = True
            self._calls.release(visit, self._missed_release(visit))
        if visit.call not in self._channels and visit.call not in self._waiting:  # else he left between the two lists
            visit.caller_gone = True
            if all(each.outcome is not None for each in self._calls.visits_of(visit.call)):
                self._state.calls.pop(visit.call, None)  # else what tells how he left may still come
        self._calls.forget_if_final(visit)

    def _missed_exit(self, visit: Visit) -> None:
        """He left while nobody watched: to an agent he still talks to, or nobody knows how."""
        visit.estimated = True
        caller = self._channels.get(visit.call)
        bridge = caller.bridge if caller is not None else ""
        for other in self._in_bridge[bridge] if bridge else ():
            address = self._address_of(other.channel) if other.acd else None
            if address is not None:
                self._calls.answer(visit, self._picture.at, address, other.leg, None)
                return
        if self._restarted:
            self._calls.resolve(visit, self._gone_at if caller is None else self._picture.at, Outcome.LOST)
        elif visit.unresolved_until is None:  # the picture may be ahead of the events by a moment
            self._calls.await_explanation(visit, self._picture.at)

    def _missed_release(self, visit: Visit) -> float:
        """The member's LastCall tells the end of a call nobody saw end; else the loss of the link or now."""
        assert visit.answered is not None
        last_call = self._last_calls().get((visit.queue, visit.interface or ""), 0.0)
        if last_call + 1 > visit.answered:  # whole seconds, cut off
            return min(max(last_call, visit.answered), self._picture.at)
        return self._gone_at

    def _last_calls(self) -> dict[tuple[str, str], float]:
        """When their last calls ended, of those members who had one; looked for only when it is needed."""
        if self._by_member is None:
            talked = {visit.interface for visit in self._state.visits.values()}  # few of all members
            there = (each for each in self._picture.members if each.interface in talked)
            self._by_member = {(each.queue, each.interface): each.last_call for each in there}
        return self._by_member

    def _address_of(self, channel: str) -> str | None:
        """Where the agent is whom a queue reaches by this channel: his phone, or the address it stands behind."""
        device = device_of_channel(channel)
        for key in self._state.phones.get(device, ()):
            return self._state.sessions[key].address
        return next((each for each in self._state.addresses if device_of_address(each) == device), None)

    # Callers who came meanwhile ---------------------------------------------------------------------------

    def _compare_lines(self) -> None:
        """Who waits, and where in the line: no event tells of a changed priority."""
        for caller in self._picture.callers:
            visit = self._calls.waiting(caller.call, caller.queue)
            if visit is None:
                came = self._picture.at - caller.wait
                visit = self._calls.enter(
                    came, caller.call, caller.queue, caller.caller, caller.channel, position=caller.position
                )
            visit.priority = caller.priority
        places = {(caller.call, caller.queue): caller.position for caller in self._picture.callers}
        for queue in self._state.queues.values():
            queue.waiting.sort(key=lambda key: places.get((self._state.visits[key].call, queue.name), 0))

    def _adopt_call(self, leg: ev.SeenChannel) -> None:
        """A call that came and was answered while nobody watched, and is still talked in."""
        if not leg.acd or not leg.bridge or self._state.calls.get(leg.leg):
            return
        address = self._address_of(leg.channel)
        callers = [channel for channel in self._in_bridge[leg.bridge] if channel.queue]
        if address is None or not callers:
            return
        first, at = callers[0], self._picture.at
        if self._calls.waiting(first.leg, first.queue) is not None:
            return  # answered while the picture was taken: the AgentConnect is still to come
        visit = self._calls.enter(at, first.leg, first.queue, first.caller, first.channel, position=1)
        visit.estimated = True
        self._calls.answer(visit, at, address, leg.leg, None)

    # What nothing will end any more -----------------------------------------------------------------------

    def _forget(self) -> Iterator[None]:
        known = self._state.visits
        for call, keys in list(self._state.calls.items()):
            if call not in self._channels and not any(key in known for key in keys):
                del self._state.calls[call]
        for leg, ring in list(self._state.ringing.items()):
            if leg not in self._channels or ring.visit not in known:
                self._state.end_ring(leg)
                self._floor.ring_over(ring.interface, self._picture.at)
                yield
