"""Sums while rows go by. Times are whole microseconds."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from acd.reports.rows import AgentTime, Call, micro

OUTCOMES = (
    "answered",
    "abandoned",
    "timed_out",
    "left_empty",
    "left_by_key",
    "withdrawn",
    "flowed_out",
    "redirected",
    "lost",
)
STATES = {  # AGENT_STATE -> the field that its time is added to; what has no field of its own is unknown
    "NOT_READY": "not_ready_time",
    "READY": "ready_time",
    "BUSY_ACD": "busy_acd_time",
    "BUSY_INCOMING": "busy_incoming_time",
    "BUSY_OUTGOING": "busy_outgoing_time",
}


class Terms(NamedTuple):
    """What a report was asked by, in seconds."""

    threshold: float = 20.0
    short_abandon: float = 5.0
    histogram: Sequence[float] = (5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)


class Handling:
    """Answered calls: ringing, talk, hold, wrap-up."""

    __slots__ = ("handled", "hold", "ring", "rung", "talk", "unhandled", "wrap_up")

    def __init__(self) -> None:
        self.handled = self.unhandled = self.rung = 0
        self.ring = self.talk = self.hold = self.wrap_up = 0

    def add(self, call: Call) -> None:
        """Counts in an answered call."""
        if call.ring_time is not None:
            self.rung += 1
            self.ring += micro(call.ring_time)
        if call.talk_time is None or call.wrap_up_time is None:
            self.unhandled += 1
            return
        self.handled += 1
        self.talk += micro(call.talk_time)
        self.hold += micro(call.hold_time)
        self.wrap_up += micro(call.wrap_up_time)

    def fields(self) -> dict[str, int]:
        """By their names in FIELDS."""
        return {
            "handled": self.handled,
            "unhandled": self.unhandled,
            "talk_time": self.talk,
            "hold_time": self.hold,
            "wrap_up_time": self.wrap_up,
            "rung": self.rung,
            "ring_time": self.ring,
        }


class Limits:
    """The terms in microseconds."""

    __slots__ = ("histogram", "names", "short_abandon", "threshold")

    def __init__(self, terms: Terms) -> None:
        self.threshold, self.short_abandon = micro(terms.threshold), micro(terms.short_abandon)
        self.histogram = sorted({micro(limit) for limit in terms.histogram})
        self.names = [limit / 1_000_000 for limit in self.histogram]


class Waiting:
    """Visits to a queue: how their wait ended and how long it was, and what became of the answered ones."""

    __slots__ = (
        "_abandoned_within",
        "_answered_within",
        "_limits",
        "abandoned_wait",
        "answered_wait",
        "early_abandoned",
        "early_answered",
        "entered",
        "estimated",
        "handling",
        "longest",
        "outcomes",
        "short",
        "unknown",
        "waiting",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.entered = self.waiting = self.unknown = self.estimated = 0
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        self.early_answered = self.early_abandoned = self.short = 0
        self.answered_wait = self.abandoned_wait = self.longest = 0
        self._answered_within = [0] * (len(limits.histogram) + 1)  # by the first limit that holds; the last: none does
        self._abandoned_within = [0] * (len(limits.histogram) + 1)
        self.handling = Handling()

    def add(self, call: Call) -> None:
        """Counts in a visit."""
        self.entered += 1
        self.estimated += call.estimated
        outcome = call.outcome
        if outcome is None:
            self.waiting += 1
            return
        if outcome not in self.outcomes or call.wait_time is None:
            self.unknown += 1
            return
        self.outcomes[outcome] += 1
        wait = micro(call.wait_time)
        self.longest = max(self.longest, wait)
        if outcome == "answered":
            self._answered(wait)
            self.handling.add(call)
        elif outcome == "abandoned":
            self._abandoned(wait)

    def _answered(self, wait: int) -> None:
        self.answered_wait += wait
        self.early_answered += wait <= self._limits.threshold
        self._answered_within[bisect_left(self._limits.histogram, wait)] += 1

    def _abandoned(self, wait: int) -> None:
        self.abandoned_wait += wait
        self.early_abandoned += wait <= self._limits.threshold
        self.short += wait <= self._limits.short_abandon
        self._abandoned_within[bisect_left(self._limits.histogram, wait)] += 1

    def fields(self) -> dict[str, int]:
        """By their names in FIELDS."""
        return {
            "entered": self.entered,
            "waiting": self.waiting,
            "unknown": self.unknown,
            "estimated": self.estimated,
            "offered": self.entered - self.waiting - self.unknown,
            **self.outcomes,
            "answered_within": self.early_answered,
            "abandoned_within": self.early_abandoned,
            "short_abandoned": self.short,
            "answered_wait_time": self.answered_wait,
            "abandoned_wait_time": self.abandoned_wait,
            "longest_wait_time": self.longest,
            **self.handling.fields(),
        }

    def histogram(self) -> list[dict[str, float]]:
        """Calls answered and abandoned within each limit; each limit's contain those of the shorter ones."""
        return [
            {"threshold": limit, "answered": answered, "abandoned": abandoned}
            for limit, answered, abandoned in zip(
                self._limits.names, accumulate(self._answered_within), accumulate(self._abandoned_within), strict=False
            )
        ]


class Stretch(NamedTuple):
    """What an agent did from `start` to `end`, in microseconds since 1970. `since`: when he began to."""

    handler: str
    agent: str
    start: int
    end: int
    state: str
    reason: str
    wrap_up: bool
    since: int


class Floor:
    """What each agent does at present, while the rows of their times go by."""

    def __init__(self, start: float) -> None:
        """`start`: what was before is left out."""
        self._start = micro(start)
        self._now: dict[tuple[str, str], Stretch] = {}

    def move(self, row: AgentTime) -> Stretch | None:
        """The stretch of the agent that this row ends, as far as it was not told yet."""
        who = row.handler, row.agent
        at, before = micro(row.at), self._now.get(who)
        begin = max(at, self._start)
        self._now[who] = Stretch(*who, begin, begin, row.state, row.reason, row.wrap_up, at)
        return None if before is None or before.start >= begin else before._replace(end=begin)

    def cut(self, at: float) -> Iterator[Stretch]:
        """The stretches that go on, up to here; what follows is told by the next cut or move."""
        end = micro(at)
        for who, stretch in self._now.items():
            if stretch.start < end:
                yield stretch._replace(end=end)
                self._now[who] = stretch._replace(start=end)

    def stretches(self, rows: Iterable[AgentTime], end: float) -> Iterator[Stretch]:
        """All of them up to `end`, each agent's in their order."""
        for row in rows:
            ended = self.move(row)
            if ended is not None:
                yield ended
        yield from self.cut(end)


class Presence:
    """An agent's time by states and reasons."""

    __slots__ = ("after_call_work", "reasons", "states", "unknown")

    def __init__(self) -> None:
        self.states = dict.fromkeys(STATES, 0)
        self.unknown = self.after_call_work = 0
        self.reasons: dict[str, int] = {}

    def add(self, stretch: Stretch) -> None:
        """Counts in a stretch, of any state but LOGGED_OFF."""
        span = stretch.end - stretch.start
        if stretch.state in self.states:
            self.states[stretch.state] += span
        else:
            self.unknown += span
        if stretch.state == "NOT_READY":
            self.reasons[stretch.reason] = self.reasons.get(stretch.reason, 0) + span
        elif stretch.state == "BUSY_ACD" and stretch.wrap_up:
            self.after_call_work += span

    @property
    def logged_on(self) -> int:
        """UNKNOWN is not in it."""
        return sum(self.states.values())

    def fields(self) -> dict[str, int]:
        """By their names in FIELDS."""
        return {
            "logged_on_time": self.logged_on,
            **{field: self.states[state] for state, field in STATES.items()},
            "after_call_work_time": self.after_call_work,
            "unknown_time": self.unknown,
        }
