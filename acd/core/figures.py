"""Counters and the periods they cover. Everything is kept exact; whole seconds and averages are made when read."""

from dataclasses import dataclass, field, fields, replace
from decimal import ROUND_DOWN, Decimal
from typing import Generic, TypeVar

RATE = Decimal("0.0001")  # CURRENCY has four decimal places


@dataclass(slots=True)
class Tally:
    """What was handled: by a session in its life, or by an agent in the measurement period. Seconds."""

    calls: int = 0
    talk: float = 0.0
    wrap_up: float = 0.0
    to_answer: float = 0.0
    longest_to_answer: float = 0.0
    incoming: int = 0
    outgoing: int = 0
    active: float = 0.0  # closed stretches with at least one session; the open one is added when read

    def released(self, talk: float, to_answer: float) -> None:
        """Books one handled ACD call at its release (semantics A13)."""
        self.calls += 1
        self.talk += talk
        self.to_answer += to_answer
        self.longest_to_answer = max(self.longest_to_answer, to_answer)

    @property
    def call_time(self) -> float:
        """Talk and the wrap-up that followed: they close exactly (semantics A12)."""
        return self.talk + self.wrap_up

    @property
    def whole_call_time(self) -> int:
        """The same in whole seconds, as the sum of its whole parts, so that the published three close too."""
        return int(self.talk) + int(self.wrap_up)

    def average(self, total: float) -> int:
        """A total per call, rounded towards zero; 0 without calls (semantics A14)."""
        return int(total / self.calls) if self.calls else 0


@dataclass(slots=True)
class QueueTally:
    """What a queue saw in the measurement period. Seconds."""

    queued: int = 0
    answered: int = 0
    abandoned: int = 0
    flowed_in: int = 0
    flowed_out: int = 0
    final_disposition: int = 0
    refused: int = 0  # never entered: full, or nobody there
    waited: float = 0.0
    left: int = 0
    longest_wait: float = 0.0


T = TypeVar("T", Tally, QueueTally)


@dataclass(slots=True)
class Measured(Generic[T]):
    """Counters that cover the last `seconds`: restarting at zero every so often, counted from `since` (semantics A2),
    or, as a setting, sliding: then `window` holds what was booked when."""

    since: float
    seconds: int
    tally: T
    sliding: bool = False
    own: bool = False  # somebody set `seconds`: it does not follow the default
    rolled: bool = False  # a period before this one is over
    window: list[tuple[float, T]] = field(default_factory=list)

    def start_at(self, now: float) -> float:
        """When the period that covers `now` began."""
        if self.sliding:
            return max(self.since, now - self.seconds)
        passed = now - self.since
        return self.since + passed // self.seconds * self.seconds if passed >= self.seconds else self.since

    def at(self, now: float) -> T:
        """The counters of the period that covers `now`; nothing is changed by asking."""
        start = self.start_at(now)
        if self.sliding:
            return _sum(self.tally, [_cut(at, tally, start) for at, tally in self.window if at > start])
        return self.tally if start == self.since else type(self.tally)()

    def book(self, at: float) -> T:
        """The counters to book on at `at`: past a boundary they are new ones."""
        start = self.start_at(at)
        if self.sliding:
            self.window = [entry for entry in self.window if entry[0] > start]
            self.window.append((at, type(self.tally)()))
            return self.window[-1][1]
        if start != self.since:
            self.since, self.tally, self.rolled = start, type(self.tally)(), True
        return self.tally

    def covers(self, at: float) -> bool:
        """What belongs to `at` still counts, and was not booked in a period that is over."""
        return self.sliding or at >= self.since or not self.rolled

    def move(self, by: float) -> None:
        """The clock was set: the period lasts as long as it should."""
        self.since += by
        self.window = [(at + by, tally) for at, tally in self.window]

    def restart(self, at: float, seconds: int) -> None:
        """put_MeasurementPeriod: another length, and every counter back to zero (semantics A3, A4)."""
        self.since, self.seconds, self.tally, self.window = at, seconds, type(self.tally)(), []
        self.rolled = True


def _cut(at: float, tally: T, start: float) -> T:
    """What of a booking lies in the window: a stretch of activity may have begun before it."""
    if isinstance(tally, Tally) and tally.active:
        return replace(tally, active=min(tally.active, at - start))
    return tally


def _sum(kind: T, tallies: list[T]) -> T:
    total = type(kind)()
    for each in fields(total):
        values = [getattr(tally, each.name) for tally in tallies]
        longest = each.name.startswith("longest")
        setattr(total, each.name, max(values, default=0.0) if longest else sum(values))
    return total


def per_hour(calls: int, seconds: float) -> Decimal:
    """Calls an hour as the CURRENCY that TAPI publishes: four places, 0 where no time was active."""
    if seconds <= 0:
        return Decimal(0).quantize(RATE)
    return (Decimal(calls) * 3600 / Decimal(repr(seconds))).quantize(RATE, ROUND_DOWN)
