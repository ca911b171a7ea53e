"""Counters and the periods they cover. Everything is kept exact; whole seconds and averages are made when read."""

from dataclasses import dataclass
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
    """Counters that start again at zero every `seconds`, counted from `since` (semantics A2: restarting)."""

    since: float
    seconds: int
    tally: T

    def start_at(self, now: float) -> float:
        """When the period that covers `now` began."""
        passed = now - self.since
        return self.since + passed // self.seconds * self.seconds if passed >= self.seconds else self.since

    def at(self, now: float) -> T:
        """The counters of the period that covers `now`; nothing is changed by asking."""
        return self.tally if self.start_at(now) == self.since else type(self.tally)()

    def book(self, at: float) -> T:
        """The counters to book on at `at`: past a boundary they are new ones."""
        start = self.start_at(at)
        if start != self.since:
            self.since, self.tally = start, type(self.tally)()
        return self.tally

    def restart(self, at: float, seconds: int) -> None:
        """put_MeasurementPeriod: another length, and every counter back to zero (semantics A3, A4)."""
        self.since, self.seconds, self.tally = at, seconds, type(self.tally)()


def per_hour(calls: int, seconds: float) -> Decimal:
    """Calls an hour as the CURRENCY that TAPI publishes: four places, 0 where no time was active."""
    if seconds <= 0:
        return Decimal(0).quantize(RATE)
    return (Decimal(calls) * 3600 / Decimal(repr(seconds))).quantize(RATE, ROUND_DOWN)
