"""The comparison of a period: visits in, differences and sums out. Each visit is looked at once and forgotten."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from acd.audit.compare import Difference, differences
from acd.audit.evidence import Evidence
from acd.audit.explain import explained
from acd.audit.ledger import Row
from acd.audit.pairs import Pair
from acd.audit.recompute import Logged
from acd.audit.sums import Sums

MOST_SUSPECTS = 10_000  # visits with differences that are explained and shown; any more are counted as unexplained


@dataclass(frozen=True, slots=True)
class Suspect:
    """A visit that the two accounts tell differently."""

    visit: Logged | None
    row: Row | None
    differences: list[Difference]

    @property
    def kinds(self) -> list[str]:
        """How its differences are explained; empty when one of them is not."""
        kinds = dict.fromkeys(each.kind for each in self.differences)
        return [] if None in kinds else [kind for kind in kinds if kind is not None]


@dataclass(slots=True)
class Audit:
    """The visits that began at `start` or later and were over at `end`: seconds since 1970."""

    start: float
    end: float
    evidence: Evidence
    sums: Sums
    compared: int = 0
    began_before: int = 0  # left out: begun before `start`, not over then
    going_on: int = 0  # left out: not over at `end`
    suspects: list[Suspect] = field(default_factory=list)
    beyond: int = 0  # suspects too many

    def take(self, pairs: Iterable[Pair], also: Callable[[Pair, bool], None] = lambda pair, differs: None) -> None:
        """Compares each visit of the period. `also` gets all pairs, those outside of it too, and whether they
        differ."""
        for visit, row in pairs:
            found = differences(visit, row, self.evidence.users)
            if self._within(visit, row):
                self.compared += 1
                self.sums.add(visit, row)
                if found:
                    self._suspect(Suspect(visit, row, found))
            also((visit, row), bool(found))

    def _suspect(self, suspect: Suspect) -> None:
        if len(self.suspects) < MOST_SUSPECTS:
            self.suspects.append(suspect)
        else:
            self.beyond += 1

    def _within(self, visit: Logged | None, row: Row | None) -> bool:
        """By queue_log's times for both accounts, by the ledger's where queue_log has none."""
        began = visit.entered if visit is not None else row.entered if row is not None else 0.0
        over = _over(visit, row)
        if began < self.start:
            self.began_before += over is None or over >= self.start
            return False
        if began >= self.end:
            return False
        if over is None or over > self.end:
            self.going_on += 1
            return False
        return True

    def explain(self) -> None:
        """Explains what the evidence explains."""
        self.suspects = [
            Suspect(each.visit, each.row, explained(each.visit, each.row, each.differences, self.evidence))
            for each in self.suspects
        ]

    @property
    def unexplained(self) -> int:
        """Visits with a difference that nothing explains."""
        return self.beyond + sum(not each.kinds for each in self.suspects)

    @property
    def explained(self) -> Counter[str]:
        """Visits whose differences are all explained, by kind; one with two kinds counts for each."""
        return Counter(kind for each in self.suspects for kind in each.kinds)

    @property
    def equal(self) -> int:
        return self.compared - len(self.suspects) - self.beyond


def _over(visit: Logged | None, row: Row | None) -> float | None:
    over = visit.over if visit is not None else None
    return over if over is not None else row.over if row is not None else None
