"""Calls and times per queue and per agent, of both accounts in the same words."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.audit.ledger import Row
from acd.audit.recompute import Logged

COUNTS = (
    "offered",
    "answered",
    "abandoned",
    "timed_out",
    "left_empty",
    "left_by_key",
    "withdrawn",
    "flowed_in",
    "flowed_out",
    "redirected",
    "lost",
    "unknown",
)
TIMES = ("wait", "talk", "wrap_up")  # of each the sum, the average and the longest, in seconds
NOBODY = "(not an agent of acd)"

Figures = dict[str, float]


@dataclass(slots=True)
class Sum:
    """What one queue or one agent had, by one account."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    spans: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TIMES, 0))
    total: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMES, 0.0))
    longest: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMES, 0.0))

    def add(self, visit: Logged | Row) -> None:
        """Counts in a visit."""
        self.counts["offered"] += 1
        self.counts["flowed_in"] += visit.flowed_in
        if visit.outcome in self.counts:
            self.counts[visit.outcome] += 1
        for name, seconds in spans_of(visit).items():
            if seconds is not None:
                self.spans[name] += 1
                self.total[name] += seconds
                self.longest[name] = max(self.longest[name], seconds)

    def figures(self) -> Figures:
        """Each figure by its name."""
        figures: Figures = dict(self.counts)
        for name in TIMES:
            figures[f"total_{name}"] = round(self.total[name], 3)
            figures[f"average_{name}"] = round(self.total[name] / self.spans[name], 3) if self.spans[name] else 0.0
            figures[f"longest_{name}"] = round(self.longest[name], 3)
        return figures


OF_AGENTS = ("answered", *(f"{how}_{name}" for name in ("talk", "wrap_up") for how in ("total", "average", "longest")))


def spans_of(visit: Logged | Row) -> dict[str, float | None]:
    """The seconds of a visit."""
    if isinstance(visit, Logged):
        return {"wait": visit.wait, "talk": visit.talk, "wrap_up": visit.wrap_up}
    return {"wait": visit.wait_time, "talk": visit.talk_time, "wrap_up": visit.wrap_up_time}


class Sums:
    """Both accounts: by queue, and by the agents' account names."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users
        self._known = set(users.values())
        self.queues: dict[str, tuple[Sum, Sum]] = defaultdict(lambda: (Sum(), Sum()))
        self.agents: dict[str, tuple[Sum, Sum]] = defaultdict(lambda: (Sum(), Sum()))

    def add(self, visit: Logged | None, row: Row | None) -> None:
        """Counts in what each account has of a visit."""
        if row is not None:
            self.queues[row.queue][0].add(row)
            if row.answered is not None:
                self.agents[NOBODY if row.agent is None else self._users.get(row.agent, row.agent)][0].add(row)
        if visit is not None:
            self.queues[visit.queue][1].add(visit)
            if visit.exit == "CONNECT":
                member = visit.member or ""
                self.agents[member if member in self._known else NOBODY][1].add(visit)
