"""The figures of a running acd's API for their measurement periods, beside the same figures made of audited calls.

An audited call is the ledger's row where queue_log agrees with it or something proves why it differs, else what
queue_log says. So the API is held against rows that queue_log has confirmed, to the millisecond.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from acd.audit.audit import MOST_SUSPECTS, Suspect
from acd.audit.compare import differences
from acd.audit.evidence import Evidence
from acd.audit.explain import explained
from acd.audit.ledger import Happened, Row
from acd.audit.pairs import Pair
from acd.audit.recompute import Logged

EDGE = 3.5  # seconds before the question in which a call may be on its way through acd: it resolves exits for two
LATER = 1.5  # and after it: the clocks' whole seconds
EXACT = 0.01  # seconds; both are sums of the same exact times
HALF = 0.5  # a line's whole second is cut off

NEVER = {
    "number_of_incoming_calls, number_of_outgoing_calls": "queue_log has no calls outside of the queues",
    "overall_call_rate and the figures of sessions": "queue_log has no sessions",
    "total_calls_refused": "queue_log has no line for callers who were refused",
    "current_longest_wait_time": "it changes while it is read",
    "hold_time": "queue_log has no holds",
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the API that could be compared. `within`: by how much it may differ."""

    of: str
    name: str
    acd: float
    audited: float
    within: float

    @property
    def agrees(self) -> bool:
        return abs(self.acd - self.audited) <= self.within


class Periods:
    """When the measurement periods that cover the question began, as far as acd's database tells."""

    def __init__(self, state: Mapping[str, Any], later: Iterable[Happened], begun: float, sliding: bool) -> None:
        """`state`: the newest checkpoint's; `later`: the periods set since; `begun`: when acd's log begins."""
        self._sliding, self._begun = sliding, begun
        self._since: dict[tuple[str, str], tuple[float, int, bool]] = {}  # since, seconds, was there one before
        for what in ("queues", "agents"):
            for name, each in state.get(what, {}).items():
                measured = each["measured"]
                self._since[what, name] = measured["since"], measured["seconds"], measured["rolled"]
        for event in later:
            _, seconds, agent, queue = event.data
            for what, name in (("agents", agent), ("queues", queue)):
                if name is not None:
                    self._since[what, name] = event.at, seconds, True

    def start(self, what: str, name: str, seconds: int, now: float) -> float | None:
        """When the period that covers `now` began, 0.0 where everything counts; None: it is not known."""
        if self._sliding:
            return now - seconds
        since, known, rolled = self._since.get((what, name), (self._begun, seconds, False))
        passed = int((now - since) // seconds)
        if known != seconds or ((what, name) not in self._since and passed > 0):
            return None
        return since + passed * seconds if passed > 0 or rolled else 0.0


@dataclass(slots=True)
class _Tally:
    """What one queue or agent had in its period, of audited calls."""

    start: float
    counts: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    waited: float = 0.0
    left: int = 0
    longest: float = 0.0
    unsure: int = 0  # moments so near to the question that nobody knows on which side they were


@dataclass(frozen=True, slots=True)
class _Call:
    """An audited visit."""

    queue: str
    user: str | None
    entered: float
    left: float | None
    ended: float | None
    freed: float | None
    outcome: str | None
    flowed_in: bool
    went_on: float | None


class Live:
    """The API's figures at one moment, and what the audited calls make of them."""

    def __init__(self, asked: float, queues: list[Json], agents: list[Json], periods: Periods) -> None:
        self.asked = asked  # seconds since 1970
        self._queues = {each["name"]: each for each in queues}
        self._agents = {each["user"]: each for each in agents}
        self._users = {each["agent"]: each["user"] for each in agents}
        self.unknown: list[str] = []  # what has a period whose beginning is not known
        self._of_queue = self._tallies("queues", {name: (name, each) for name, each in self._queues.items()}, periods)
        named = {user: (each["agent"], each) for user, each in self._agents.items()}
        self._of_agent = self._tallies("agents", named, periods)
        self._doubtful: list[Pair] = []

    def _tallies(self, what: str, those: dict[str, tuple[str, Json]], periods: Periods) -> dict[str, _Tally]:
        tallies = {}
        for name, (key, each) in those.items():
            start = periods.start(what, key, each["measurement_period"], self.asked)
            if start is None:
                self.unknown.append(f"{what.removesuffix('s')} {name}")
            else:
                tallies[name] = _Tally(start)
        return tallies

    @property
    def start(self) -> float:
        """The earliest moment that one of the figures covers."""
        return min((each.start for each in (*self._of_queue.values(), *self._of_agent.values())), default=self.asked)

    @property
    def doubtful(self) -> list[Pair]:
        """The visits whose accounts differ."""
        return self._doubtful

    def add(self, pair: Pair, differs: bool) -> None:
        """Counts in a visit, or keeps it until evidence is there."""
        if differs and len(self._doubtful) < MOST_SUSPECTS:
            self._doubtful.append(pair)
        else:
            self._count(pair, trusted=not differs)

    def settle(self, evidence: Evidence) -> None:
        """Counts in those that differ: as acd has them where that is explained."""
        for visit, row in self._doubtful:
            found = differences(visit, row, evidence.users)
            suspect = Suspect(visit, row, explained(visit, row, found, evidence))
            self._count((visit, row), trusted=bool(suspect.kinds))

    def _count(self, pair: Pair, *, trusted: bool) -> None:
        visit, row = pair
        call = _of_row(row, visit, self._users.get(row.agent or "")) if trusted and row is not None else None
        if call is None and not trusted and visit is not None:
            call = _of_log(visit)
        if call is None or call.entered > self.asked:
            return
        self._count_in_queue(call, self._of_queue.get(call.queue))
        self._count_of_agent(call, self._of_agent.get(call.user or ""))

    def _count_in_queue(self, call: _Call, tally: _Tally | None) -> None:
        if tally is None:
            return
        tally.unsure += sum(self._is_near(at) for at in (call.entered, call.left, call.went_on))
        if call.entered >= tally.start:
            tally.counts["total_calls_queued"] += 1
            tally.counts["total_calls_flowed_in"] += call.flowed_in
        if call.left is None or call.left > self.asked:
            tally.counts["current_calls_queued"] += 1
        elif call.left >= tally.start:
            tally.counts[OUTCOMES.get(call.outcome or "", "final_disposition")] += 1
            tally.left += 1
            tally.waited += call.left - call.entered
            tally.longest = max(tally.longest, call.left - call.entered)

    def _count_of_agent(self, call: _Call, tally: _Tally | None) -> None:
        if tally is None or call.outcome != "answered" or call.left is None:
            return
        tally.unsure += sum(self._is_near(at) for at in (call.ended, call.freed))
        if call.ended is not None and tally.start <= call.ended <= self.asked:
            tally.counts["number_of_acd_calls"] += 1
            tally.counts["total_acd_talk_time_exact"] += call.ended - call.left
        if call.freed is not None and call.ended is not None and tally.start <= call.freed <= self.asked:
            tally.counts["total_wrap_up_time_exact"] += call.freed - call.ended

    def _is_near(self, at: float | None) -> bool:
        return at is not None and self.asked - EDGE < at < self.asked + LATER

    def figures(self) -> list[Figure]:
        """Every figure that can be compared: counts, and times where nothing moved around the question."""
        found = []
        for name, tally in self._of_queue.items():
            said = self._queues[name]
            found += [Figure(f"queue {name}", each, said[each], tally.counts[each], tally.unsure) for each in OF_QUEUES]
            if not tally.unsure:
                average = tally.waited / tally.left if tally.left else 0.0
                longest, mean = said["longest_ever_wait_time_exact"], said["average_wait_time_exact"]
                found.append(Figure(f"queue {name}", "longest_ever_wait_time_exact", longest, tally.longest, EXACT))
                found.append(Figure(f"queue {name}", "average_wait_time_exact", mean, average, EXACT))
        for user, tally in self._of_agent.items():
            said = self._agents[user]
            for each in OF_AGENTS if not tally.unsure else ():
                within = EXACT if each.endswith("_exact") else 0
                found.append(Figure(f"agent {user}", each, said[each], tally.counts[each], within))
        return found

    @property
    def moving(self) -> list[str]:
        """Where something happened so near to the question that times, or all, are left out."""
        queues = [f"times of queue {name}" for name, tally in self._of_queue.items() if tally.unsure]
        return queues + [f"agent {user}" for user, tally in self._of_agent.items() if tally.unsure]


OUTCOMES = {  # outcome -> the queue's counter; all others are final dispositions
    "answered": "total_calls_answered",
    "abandoned": "total_calls_abandoned",
    "flowed_out": "total_calls_flowed_out",
}
OF_QUEUES = (
    "total_calls_queued",
    "current_calls_queued",
    "total_calls_answered",
    "total_calls_abandoned",
    "total_calls_flowed_in",
    "total_calls_flowed_out",
    "final_disposition",
)
OF_AGENTS = ("number_of_acd_calls", "total_acd_talk_time_exact", "total_wrap_up_time_exact")


def _of_row(row: Row, visit: Logged | None, user: str | None) -> _Call:
    went_on = visit.went_on if visit is not None else None
    return _Call(row.queue, user, row.entered, row.left, row.ended, row.freed, row.outcome, row.flowed_in, went_on)


def _of_log(visit: Logged) -> _Call:
    def middle(at: int | None) -> float | None:
        return None if at is None else at + HALF

    entered = visit.entered + HALF
    left = middle(visit.left)
    ended = middle(visit.ended)
    freed = None if ended is None or visit.wrap_up is None else ended + visit.wrap_up
    return _Call(
        visit.queue, visit.member, entered, left, ended, freed, visit.outcome, visit.flowed_in, middle(visit.went_on)
    )
