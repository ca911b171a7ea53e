"""A log of any length goes through in the memory that a day of it takes."""

from collections.abc import Iterator

from acd.asterisk.queue_log import Line
from acd.audit.ledger import Row
from acd.audit.pairs import paired
from acd.audit.recompute import Logged, Recompute

DAYS, A_DAY = 6, 300
STEP = 86400 // A_DAY


def calls() -> Iterator[tuple[str, int]]:
    for number in range(DAYS * A_DAY):
        yield f"c{number}", 1_700_000_000 + number * STEP


class Counted:
    """How many visits and rows are held, at most."""

    def __init__(self) -> None:
        self.held = self.most = 0

    def take(self) -> None:
        self.held += 1
        self.most = max(self.most, self.held)

    def logged(self) -> Iterator[Logged]:
        recompute = Recompute()
        for call, at in calls():
            self.take()
            for line in (
                Line(at, call, "q", "NONE", "ENTERQUEUE", ("", "5", "1")),
                Line(at + 9, call, "q", "NONE", "ABANDON", ("1", "1", "9")),
            ):
                yield from recompute.add(line)
        yield from recompute.rest()

    def rows(self, missing: int) -> Iterator[Row]:
        for number, (call, at) in enumerate(calls()):
            if missing and number % missing == 0:
                continue
            self.take()
            yield Row(f"{call}/q/1", call, "q", None, at + 0.5, None, at + 9.5, 9.0, None, None, "abandoned", False)


def test_a_day_of_calls_is_held_at_most():
    counted = Counted()
    pairs = 0
    for visit, row in paired(counted.logged(), counted.rows(0)):
        assert visit is not None and row is not None and visit.call == row.call
        counted.held -= 2
        pairs += 1
    assert pairs == DAYS * A_DAY
    assert counted.most < 1.2 * A_DAY


def test_those_that_only_one_account_has_are_given_up_after_a_day():
    counted = Counted()
    alone = 0
    for visit, row in paired(counted.logged(), counted.rows(10)):
        counted.held -= (visit is not None) + (row is not None)
        alone += row is None
    assert alone == DAYS * A_DAY // 10
    assert counted.most < 1.4 * A_DAY
