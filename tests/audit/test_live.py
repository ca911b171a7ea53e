"""The API's figures beside those of audited calls: what can be compared honestly is, the rest is named."""

from typing import Any

import pytest

from acd.audit.evidence import Evidence
from acd.audit.ledger import Happened, Row
from acd.audit.live import Live, Periods
from acd.audit.recompute import Logged

NOW = 1_700_010_000.0
BEGUN = NOW - 5000  # acd's log begins
DAY = 86400

QUEUE = {
    "name": "support",
    "measurement_period": DAY,
    "total_calls_queued": 2,
    "current_calls_queued": 0,
    "total_calls_answered": 1,
    "total_calls_abandoned": 1,
    "total_calls_flowed_in": 0,
    "total_calls_flowed_out": 0,
    "final_disposition": 0,
    "longest_ever_wait_time_exact": 5.5,
    "average_wait_time_exact": 5.0,
}
AGENT = {
    "agent": "1001",
    "user": "alice",
    "measurement_period": DAY,
    "number_of_acd_calls": 1,
    "total_acd_talk_time_exact": 20.25,
    "total_wrap_up_time_exact": 4.0,
}


def periods(state: dict[str, Any] | None = None, *later: Happened, sliding: bool = False) -> Periods:
    return Periods(state or {}, later, BEGUN, sliding)


def live(queue: dict[str, Any] | None = None, agent: dict[str, Any] | None = None, **more: Any) -> Live:
    return Live(NOW, [QUEUE | (queue or {})], [AGENT | (agent or {})], more.get("periods", periods()))


def row(call: str, entered: float, **values: Any) -> Row:
    known = {
        "key": f"{call}/support/1",
        "call": call,
        "queue": "support",
        "agent": None,
        "entered": NOW + entered,
        "answered": None,
        "ended": None,
        "wait_time": 0.0,
        "talk_time": None,
        "wrap_up_time": None,
        "outcome": "abandoned",
        "estimated": False,
    }
    moments = {name: NOW + values.pop(name) for name in ("answered", "ended") if name in values}
    return Row(**(known | values | moments))


def logged(row: Row) -> Logged:
    return Logged(row.call, row.queue, int(row.entered), "555")


def both(which: Live) -> Live:
    """One answered call and one abandoned, in both accounts alike."""
    for each in (
        row("c1", -1000, answered=-995.5, ended=-975.25, agent="1001", wrap_up_time=4.0, outcome="answered"),
        row("c2", -500, ended=-494.5),
    ):
        which.add((logged(each), each), False)
    return which


def wrong(which: Live) -> list[str]:
    return [figure.name for figure in which.figures() if not figure.agrees]


def test_figures_of_calls_that_both_accounts_tell_agree():
    which = both(live())
    assert wrong(which) == []
    assert len(which.figures()) == 12
    assert which.unknown == which.moving == []


@pytest.mark.parametrize("name", [name for name in QUEUE if name not in ("name", "measurement_period")])
def test_every_figure_of_a_queue_that_is_off_by_one_is_found(name):
    assert wrong(both(live({name: QUEUE[name] + 1}))) == [name]


@pytest.mark.parametrize("name", [name for name in AGENT if "total" in name or "number" in name])
def test_every_figure_of_an_agent_that_is_off_by_a_little_is_found(name):
    off = 1 if name.startswith("number") else 0.05
    assert wrong(both(live(agent={name: AGENT[name] + off}))) == [name]


def test_a_call_that_nothing_explains_counts_as_queue_log_has_it():
    which = both(live())
    visit = Logged("c3", "support", int(NOW) - 300, "555", exit="ABANDON", left=int(NOW) - 290)
    which.add((visit, None), True)
    which.settle(Evidence())
    assert set(wrong(which)) >= {"total_calls_queued", "total_calls_abandoned"}


def test_a_row_that_queue_log_does_not_have_does_not_count():
    which = both(live())
    which.add((None, row("c3", -300, ended=-290)), True)
    which.settle(Evidence())
    assert wrong(which) == []


def test_a_call_before_acd_listened_does_not_count():
    which = both(live())
    visit = Logged("c3", "support", int(NOW) - 300, "555", exit="ABANDON", left=int(NOW) - 290)
    which.add((visit, None), True)
    which.settle(Evidence(first_heard=NOW - 200))
    assert wrong(which) == []


def test_what_moves_in_the_seconds_of_the_question_is_left_out_or_allowed_for():
    which = both(live({"total_calls_queued": 3}))
    each = row("c3", -10, ended=-1)
    which.add((logged(each), each), False)
    assert wrong(which) == []
    assert which.moving == ["times of queue support"]
    assert not [figure for figure in which.figures() if "time" in figure.name and figure.of == "queue support"]


def test_who_waits_at_the_question_is_waiting():
    which = both(live({"total_calls_queued": 3, "current_calls_queued": 1}))
    each = row("c3", -10, outcome=None, wait_time=None)
    which.add((logged(each), each), False)
    later = row("c4", 10, ended=12)
    which.add((logged(later), later), False)
    assert wrong(which) == []


def test_a_call_that_ended_before_the_period_does_not_count():
    state = measured(NOW - 700, rolled=True, seconds=DAY)
    said = {"total_calls_queued": 1, "total_calls_answered": 0, "average_wait_time_exact": 5.5}
    assert wrong(both(live(said, periods=periods(state)))) == []


# periods


def measured(since: float, *, rolled: bool, seconds: int = 600) -> dict[str, Any]:
    return {"queues": {"support": {"measured": {"since": since, "seconds": seconds, "rolled": rolled}}}}


@pytest.mark.parametrize(
    ("of", "seconds", "start"),
    [
        (periods(), DAY, 0.0),  # its first one is not over
        (periods(), 600, None),  # some are over, and nobody knows when the first began
        (periods(sliding=True), 600, NOW - 600),
        (periods(measured(NOW - 1500, rolled=False)), 600, NOW - 300),
        (periods(measured(NOW - 100, rolled=False)), 600, 0.0),
        (periods(measured(NOW - 100, rolled=True)), 600, NOW - 100),
        (periods(measured(NOW - 100, rolled=True)), 700, None),  # it was changed since
        (
            periods(
                measured(NOW - 1500, rolled=True),
                Happened(9, NOW - 50, "MeasurementPeriodSet", [NOW - 50, 700, None, "support"]),
            ),
            700,
            NOW - 50,
        ),
    ],
)
def test_the_beginning_of_a_period_is_known_or_it_is_not_compared(of, seconds, start):
    assert of.start("queues", "support", seconds, NOW) == start
    which = live({"measurement_period": seconds}, periods=of)
    assert which.unknown == ([] if start is not None else ["queue support"])
