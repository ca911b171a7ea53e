"""Where the two accounts of one visit differ, figure by figure.

queue_log cuts its times off to whole seconds, so acd's moment may lie up to one second behind the line's, and a
difference of two of them is wrong by less than a second. A line and an event of AMI about the same thing are not
written in the same instant: SLACK on top of that, to either side.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from acd.audit.ledger import Row
from acd.audit.recompute import Logged

SLACK = 0.25  # seconds between a line and the event about the same thing
SECOND = 1.0  # of the log's clock
EXACT = 0.002  # seconds within which the figures of one row must close; they are floats

Value = str | float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one visit. `kind` and `why` are filled in where it is explained."""

    figure: str
    acd: Value
    log: Value
    kind: str | None = None
    why: str = ""


def same_moment(acd: float, line: int) -> bool:
    """acd's time may be that of a line with this stamp."""
    return line - SLACK <= acd < line + SECOND + SLACK


def same_span(acd: float, seconds: int) -> bool:
    """So many seconds may be the difference of two stamps that are so far apart."""
    return abs(acd - seconds) < SECOND + SLACK


def differences(visit: Logged | None, row: Row | None, users: Mapping[str, str]) -> list[Difference]:
    """What the two accounts disagree in; `users`: acd's agents by their keys."""
    if row is None:
        assert visit is not None
        return [Difference("visit", None, visit.outcome or "waiting")]
    if visit is None:
        return [Difference("visit", row.outcome or "waiting", None)]
    return [*_of_visit(visit, row), *_of_wait(visit, row), *_of_talk(visit, row, users), *_of_row(row)]


def _of_visit(visit: Logged, row: Row) -> Iterator[Difference]:
    if row.call != row.call_at_entry:
        yield Difference("call", row.call, visit.call)
    if not same_moment(row.entered, visit.entered):
        yield Difference("entered", row.entered, visit.entered)
    if row.outcome != visit.outcome:
        yield Difference("outcome", row.outcome, visit.outcome)


def _of_wait(visit: Logged, row: Row) -> Iterator[Difference]:
    what = "answered" if visit.exit == "CONNECT" else "left"
    if not _agree(row.left, visit.left):
        yield Difference(what, row.left, visit.left)
    elif _agree(row.entered, visit.entered) and not _fits(row.wait_time, visit.waited):
        yield Difference("wait", row.wait_time, visit.waited)


def _of_talk(visit: Logged, row: Row, users: Mapping[str, str]) -> Iterator[Difference]:
    if visit.exit != "CONNECT" or row.answered is None:
        return
    agent = None if row.agent is None else users.get(row.agent, row.agent)
    if agent != visit.member:
        yield Difference("agent", agent, visit.member)
    if not _agree(row.ended, visit.ended):
        yield Difference("ended", row.ended, visit.ended)
    elif _agree(row.answered, visit.left) and not _fits(row.talk_time, visit.talked):
        yield Difference("talk", row.talk_time, visit.talked)
    yield from _of_wrap_up(visit, row)


def _agree(acd: float | None, line: int | None) -> bool:
    """Both have none, or acd's may be the line's."""
    return acd is None and line is None if acd is None or line is None else same_moment(acd, line)


def _fits(acd: float | None, seconds: int | None) -> bool:
    return acd is None or seconds is None or same_span(acd, seconds)


def _of_wrap_up(visit: Logged, row: Row) -> Iterator[Difference]:
    """Its end is a line of its own, so that it can be told where the end of the talk cannot."""
    if visit.talks_on or not visit.paused:
        if row.ended is not None and row.wrap_up_time != 0:
            yield Difference("wrap_up", row.wrap_up_time, 0)
    elif visit.freed is None or row.freed is None:
        if (visit.freed is None) is not (row.freed is None):
            yield Difference("wrap_up", row.wrap_up_time, visit.wrap_up)
    elif not same_moment(row.freed, _free_at(visit, row)):
        yield Difference("wrap_up", row.wrap_up_time, visit.wrap_up)


def _free_at(visit: Logged, row: Row) -> int:
    """A pause that was lifted in mid-call ended no wrap-up."""
    assert visit.freed is not None
    agreed = visit.ended is not None and row.ended is not None and same_moment(row.ended, visit.ended)
    return max(visit.freed, visit.ended) if agreed and visit.ended is not None else visit.freed


def _of_row(row: Row) -> Iterator[Difference]:
    """The row's own figures must close: what it says twice it must say alike."""
    if row.left is not None and row.outcome is not None:
        wait = max(0.0, row.left - row.entered)
        if row.wait_time is None or abs(row.wait_time - wait) > EXACT:
            yield Difference("wait", row.wait_time, None, None, f"its own times make it {wait:.3f}")
    if row.answered is not None and row.ended is not None:
        talk = max(0.0, row.ended - row.answered)
        if row.talk_time is None or abs(row.talk_time - talk) > EXACT:
            yield Difference("talk", row.talk_time, None, None, f"its own times make it {talk:.3f}")
    if row.answered is None and (row.agent is not None or row.talk_time is not None):
        yield Difference("agent", row.agent, None, None, "it was never answered")
