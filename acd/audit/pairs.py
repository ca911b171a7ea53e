"""Puts the two accounts of each visit side by side: both streams are in the order in which the visits began."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from acd.audit.ledger import Row
from acd.audit.recompute import HORIZON, Logged

STEP = 3600  # seconds of both accounts that are taken in before they are compared

Pair = tuple[Logged | None, Row | None]


@dataclass(slots=True)
class _Visits:
    """The visits of one call to one queue that have no partner yet."""

    logged: list[Logged] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def pairs(self) -> Iterator[Pair]:
        """Those nearest to each other in time first; what is left over stays."""
        near = [(abs(row.entered - visit.entered), visit, row) for visit in self.logged for row in self.rows]
        for _, visit, row in sorted(near, key=lambda each: each[0]):
            if visit in self.logged and row in self.rows:
                self.logged.remove(visit)
                self.rows.remove(row)
                yield visit, row

    def alone(self, before: float) -> Iterator[Pair]:
        """Those that began before then and will have no partner any more."""
        for visit in [visit for visit in self.logged if visit.entered < before]:
            self.logged.remove(visit)
            yield visit, None
        for row in [row for row in self.rows if row.entered < before]:
            self.rows.remove(row)
            yield None, row


def paired(logged: Iterable[Logged], rows: Iterable[Row]) -> Iterator[Pair]:
    """Each visit of the log with its row of the ledger; alone where the other account has none.

    A visit is the n-th of one call to one queue in both, so those that began nearest to each other belong together.
    What finds no partner waits for a day, as a visit that was found late begins late in the ledger.
    """
    alone: dict[tuple[str, str], _Visits] = {}
    step = 0.0
    both: Iterable[Logged | Row] = heapq.merge(logged, rows, key=_began)
    for each in both:
        if each.entered > step + STEP:
            yield from _matched(alone, each.entered - HORIZON)
            step = each.entered
        if isinstance(each, Logged):
            alone.setdefault((each.call, each.queue), _Visits()).logged.append(each)
        else:
            alone.setdefault((each.call_at_entry, each.queue), _Visits()).rows.append(each)
    yield from _matched(alone, float("inf"))


def _began(each: Logged | Row) -> float:
    return each.entered


def _matched(alone: dict[tuple[str, str], _Visits], before: float) -> Iterator[Pair]:
    for key, visits in list(alone.items()):
        yield from visits.pairs()
        yield from visits.alone(before)
        if not visits.logged and not visits.rows:
            del alone[key]
