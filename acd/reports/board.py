"""What a wallboard shows of the calls: each queue's today, its last half hour, and the last hour in small steps."""

from collections.abc import Iterable
from typing import NamedTuple

from acd.reports.figures import figure
from acd.reports.rows import Call
from acd.reports.tallies import Limits, Terms, Waiting

STEP = 300.0  # seconds of one step
STEPS = 12
RECENT = 1800.0  # seconds that are "now": fewer, and one call moves the figure too far
FIELDS = ("offered", "answered", "abandoned", "answered_within", "abandoned_within")

Fields = dict[str, float | int | None]


class Since(NamedTuple):
    """Where the parts begin: seconds since 1970."""

    midnight: float
    recent: float
    steps: list[float]

    @classmethod
    def of(cls, now: float, midnight: float) -> "Since":
        """The last step is the one that `now` is in."""
        last = now // STEP * STEP
        return cls(midnight, now - RECENT, [last - STEP * number for number in reversed(range(STEPS))])

    @property
    def first(self) -> float:
        """No call before it matters."""
        return min(self.midnight, self.recent, self.steps[0])


class _Queue:
    """Sums of one queue, which calls are added to."""

    def __init__(self, limits: Limits) -> None:
        self.today, self.recent = Waiting(limits), Waiting(limits)
        self.steps = [Waiting(limits) for _ in range(STEPS)]

    def add(self, call: Call, since: Since) -> None:
        if call.entered >= since.midnight:
            self.today.add(call)
        if call.entered >= since.recent:
            self.recent.add(call)
        step = int((call.entered - since.steps[0]) // STEP)
        if 0 <= step < STEPS:
            self.steps[step].add(call)


class Row(NamedTuple):
    """One queue. Each part has FIELDS and `service_level`, None where there is nothing to divide by."""

    queue: str
    today: Fields
    recent: Fields
    steps: list[Fields]


def rows(calls: Iterable[Call], since: Since, threshold: float, definition: str, known: Iterable[str]) -> list[Row]:
    """A row a queue by name. `definition`: one of the four service levels; `known`: queues that have a row anyhow."""
    limits = Limits(Terms(threshold=threshold))
    tallies = {name: _Queue(limits) for name in known}
    for call in calls:
        tally = tallies.get(call.queue)
        if tally is None:
            tally = tallies[call.queue] = _Queue(limits)
        tally.add(call, since)

    def shown(part: Waiting) -> Fields:
        fields = part.fields()
        return {name: fields[name] for name in FIELDS} | {"service_level": figure(definition, fields).value}

    return [
        Row(name, shown(tally.today), shown(tally.recent), [shown(step) for step in tally.steps])
        for name, tally in sorted(tallies.items())
    ]
