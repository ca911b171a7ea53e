"""What happened in the queues while nobody listened: queue_log's lines as the events that AMI would have sent."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from acd.asterisk.queue_log import Line, caller_of
from acd.core import events as ev
from acd.core.records import Visit
from acd.core.states import Outcome

EXITS = {
    "ABANDON": Outcome.ABANDONED,
    "EXITWITHTIMEOUT": Outcome.TIMED_OUT,
    "EXITEMPTY": Outcome.LEFT_EMPTY,
    "EXITWITHKEY": Outcome.LEFT_BY_KEY,
    "WITHDRAW": Outcome.WITHDRAWN,
}
RELEASES = frozenset({"COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER", "ATTENDEDTRANSFER"})
SAME = 2.0  # seconds by which the log's entry and the one we know of may differ and still be the same
DYING = 3.0  # seconds before its start in which a stopping Asterisk throws its callers out as if they had hung up
MIDDLE = 0.5  # the log cuts seconds off: the middle of the second is never wrong by more than half of one


@dataclass(slots=True)
class Stay:
    """One stay of a caller in a queue, as far as it is known already."""

    key: str
    call: str
    queue: str
    entered: float
    left: bool = False
    leg: str | None = None
    answered: float | None = None
    released: bool = False


def stay_of(visit: Visit) -> Stay:
    """What the call center knows of a visit."""
    return Stay(
        visit.key,
        visit.call,
        visit.queue,
        visit.entered,
        visit.outcome is not None,
        visit.leg,
        visit.answered,
        visit.released is not None,
    )


class Gap:
    """Turns the lines of a gap into events, leaving out what is known."""

    def __init__(
        self,
        known: Iterable[Stay],
        *,
        interface_of: Callable[[str, str], str],
        alive: Callable[[str], bool],
        begin: float,
        end: float,
        restarts: Sequence[int],
        entries: Mapping[str, int],
    ) -> None:
        """`known`: stays that were heard of, in order. `interface_of`: queue and member's name -> interface.

        `alive`: is there still a channel of this id? `begin`, `end`: seconds since 1970 of the gap.
        `restarts`: when Asterisk started, in the gap. `entries`: call -> how many ENTERQUEUE are to come.
        """
        self._known: dict[tuple[str, str], list[Stay]] = {}
        self._present: dict[tuple[str, str], Stay] = {}
        for stay in known:
            self._known.setdefault((stay.call, stay.queue), []).append(stay)
            self._present[stay.call, stay.queue] = stay
        self._read: dict[tuple[str, str], list[float]] = {}  # entries that only the log told
        self._answers: set[str] = set()  # agents' channels that only the log told
        self._interface_of = interface_of
        self._alive = alive
        self._begin, self._end = begin, end
        self._restarts = restarts
        self._entries = Counter(entries)
        self._alive_at = begin  # the last sign of life of this Asterisk

    def events(self, line: Line) -> Iterator[ev.Event]:
        """What a line adds to what is known."""
        at = min(max(line.at + MIDDLE, self._begin), self._end)
        match line.event:
            case "QUEUESTART":
                yield from self._all_lost()
            case "ENTERQUEUE":
                self._entries[line.call] -= 1
                yield from self._entered(line, at)
            case "CONNECT":
                yield from self._connected(line, at)
            case event if event in EXITS:
                yield from self._left(line, at)
            case event if event in RELEASES:
                yield from self._released(line, at)
        self._alive_at = max(self._alive_at, at)

    def has_told(self, event: ev.Event) -> bool:
        """AMI, too, tells of this: it happened between the log-in and the reading of the log."""
        match event:
            case ev.CallerJoined(at, call, queue):
                return any(abs(at - read) <= SAME for read in self._read.get((call, queue), ()))
            case ev.AgentConnected(leg=leg):
                return leg in self._answers
        return False

    def _entered(self, line: Line, at: float) -> Iterator[ev.Event]:
        key = (line.call, line.queue)
        for stay in self._known.get(key, ()):
            if abs(stay.entered - line.at - MIDDLE) <= SAME:
                self._known[key].remove(stay)
                self._present[key] = stay
                return
        if line.at + SAME < self._begin:  # older than what we are here for
            return
        self._present[key] = Stay("", line.call, line.queue, at)
        self._read.setdefault(key, []).append(at)
        number, position = caller_of(line)
        yield ev.CallerJoined(at, line.call, line.queue, position, number, "")

    def _connected(self, line: Line, at: float) -> Iterator[ev.Event]:
        stay = self._present.get((line.call, line.queue))
        if stay is None or stay.left:
            return
        hold, leg, rang = line.data[:3]
        at = max(at, stay.entered)
        stay.left, stay.leg, stay.answered = True, leg, at
        self._answers.add(leg)
        interface = self._interface_of(line.queue, line.member)
        yield ev.CallerLeft(at, line.call, line.queue)
        yield ev.AgentConnected(
            at, line.call, line.queue, interface, line.member, leg, _seconds(rang), _seconds(hold), interface
        )

    def _left(self, line: Line, at: float) -> Iterator[ev.Event]:
        stay = self._present.get((line.call, line.queue))
        if stay is None or stay.left:
            return
        stay.left = True
        outcome = EXITS[line.event]
        if outcome is Outcome.ABANDONED and any(0 <= start - line.at <= DYING for start in self._restarts):
            outcome = Outcome.LOST
        elif outcome is Outcome.ABANDONED and (self._alive(line.call) or self._entries[line.call] > 0):
            outcome = Outcome.REDIRECTED  # who hung up has no channel any more, and enters no queue
        yield ev.ExitRead(max(at, stay.entered), line.call, line.queue, outcome)

    def _released(self, line: Line, at: float) -> Iterator[ev.Event]:
        stay = self._present.get((line.call, line.queue))
        if stay is None or stay.answered is None or stay.released or stay.leg is None:
            return
        stay.released = True
        yield ev.ChannelEnded(max(at, stay.answered), stay.leg, True)

    def _all_lost(self) -> Iterator[ev.Event]:
        """Asterisk started: whoever was in it before is gone, at the latest at its last sign of life."""
        for stay in self._present.values():
            if not stay.left:
                stay.left = True
                yield ev.ExitRead(max(self._alive_at, stay.entered), stay.call, stay.queue, Outcome.LOST)
            elif stay.answered is not None and not stay.released and stay.leg is not None:
                stay.released = True
                yield ev.ChannelEnded(max(self._alive_at, stay.answered), stay.leg, True)


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
