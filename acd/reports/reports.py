"""The reports: each takes rows in the order of their time and gives its own rows, one by one.

A visit belongs to the interval in which it entered, so that a numerator counts nothing that its denominator does not.
The time of agents is cut where an interval ends.

Queues and agents belong to handlers: of the same name at two of them, they are two. A sum over several of them (`By`)
is made of the same rows, call by call; no figure is made of other figures.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from enum import StrEnum
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from acd.clock import moment
from acd.reports.figures import MICRO, OF_HANDLING, OF_TIME, OF_WAITING, figure, shown
from acd.reports.periods import Interval, intervals, local
from acd.reports.rows import LOGGED_OFF, AgentTime, Call, micro
from acd.reports.tallies import Floor, Handling, Limits, Presence, Stretch, Terms, Waiting

Timed = TypeVar("Timed", Call, AgentTime)
ENTERED: Callable[[Call], float] = attrgetter("entered")
AT: Callable[[AgentTime], float] = attrgetter("at")

Row = dict[str, Any]  # text, numbers, Figures; lists and dicts of them
Whose = tuple[str | None, str | None]  # the handler, and the queue or agent there; None: all of them


class By(StrEnum):
    """What has a row of its own."""

    EACH = "each"  # queue or agent
    HANDLER = "handler"
    ALL = "all"  # one row in all

    def whose(self, handler: str, name: str) -> Whose:
        """The row to which something of a queue or agent belongs."""
        return None if self is By.ALL else handler, name if self is By.EACH else None

    def of(self, kind: str) -> Callable[[Any], Whose]:
        """The same for a call, or a stretch; `kind` "queue" or "agent", and the row belongs to that."""
        if self is By.EACH:
            return attrgetter("handler", kind)
        return lambda row: self.whose(row.handler, "")


def _names(kind: str, whose: Whose) -> Row:
    return {"handler": whose[0], kind: whose[1]}


NOBODY = ("", "")


class Period(NamedTuple):
    """start <= moment < end, in seconds since 1970, and the intervals it is told in."""

    start: float
    end: float
    step: str = "1h"
    zone: tzinfo | None = None

    def intervals(self) -> Iterator[Interval]:
        """Those of the period; the first and the last one may be cut."""
        assert self.zone is not None
        return intervals(self.start, self.end, self.step, self.zone)

    def names(self, interval: Interval) -> Row:
        """The first fields of a row of an interval."""
        assert self.zone is not None
        return {
            "from": moment(interval.start),
            "to": moment(interval.end),
            "local_from": local(interval.start, self.zone).isoformat(timespec="seconds"),
        }


# Queues ---------------------------------------------------------------------------------------------------

OF_QUEUES = (*OF_WAITING, *OF_HANDLING)


def queues(
    calls: Iterable[Call], terms: Terms, known: Iterable[tuple[str, str]] = (), by: By = By.EACH
) -> Iterator[Row]:
    """A row a queue by name. `known`: handlers and their queues that have a row though no call entered them."""
    tallies = _Queues(Limits(terms), by)
    for place in known:
        tallies[by.whose(*place)]
    tallies.count(calls)
    for whose in sorted(tallies):
        yield _queue_row(_names("queue", whose), tallies[whose])


def queue_intervals(
    calls: Iterable[Call], terms: Terms, period: Period, known: Iterable[tuple[str, str]] = (), by: By = By.EACH
) -> Iterator[Row]:
    """A row an interval and queue. A queue that is not `known` has rows from its first call on."""
    limits = Limits(terms)
    everybody = sorted({by.whose(*place) for place in known})
    nobody = _queue_row({}, Waiting(limits))
    coming = _Ahead(calls, ENTERED)
    for interval in period.intervals():
        tallies = _Queues(limits, by)
        tallies.count(coming.before(interval.end))
        if not tallies.keys() <= set(everybody):
            everybody = sorted({*everybody, *tallies})
        first = period.names(interval)
        for whose in everybody:
            labels = first | _names("queue", whose)
            yield _queue_row(labels, tallies[whose]) if whose in tallies else labels | nobody


class _Queues(dict[Whose, Waiting]):
    def __init__(self, limits: Limits, by: By) -> None:
        self._limits, self._whose = limits, by.of("queue")

    def __missing__(self, whose: Whose) -> Waiting:
        self[whose] = tally = Waiting(self._limits)
        return tally

    def count(self, calls: Iterable[Call]) -> None:
        for call in calls:
            self[self._whose(call)].add(call)


def _queue_row(names: Row, tally: Waiting) -> Row:
    fields = tally.fields()
    return {**names, **shown(fields), "histogram": tally.histogram(), **_figures(OF_QUEUES, fields)}


def blank_queue(terms: Terms) -> Row:
    """The row of a queue that had no calls, which has the columns of all."""
    return _queue_row(_names("queue", NOBODY), Waiting(Limits(terms)))


def blank_queue_interval(terms: Terms) -> Row:
    """The same for an interval."""
    return {"from": "", "to": "", "local_from": "", **blank_queue(terms)}


# Agents ---------------------------------------------------------------------------------------------------

OF_AGENTS = (*OF_HANDLING, *OF_TIME)


class _AgentTally:
    """The calls that an agent answered, and his time."""

    __slots__ = ("answered", "estimated", "handling", "presence")

    def __init__(self) -> None:
        self.answered = self.estimated = 0
        self.handling = Handling()
        self.presence = Presence()

    def add(self, call: Call) -> None:
        self.answered += 1
        self.estimated += call.estimated
        self.handling.add(call)

    def row(self, names: Row) -> Row:
        fields = {"answered": self.answered, "estimated": self.estimated, **self.handling.fields()}
        fields |= self.presence.fields()
        reasons = {reason: spent / MICRO for reason, spent in sorted(self.presence.reasons.items())}
        return {**names, **shown(fields), "not_ready_reasons": reasons, **_figures(OF_AGENTS, fields)}


class _Agents(dict[Whose, _AgentTally]):
    def __init__(self, by: By) -> None:
        self.whose = by.of("agent")

    def __missing__(self, whose: Whose) -> _AgentTally:
        self[whose] = tally = _AgentTally()
        return tally

    def count(self, calls: Iterable[Call]) -> None:
        for call in calls:
            if call.agent is not None and call.answered is not None:
                self[self.whose(call)].add(call)

    def spend(self, stretches: Iterable[Stretch]) -> None:
        for stretch in stretches:
            if stretch.state != LOGGED_OFF:
                self[self.whose(stretch)].presence.add(stretch)

    def rows(self, names: Row) -> Iterator[Row]:
        for whose in sorted(self):
            yield self[whose].row(names | _names("agent", whose))


def agents(calls: Iterable[Call], times: Iterable[AgentTime], period: Period, by: By = By.EACH) -> Iterator[Row]:
    """A row for each agent who was logged on or answered a call."""
    tallies = _Agents(by)
    tallies.count(calls)
    tallies.spend(Floor(period.start).stretches(times, period.end))
    yield from tallies.rows({})


def agent_intervals(
    calls: Iterable[Call], times: Iterable[AgentTime], period: Period, by: By = By.EACH
) -> Iterator[Row]:
    """A row for each interval and agent who was logged on in it or answered a call that entered in it."""
    floor = Floor(period.start)
    coming, moves = _Ahead(calls, ENTERED), _Ahead(times, AT)
    for interval in period.intervals():
        tallies = _Agents(by)
        tallies.count(coming.before(interval.end))
        tallies.spend(stretch for row in moves.before(interval.end) if (stretch := floor.move(row)) is not None)
        tallies.spend(floor.cut(interval.end))
        yield from tallies.rows(period.names(interval))


def blank_agent() -> Row:
    """The row of an agent without calls and time, which has the columns of all."""
    return _AgentTally().row(_names("agent", NOBODY))


def blank_agent_interval() -> Row:
    """The same for an interval."""
    return {"from": "", "to": "", "local_from": "", **blank_agent()}


def reasons(times: Iterable[AgentTime], period: Period, by: By = By.EACH) -> Iterator[Row]:
    """A row for each agent and reason for which he was NOT_READY."""
    floor, start = Floor(period.start), micro(period.start)
    tallies = _Agents(by)
    begun: dict[tuple[Whose, str], int] = {}
    last: dict[tuple[str, str], tuple[str, str]] = {}  # handler and agent -> state and reason
    for row in times:
        ended = floor.move(row)
        if ended is not None:
            tallies.spend([ended])
        who, does = (row.handler, row.agent), (row.state, row.reason)
        if row.state == "NOT_READY" and last.get(who) != does and micro(row.at) >= start:
            place = tallies.whose(row), row.reason
            begun[place] = begun.get(place, 0) + 1
        last[who] = does
    tallies.spend(floor.cut(period.end))
    for whose in sorted(tallies):
        presence = tallies[whose].presence
        for reason, spent in sorted(presence.reasons.items()):
            fields = {"begun": begun.get((whose, reason), 0), "reason_time": spent}
            names = _names("agent", whose) | {"reason": reason}
            yield _reason_row(names, fields | {"logged_on_time": presence.logged_on})


def _reason_row(names: Row, fields: dict[str, int]) -> Row:
    return {**names, **shown(fields), **_figures(("reason_share",), fields)}


def blank_reason() -> Row:
    """A row with the columns of all."""
    return _reason_row(_names("agent", NOBODY) | {"reason": ""}, {"begun": 0, "reason_time": 0, "logged_on_time": 0})


# After-call codes -----------------------------------------------------------------------------------------

OF_DISPOSITIONS = ("disposition_share", "average_talk_time", "average_after_call_work", "average_handling_time")
OF_CODED = ("handled", "unhandled", "talk_time", "wrap_up_time")


def dispositions(calls: Iterable[Call], by: By = By.EACH) -> Iterator[Row]:
    """A row for each queue and after-call code of its answered calls; the code None is that of calls without one."""
    whose_is = by.of("queue")
    tallies: dict[Whose, dict[str | None, Handling]] = {}
    for call in calls:
        if call.answered is not None:
            of_queue = tallies.setdefault(whose_is(call), {})
            tally = of_queue.get(call.disposition)
            if tally is None:
                tally = of_queue[call.disposition] = Handling()
            tally.add(call)
    for whose in sorted(tallies):
        answered = sum(tally.handled + tally.unhandled for tally in tallies[whose].values())
        for code in sorted(tallies[whose], key=lambda code: (code is None, code or "")):
            names = _names("queue", whose) | {"disposition": code}
            yield _disposition_row(names, tallies[whose][code], answered)


def _disposition_row(names: Row, tally: Handling, answered: int) -> Row:
    kept = {name: value for name, value in tally.fields().items() if name in OF_CODED}
    fields = {"coded": tally.handled + tally.unhandled, "answered": answered, **kept}
    return {**names, **shown(fields), **_figures(OF_DISPOSITIONS, fields)}


def blank_disposition() -> Row:
    """A row with the columns of all."""
    return _disposition_row(_names("queue", NOBODY) | {"disposition": None}, Handling(), 0)


# One agent's day, and the ledger --------------------------------------------------------------------------


def timeline(calls: Iterable[Call], times: Iterable[AgentTime], period: Period) -> Iterator[Row]:
    """The stretches of one agent in their order, each with the calls that he handled in it.

    `calls`: his, also those that entered before the period and may reach into it.
    """
    coming = _Ahead(calls, ENTERED)
    at_work: list[Call] = []
    for stretch in Floor(period.start).stretches(times, period.end):
        at_work = [call for call in at_work if _over(call) is None or micro(_over(call) or 0.0) >= stretch.start]
        at_work += (call for call in coming.before(stretch.end / MICRO) if call.answered is not None)
        yield _stretch_row(stretch, [call for call in at_work if _within(call, stretch)])


def _over(call: Call) -> float | None:
    """When the call was handled, as far as it is known."""
    return None if call.ended is None else call.ended + (call.wrap_up_time or 0.0)


def _within(call: Call, stretch: Stretch) -> bool:
    over = _over(call)
    if call.answered is None or micro(call.answered) >= stretch.end:
        return False
    if over is None or micro(over) > stretch.start:
        return True
    return call.wrap_up_time is None and stretch.wrap_up  # its length is not known yet


def _stretch_row(stretch: Stretch, calls: Sequence[Call]) -> Row:
    return {
        "from": moment(stretch.start / MICRO),
        "to": moment(stretch.end / MICRO),
        "since": moment(stretch.since / MICRO),
        "seconds": (stretch.end - stretch.start) / MICRO,
        "state": stretch.state,
        "reason": stretch.reason,
        "wrap_up": stretch.wrap_up,
        "calls": [call_row(call) for call in calls],
    }


def blank_stretch() -> Row:
    """A row with the columns of all."""
    return _stretch_row(Stretch(*NOBODY, 0, 0, "", "", False, 0), ())


def ledger(calls: Iterable[Call]) -> Iterator[Row]:
    """The rows of the ledger as they are."""
    return ({"handler": call.handler} | call_row(call) for call in calls)


def call_row(call: Call) -> Row:
    """One visit: its spans in whole seconds, and exactly."""
    row: Row = {name: getattr(call, name) for name in ("call", "queue", "caller", "agent", "session", "outcome")}
    row |= {"disposition": call.disposition, "estimated": bool(call.estimated)}
    for name in ("entered", "answered", "ended"):
        at = getattr(call, name)
        row[name] = None if at is None else moment(at)
    for name in ("ring_time", "wait_time", "talk_time", "hold_time", "wrap_up_time"):
        span = getattr(call, name)
        row[name] = None if span is None else int(span)
        row[f"{name}_exact"] = None if span is None else round(span, 6)
    return row


def blank_call() -> Row:
    """A row with the columns of all."""
    nobody: dict[str, Any] = dict.fromkeys(Call._fields)
    known: dict[str, Any] = {
        "handler": "",
        "key": "",
        "call": "",
        "queue": "",
        "caller": "",
        "entered": 0.0,
        "hold_time": 0.0,
        "estimated": False,
    }
    return next(ledger([Call(**nobody | known)]))


# Rows in their order --------------------------------------------------------------------------------------


class _Ahead(Generic[Timed]):
    """Rows up to a moment, and then those after it."""

    def __init__(self, rows: Iterable[Timed], time_of: Callable[[Timed], float]) -> None:
        self._rows: Iterator[Timed] = iter(rows)
        self._time_of: Callable[[Timed], float] = time_of
        self._next: Timed | None = next(self._rows, None)

    def before(self, end: float) -> Iterator[Timed]:
        while self._next is not None and self._time_of(self._next) < end:
            yield self._next
            self._next = next(self._rows, None)


def _figures(names: Iterable[str], fields: dict[str, int]) -> Row:
    return {name: figure(name, fields) for name in names}
