"""What happened since acd started, counted in plain numbers that only grow, apart from TAPI's measurement periods.

It is counted at every event, so nothing here is dearer than an addition; /metrics makes its figures when it is asked.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from acd.core.calls import GAVE_UP_ELSEWHERE
from acd.core.effects import Change, VisitMoved
from acd.core.records import State, Visit
from acd.core.states import Outcome

WAITS = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)  # seconds
SPANS = (5.0, 10.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
LAGS = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0)
FOLLOWED = 1000  # visits that may be followed before those that are over are looked for


class Histogram:
    """How many spans of time were at most this long, and how long they were together."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds`: in seconds, growing; what is longer than the last is counted as well."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Counts one; a negative one, by which two clocks may differ, as no time at all."""
        if seconds > 0.0:
            self.counts[bisect_left(self.bounds, seconds)] += 1
            self.total += seconds
        else:
            self.counts[0] += 1


@dataclass(slots=True)
class QueueCounts:
    """What became of the calls of one queue."""

    entered: int = 0
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    answer_wait: Histogram = field(default_factory=lambda: Histogram(WAITS))
    abandon_wait: Histogram = field(default_factory=lambda: Histogram(WAITS))
    talk: Histogram = field(default_factory=lambda: Histogram(SPANS))
    wrap_up: Histogram = field(default_factory=lambda: Histogram(SPANS))


@dataclass(slots=True)
class _Followed:
    """A visit, and what of it is counted already."""

    visit: Visit
    outcome: bool = False
    talk: bool = False
    wrap_up: bool = False


class VisitCounts:
    """Counts every queue visit once, with the outcome that it has in the end.

    A caller who leaves without an answer may yet turn out to have flowed out into the next queue, and a counter cannot
    take back what it said: such an outcome is counted when his next queue, or his hangup, has made it certain.
    """

    def __init__(self, state: State) -> None:
        """`state`: as it was restored. What it says was counted by the process before this one."""
        self._queues: dict[str, QueueCounts] = {}
        self._followed = {
            visit.key: _Followed(visit, _is_certain(visit), visit.released is not None, visit.wrap_up is not None)
            for visit in state.visits.values()
        }
        self._look_at = FOLLOWED

    def hear(self, change: Change) -> None:
        """Takes in what has changed, as a listener of a Service."""
        if type(change) is not VisitMoved:
            return
        visit = change.visit
        followed = self._followed.get(visit.key)
        if followed is None or followed.visit is not visit:
            followed = self._begin(visit)
        self._count(followed)

    def of(self, queue: str) -> QueueCounts:
        """All that is certain of the calls of a queue; nothing but zeros where there were none."""
        return self._queues.get(queue) or QueueCounts()

    def settle(self) -> None:
        """Counts what has become certain since nothing more was told, and forgets the visits that are over."""
        for key, followed in list(self._followed.items()):
            self._count(followed)
            if followed.visit.final:
                del self._followed[key]
        self._look_at = 2 * len(self._followed) + FOLLOWED

    def _begin(self, visit: Visit) -> _Followed:
        if len(self._followed) >= self._look_at:
            self.settle()
        if (namesake := self._followed.get(visit.key)) is not None:  # it is over, or there would not be another
            self._count(namesake)
        self._counts(visit.queue).entered += 1
        followed = self._followed[visit.key] = _Followed(visit)
        return followed

    def _counts(self, queue: str) -> QueueCounts:
        counts = self._queues.get(queue)
        if counts is None:
            counts = self._queues[queue] = QueueCounts()
        return counts

    def _count(self, followed: _Followed) -> None:
        visit = followed.visit
        if not followed.outcome and visit.outcome is not None and _is_certain(visit):
            followed.outcome = True
            self._count_outcome(visit)
        if not followed.talk and visit.released is not None:
            followed.talk = True
            self._counts(visit.queue).talk.add(visit.talk or 0.0)
        if not followed.wrap_up and visit.wrap_up is not None:
            followed.wrap_up = True
            self._counts(visit.queue).wrap_up.add(visit.wrap_up)

    def _count_outcome(self, visit: Visit) -> None:
        assert visit.outcome is not None
        counts = self._counts(visit.queue)
        counts.outcomes[visit.outcome] += 1
        if visit.outcome is Outcome.ANSWERED:
            counts.answer_wait.add(visit.wait or 0.0)
        elif visit.outcome is Outcome.ABANDONED:
            counts.abandon_wait.add(visit.wait or 0.0)


def _is_certain(visit: Visit) -> bool:
    """Nothing that is still to come can give this visit another outcome."""
    return visit.outcome is not None and (visit.caller_gone or visit.outcome not in GAVE_UP_ELSEWHERE)
