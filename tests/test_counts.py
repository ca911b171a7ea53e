"""Counters for Prometheus: each visit once, with the outcome it has in the end, and nothing ever taken back."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from acd.core import events as ev
from acd.core.center import Center
from acd.core.effects import Effect, VisitMoved
from acd.core.states import Outcome
from acd.counts import FOLLOWED, Histogram, QueueCounts, VisitCounts
from acd.store import STATE
from tests.core.desk import Desk
from tests.core.test_any_history import QUEUES, AnyHistory, MoodyDesk


class CountingDesk(Desk):
    """A desk whose changes are counted."""

    def __init__(self) -> None:
        self.counts: VisitCounts | None = None
        super().__init__()
        self.counts = VisitCounts(self.center.state)

    def apply(self, event: ev.Event | None) -> Sequence[Effect]:
        effects = super().apply(event)
        if self.counts is not None:
            hear(self.counts, effects)
        return effects

    def restart(self) -> None:
        """Another process, with the state as the one before it kept it."""
        self.center = Center(STATE.validate_json(STATE.dump_json(self.center.state)))
        self.counts = VisitCounts(self.center.state)

    def outcomes(self, queue: str = "support") -> dict[str, int]:
        """What a scrape finds."""
        assert self.counts is not None
        self.counts.settle()
        return {str(outcome): count for outcome, count in self.counts.of(queue).outcomes.items() if count}


def hear(counts: VisitCounts, effects: Sequence[Effect]) -> None:
    for effect in effects:
        if isinstance(effect, VisitMoved):
            counts.hear(effect)


@pytest.fixture
def desk() -> CountingDesk:
    return CountingDesk()


def spans(histogram: Histogram) -> tuple[int, float]:
    return sum(histogram.counts), histogram.total


def test_a_span_counts_up_to_the_bound_that_it_reaches_and_no_further():
    histogram = Histogram((1.0, 5.0))
    for seconds in (0.0, 1.0, 1.1, 5.0, 5.1, 900.0):
        histogram.add(seconds)
    assert (histogram.counts, histogram.total) == ([2, 2, 2], pytest.approx(912.2))


def test_a_span_below_zero_by_which_two_clocks_differ_takes_nothing_from_the_sum():
    histogram = Histogram((1.0,))
    histogram.add(2.0)
    histogram.add(-0.5)
    assert (histogram.counts, histogram.total) == ([1, 1], 2.0)


def test_an_answered_call_is_counted_with_its_wait_its_talk_and_its_wrap_up(desk):
    desk.agent()
    desk.take(rings=7)
    desk.after(60).hang_up()
    counts = desk.counts.of("support")
    assert (counts.entered, desk.outcomes()) == (1, {"answered": 1})
    assert (spans(counts.answer_wait), spans(counts.talk), spans(counts.wrap_up)) == ((1, 7.0), (1, 60.0), (0, 0.0))
    desk.after(10)
    assert spans(counts.wrap_up) == (1, 10.0)


def test_an_abandoned_call_is_counted_with_its_wait_and_is_no_answer(desk):
    desk.join()
    desk.after(12).give_up()
    counts = desk.counts.of("support")
    assert (desk.outcomes(), spans(counts.abandon_wait), spans(counts.answer_wait)) == (
        {"abandoned": 1},
        (1, 12.0),
        (0, 0.0),
    )


def test_a_caller_who_timed_out_is_counted_when_he_hangs_up_because_another_queue_may_follow(desk):
    desk.join()
    desk.leave()
    desk.apply(ev.QueueStatusTold(desk.now, "c1", "support", "TIMEOUT"))
    assert (desk.visit().outcome, desk.outcomes()) == (Outcome.TIMED_OUT, {})
    desk.after(30).apply(ev.ChannelEnded(desk.now, "c1", True))  # nothing moves by that
    assert desk.outcomes() == {"timed_out": 1}


def test_a_caller_who_timed_out_into_another_queue_has_flowed_out_and_nothing_else(desk):
    desk.join()
    desk.leave()
    desk.apply(ev.QueueStatusTold(desk.now, "c1", "support", "TIMEOUT"))
    assert desk.outcomes() == {}
    desk.after(3).join("c1", "sales")
    desk.give_up("c1", "sales")
    assert (desk.outcomes(), desk.outcomes("sales")) == ({"flowed_out": 1}, {"abandoned": 1})


def test_an_answer_that_is_heard_after_the_exit_was_booked_as_something_else_is_one_answer(desk):
    desk.agent()
    desk.join()
    desk.ring()
    desk.after(2).apply(ev.CallerLeft(desk.now, "c1", "support"))
    answered = desk.now
    desk.after(3)
    assert (desk.visit().outcome, desk.outcomes()) == (Outcome.LEFT_BY_KEY, {})
    desk.apply(ev.AgentConnected(answered, "c1", "support", "PJSIP/1001", "", "leg-c1", 0, 2))
    desk.after(10).hang_up()
    assert (desk.counts.of("support").entered, desk.outcomes()) == (1, {"answered": 1})


def test_a_call_that_is_heard_of_by_its_answer_alone_has_entered_once(desk):
    desk.agent()
    desk.apply(ev.AgentConnected(desk.now, "c1", "support", "PJSIP/1001", "", "leg-c1", 0, 4))
    counts = desk.counts.of("support")
    assert (counts.entered, desk.outcomes(), spans(counts.answer_wait)) == (1, {"answered": 1}, (1, 4.0))


def test_what_is_read_of_an_absence_is_counted_as_what_is_heard(desk):
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.apply(ev.CallerJoined(desk.now, "c1", "support", 1, "555", ""))
    desk.apply(ev.ExitRead(desk.now + 8, "c1", "support", "abandoned"))
    counts = desk.counts.of("support")
    assert (counts.entered, desk.outcomes(), spans(counts.abandon_wait)) == (1, {"abandoned": 1}, (1, 8.0))


def test_another_measurement_period_takes_nothing_back(desk):
    desk.join()
    desk.give_up()
    desk.apply(ev.MeasurementPeriodSet(desk.now, 60, queue="support"))
    assert desk.queue_now().total_calls_abandoned == 0
    assert (desk.counts.of("support").entered, desk.outcomes()) == (1, {"abandoned": 1})


def test_after_a_restart_only_what_happens_from_then_on_is_counted(desk):
    desk.agent()
    desk.take("c1")
    desk.join("c2")
    desk.join("c3", "sales")
    desk.leave("c3", "sales")
    desk.apply(ev.QueueStatusTold(desk.now, "c3", "sales", "TIMEOUT"))
    desk.restart()
    assert (desk.outcomes(), desk.counts.of("support").entered) == ({}, 0)
    desk.after(20).hang_up("c1")
    desk.give_up("c2")
    desk.apply(ev.ChannelEnded(desk.now, "c3", True))
    counts = desk.counts.of("support")
    assert (desk.outcomes(), desk.outcomes("sales")) == ({"abandoned": 1}, {"timed_out": 1})
    assert (counts.entered, spans(counts.talk), spans(counts.answer_wait)) == (0, (1, 20.0), (0, 0.0))


def test_visits_that_are_over_are_forgotten_also_where_nobody_asks(desk):
    for number in range(2 * FOLLOWED):
        desk.join(f"c{number}")
        desk.give_up(f"c{number}")
    assert len(desk.counts._followed) <= FOLLOWED
    assert desk.counts.of("support").entered == 2 * FOLLOWED
    assert desk.outcomes() == {"abandoned": 2 * FOLLOWED}


# Whatever happens ------------------------------------------------------------------------------------------


class MoodyCountingDesk(MoodyDesk):
    """Counted by one process after the other."""

    def __init__(self) -> None:
        self.processes: list[VisitCounts] = []
        super().__init__()
        self.start()

    def start(self) -> None:
        for counts in self.processes[-1:]:
            counts.settle()
        self.processes.append(VisitCounts(self.center.state))

    def _tell(self, event: ev.Event | None) -> Sequence[Effect]:
        effects = super()._tell(event)
        for counts in self.processes[-1:]:
            hear(counts, effects)
        return effects

    def counted(self, queue: str) -> list[float]:
        """Every number there is of a queue."""
        self.processes[-1].settle()
        found: list[list[float]] = [_numbers(counts.of(queue)) for counts in self.processes]
        return [sum(each) for each in zip(*found, strict=True)]

    def listed(self, queue: str) -> list[float]:
        """The same, of all visits that there were, as they are now."""
        counts = QueueCounts()
        visits = [visit for visit in self.visits.values() if visit.queue == queue]
        counts.entered = len(visits)
        counts.outcomes |= Counter(visit.outcome for visit in visits if visit.outcome is not None)
        _add(counts.answer_wait, [visit.wait for visit in visits if visit.outcome is Outcome.ANSWERED])
        _add(counts.abandon_wait, [visit.wait for visit in visits if visit.outcome is Outcome.ABANDONED])
        _add(counts.talk, [visit.talk for visit in visits])
        _add(counts.wrap_up, [visit.wrap_up for visit in visits])
        return _numbers(counts)


def _add(histogram: Histogram, spans: Sequence[float | None]) -> None:
    for span in spans:
        if span is not None:
            histogram.add(span)


def _numbers(counts: QueueCounts) -> list[float]:
    histograms = (counts.answer_wait, counts.abandon_wait, counts.talk, counts.wrap_up)
    spans = [number for histogram in histograms for number in (*histogram.counts, histogram.total)]
    return [counts.entered, *(counts.outcomes[outcome] for outcome in Outcome), *spans]


class AnyCountedHistory(AnyHistory):
    """Any history, with overflows and restarts of acd."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = MoodyCountingDesk()
        self.before = {queue: self.desk.counted(queue) for queue in QUEUES}
        self.overflown: set[str] = set()

    @precondition(lambda self: set(self.waiting) - set(self.ringing) - self.overflown and not self.desk.gone)
    @rule(data=st.data(), told=st.booleans(), seconds=st.floats(0.01, 10))
    def a_caller_overflows(self, data, told, seconds):
        call = data.draw(st.sampled_from(sorted(set(self.waiting) - set(self.ringing) - self.overflown)))
        queue = self.waiting[call]
        self.desk.leave(call, queue)
        if told:
            self.desk.apply(ev.QueueStatusTold(self.desk.now, call, queue, "TIMEOUT"))
        self.desk.after(seconds)
        other = QUEUES[1 - QUEUES.index(queue)]
        self.desk.join(call, other)
        self.waiting[call] = other
        self.overflown.add(call)

    @rule()
    def acd_is_started_again(self):
        self.desk.center = Center(STATE.validate_json(STATE.dump_json(self.desk.center.state)))
        self.desk.visits |= self.desk.center.state.visits
        self.desk.start()

    @invariant()
    def no_counter_goes_down(self):
        for queue, before in self.before.items():
            now = self.before[queue] = self.desk.counted(queue)
            assert all(new >= old - 1e-9 for new, old in zip(now, before, strict=True))

    def teardown(self):
        super().teardown()
        for queue in QUEUES:
            assert self.desk.counted(queue) == pytest.approx(self.desk.listed(queue))


TestAnyCountedHistory = pytest.mark.timeout(method="thread")(AnyCountedHistory.TestCase)
TestAnyCountedHistory.settings = settings(stateful_step_count=40)
