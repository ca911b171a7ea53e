"""Every figure against a plain count of the rows, and every report as the sum of its intervals."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.reports import reports
from acd.reports.figures import FIELDS, FORMULAS, MEANINGS, OF_HANDLING, OF_TIME, OF_WAITING, Figure
from acd.reports.periods import intervals
from acd.reports.reports import By
from acd.reports.rows import AgentTime, Call
from acd.reports.tallies import OUTCOMES, Terms
from tests.reports import books
from tests.reports.books import AGENTS, NOON, a_call, a_period, abandoned, does, unanswered

TERMS = Terms(20.0, 5.0, (5.0, 20.0, 60.0))
STEP = st.sampled_from(["15m", "1h", "1d"])
ZONE = st.sampled_from(["Europe/Berlin", "UTC", "Australia/Lord_Howe", "Asia/Kathmandu", "America/New_York"])


def share(numerator: float, denominator: float) -> tuple[float, float]:
    return numerator, denominator


class Plain:
    """The figures of some visits, counted anew for each."""

    def __init__(self, calls: Sequence[Call]) -> None:
        over = [call for call in calls if call.outcome in OUTCOMES and call.wait_time is not None]
        self.offered = len(over)
        self.waits = [call.wait_time or 0.0 for call in over if call.outcome == "answered"]
        self.gave_up = [call.wait_time or 0.0 for call in over if call.outcome == "abandoned"]
        answered = [call for call in over if call.outcome == "answered"]
        self.handled = [call for call in answered if call.talk_time is not None and call.wrap_up_time is not None]
        self.rung = [call.ring_time for call in answered if call.ring_time is not None]

    def figures(self) -> dict[str, tuple[float, float]]:
        early = len([wait for wait in self.waits if wait <= 20])
        early_gone = len([wait for wait in self.gave_up if wait <= 20])
        short = len([wait for wait in self.gave_up if wait <= 5])
        handled = len(self.handled)
        talk = sum(call.talk_time or 0.0 for call in self.handled)
        wrap_up = sum(call.wrap_up_time or 0.0 for call in self.handled)
        return {
            "service_level_of_answered": share(early, len(self.waits)),
            "service_level_of_offered": share(early, self.offered),
            "service_level_ignoring_early_abandons": share(early, self.offered - early_gone),
            "service_level_with_early_abandons": share(early + early_gone, self.offered),
            "answer_rate": share(len(self.waits), self.offered),
            "abandon_rate": share(len(self.gave_up), self.offered),
            "abandon_rate_without_short": share(len(self.gave_up) - short, self.offered - short),
            "average_speed_of_answer": share(sum(self.waits), len(self.waits)),
            "average_time_to_abandon": share(sum(self.gave_up), len(self.gave_up)),
            "average_ring_time": share(sum(self.rung), len(self.rung)),
            "average_talk_time": share(talk, handled),
            "average_hold_time": share(sum(call.hold_time for call in self.handled), handled),
            "average_after_call_work": share(wrap_up, handled),
            "average_handling_time": share(talk + wrap_up, handled),
        }


def check_figures(row: dict[str, Any], expected: dict[str, tuple[float, float]]) -> None:
    for name, (numerator, denominator) in expected.items():
        figure = row[name]
        assert figure.numerator == pytest.approx(numerator, abs=1e-4), name
        assert figure.denominator == pytest.approx(denominator, abs=1e-4), name
        assert (figure.value is None) == (figure.denominator == 0), name
        if figure.value is not None:
            assert figure.value == pytest.approx(figure.numerator / figure.denominator, abs=1e-6), name


def check_formulas(row: dict[str, Any]) -> None:
    """What the row shows gives the figure again, by the formula that it shows."""
    for name, figure in row.items():
        if isinstance(figure, Figure):
            above, below = (eval(part, {}, row) for part in figure.formula.split(" / "))  # noqa: S307 - our own
            assert (figure.numerator, figure.denominator) == (pytest.approx(above), pytest.approx(below)), name


@given(books.calls())
def test_the_figures_of_a_queue_are_what_a_plain_count_gives(calls):
    rows = list(reports.queues(calls, TERMS))
    assert [row["queue"] for row in rows] == sorted({call.queue for call in calls})
    for row in rows:
        visits = [call for call in calls if call.queue == row["queue"]]
        expected = Plain(visits).figures()
        assert set(expected) == {*OF_WAITING, *OF_HANDLING}
        check_figures(row, expected)
        check_formulas(row)
        assert row["entered"] == len(visits)
        assert row["waiting"] == len([call for call in visits if call.outcome is None])
        assert row["offered"] == row["entered"] - row["waiting"] - row["unknown"] == sum(row[each] for each in OUTCOMES)
        assert row["estimated"] == len([call for call in visits if call.estimated])
        waits = [call.wait_time for call in visits if call.outcome in OUTCOMES and call.wait_time is not None]
        assert row["longest_wait_time"] == pytest.approx(max(waits, default=0.0), abs=1e-6)


@given(books.calls())
def test_the_histogram_counts_within_each_threshold(calls):
    for row in reports.queues(calls, TERMS):
        plain = Plain([call for call in calls if call.queue == row["queue"]])
        assert row["histogram"] == [
            {
                "threshold": limit,
                "answered": len([wait for wait in plain.waits if wait <= limit]),
                "abandoned": len([wait for wait in plain.gave_up if wait <= limit]),
            }
            for limit in (5.0, 20.0, 60.0)
        ]


@given(books.calls(), STEP, ZONE)
def test_the_intervals_of_queues_add_up_to_the_whole_exactly(calls, step, zone):
    period = a_period(step, zone)
    parts = list(reports.queue_intervals(calls, TERMS, period))
    for whole in reports.queues(calls, TERMS):
        mine = [part for part in parts if part["queue"] == whole["queue"]]
        for name in whole.keys() & FIELDS.keys() - {"longest_wait_time"}:
            assert books.added(mine, name) == pytest.approx(whole[name], abs=1e-9), name
        assert max(part["longest_wait_time"] for part in mine) == whole["longest_wait_time"]
        for place, step_of_whole in enumerate(whole["histogram"]):
            for kind in ("answered", "abandoned"):
                assert sum(part["histogram"][place][kind] for part in mine) == step_of_whole[kind]


@given(books.calls(), STEP, ZONE)
def test_a_visit_belongs_to_the_interval_in_which_it_entered(calls, step, zone):
    period = a_period(step, zone)
    parts = reports.queue_intervals(
        calls, TERMS, period, known=[("main", queue) for queue in ("sales", "support", "silent")]
    )
    tiles = list(intervals(period.start, period.end, step, period.zone))
    for tile in tiles:
        for queue in ("sales", "silent", "support"):
            part = next(parts)
            mine = [call for call in calls if call.queue == queue and tile.start <= call.entered < tile.end]
            assert (part["queue"], part["entered"]) == (queue, len(mine))
            check_figures(part, Plain(mine).figures())
    assert next(parts, None) is None


# Agents ---------------------------------------------------------------------------------------------------


def spent(times: Sequence[AgentTime], agent: str, start: float, end: float, fits: Callable[[AgentTime], bool]) -> float:
    """Seconds of an agent in stretches that fit, one stretch after the other."""
    mine = [row for row in times if row.agent == agent]
    ends = [*(row.at for row in mine[1:]), end]
    return sum(
        max(0.0, min(until, end) - max(row.at, start)) for row, until in zip(mine, ends, strict=False) if fits(row)
    )


def plain_times(times: Sequence[AgentTime], agent: str, start: float, end: float) -> dict[str, float]:
    known = ("NOT_READY", "READY", "BUSY_ACD", "BUSY_INCOMING", "BUSY_OUTGOING")
    by_state = {state: spent(times, agent, start, end, lambda row, state=state: row.state == state) for state in known}  # type: ignore[misc]
    return {
        **{f"{state.lower()}_time": seconds for state, seconds in by_state.items()},
        "logged_on_time": sum(by_state.values()),
        "unknown_time": spent(times, agent, start, end, lambda row: row.state == "UNKNOWN"),
        "after_call_work_time": spent(times, agent, start, end, lambda row: row.state == "BUSY_ACD" and row.wrap_up),
    }


@given(books.calls(), books.times())
def test_the_figures_of_an_agent_are_what_a_plain_count_gives(calls, times):
    period = a_period()
    rows = list(reports.agents(calls, times, period))
    for row in rows:
        agent = row["agent"]
        plain = plain_times(times, agent, period.start, period.end)
        assert {name: row[name] for name in plain} == pytest.approx(plain, abs=1e-4)
        mine = [call for call in calls if call.agent == agent and call.answered is not None]
        expected = Plain([call._replace(wait_time=0.0) for call in mine]).figures()
        check_figures(row, {name: expected[name] for name in OF_HANDLING})
        assert row["answered"] == len(mine) == row["handled"] + row["unhandled"]
        busy, ready, logged_on = plain["busy_acd_time"], plain["ready_time"], plain["logged_on_time"]
        check_figures(row, {"occupancy": (busy, busy + ready), "utilisation": (busy, logged_on)})
        check_figures(row, {"not_ready_share": (plain["not_ready_time"], logged_on)})
        check_formulas(row)
        assert sum(row["not_ready_reasons"].values()) == pytest.approx(plain["not_ready_time"], abs=1e-4)
    told = {row["agent"] for row in rows}
    for agent in set(AGENTS) - told:
        assert not [call for call in calls if call.agent == agent]
        times_of_agent = plain_times(times, agent, period.start, period.end)
        assert times_of_agent["logged_on_time"] + times_of_agent["unknown_time"] == pytest.approx(0, abs=1e-5)


@given(books.calls(), books.times(), STEP, ZONE)
def test_the_intervals_of_agents_add_up_to_the_whole_exactly(calls, times, step, zone):
    period = a_period(step, zone)
    parts = list(reports.agent_intervals(calls, times, period))
    wholes = list(reports.agents(calls, times, period))
    assert {part["agent"] for part in parts} == {whole["agent"] for whole in wholes}
    for whole in wholes:
        mine = [part for part in parts if part["agent"] == whole["agent"]]
        for name in whole.keys() & FIELDS.keys():
            assert books.added(mine, name) == pytest.approx(whole[name], abs=1e-6), name
        for name in (*OF_HANDLING, *OF_TIME):
            assert sum(part[name].numerator for part in mine) == pytest.approx(whole[name].numerator, abs=1e-6), name


@given(books.times(), STEP, ZONE)
def test_an_agents_time_is_cut_where_an_interval_ends(times, step, zone):
    period = a_period(step, zone)
    parts = {(part["from"], part["agent"]): part for part in reports.agent_intervals([], times, period)}
    for tile in intervals(period.start, period.end, step, period.zone):
        for agent in AGENTS:
            plain = plain_times(times, agent, tile.start, tile.end)
            part = parts.get((period.names(tile)["from"], agent), dict.fromkeys(plain, 0.0))
            assert {name: part[name] for name in plain} == pytest.approx(plain, abs=1e-4)


@given(books.times())
def test_reasons_tell_how_long_and_how_often_an_agent_was_not_ready(times):
    period = a_period()
    rows = {(row["agent"], row["reason"]): row for row in reports.reasons(times, period)}
    for agent in AGENTS:
        for reason in ("", "lunch", "coffee"):

            def fits(row: AgentTime, reason: str = reason) -> bool:
                return row.state == "NOT_READY" and row.reason == reason

            mine = [row for row in times if row.agent == agent]
            before = [None, *mine]
            begun = [
                row
                for row, last in zip(mine, before, strict=False)
                if row.at >= NOON and fits(row) and not (last is not None and fits(last))
            ]
            row = rows.get((agent, reason), {"reason_time": 0.0, "begun": 0})
            plain = spent(times, agent, period.start, period.end, fits)
            assert row["reason_time"] == pytest.approx(plain, abs=1e-5)
            if plain > 1e-5:
                assert row["begun"] == len(begun)
                logged_on = plain_times(times, agent, period.start, period.end)["logged_on_time"]
                check_figures(row, {"reason_share": (plain, logged_on)})


# After-call codes, time lines -----------------------------------------------------------------------------


@given(books.calls())
def test_each_answered_call_is_counted_under_its_code_or_among_those_without(calls):
    rows = {(row["queue"], row["disposition"]): row for row in reports.dispositions(calls)}
    answered = [call for call in calls if call.answered is not None]
    assert rows.keys() == {(call.queue, call.disposition) for call in answered}
    for (queue, code), row in rows.items():
        of_queue = [call for call in answered if call.queue == queue]
        mine = [call for call in of_queue if call.disposition == code]
        expected = Plain([call._replace(wait_time=0.0) for call in mine]).figures()
        names = ("average_talk_time", "average_after_call_work", "average_handling_time")
        check_figures(row, {name: expected[name] for name in names})
        check_figures(row, {"disposition_share": (len(mine), len(of_queue))})
        check_formulas(row)


@given(books.calls(), books.times())
def test_a_time_line_shows_each_stretch_with_the_calls_that_were_handled_in_it(calls, times):
    period = a_period()
    mine = [row for row in times if row.agent == "1001"]
    handled = [call for call in calls if call.agent == "1001"]
    rows = list(reports.timeline(handled, mine, period))
    for one, other in pairwise(rows):
        assert one["to"] == other["from"]
    assert sum(row["seconds"] for row in rows) == pytest.approx(
        spent(times, "1001", period.start, period.end, lambda _: True), abs=1e-5
    )
    for row in rows:
        expected = [call.call for call in handled if overlaps(call, row)]
        assert [call["call"] for call in row["calls"]] == expected


def overlaps(call: Call, row: dict[str, Any]) -> bool:
    start, end = (datetime.fromisoformat(row[name]).timestamp() for name in ("from", "to"))
    assert call.answered is not None and call.ended is not None
    if round(call.answered, 6) >= round(end, 6):
        return False
    if call.wrap_up_time is None and row["wrap_up"] and round(call.ended, 6) >= round(start, 6):
        return True
    return round(call.ended + (call.wrap_up_time or 0.0), 6) > round(start, 6)


def test_a_call_that_goes_on_is_in_the_stretch_that_goes_on():
    call = a_call(NOON + 5, ended=None, talk_time=None, wrap_up_time=None)
    (ready, busy) = reports.timeline(
        [call], [does("1001", NOON, "READY"), does("1001", NOON + 9, "BUSY_ACD")], a_period(end=NOON + 60)
    )
    assert (ready["seconds"], ready["calls"]) == (9.0, [])
    assert (busy["seconds"], [each["call"] for each in busy["calls"]]) == (51.0, [call.call])


def test_a_call_whose_wrap_up_goes_on_is_in_the_stretch_of_its_wrap_up_and_no_longer():
    call = a_call(NOON, wrap_up_time=None)  # until 64 s after noon
    times = [
        does("1001", NOON + 4, "BUSY_ACD"),
        does("1001", NOON + 64, "BUSY_ACD", wrap_up=True),
        does("1001", NOON + 80, "READY"),
        does("1001", NOON + 90, "BUSY_ACD", wrap_up=True),
    ]
    rows = reports.timeline([call], times, a_period(end=NOON + 100))
    assert [[each["call"] for each in row["calls"]] for row in rows] == [[call.call], [call.call], [], []]


def test_a_stretch_that_began_before_the_period_is_cut_and_says_since_when_it_was():
    (row,) = reports.timeline([], [does("1001", NOON - 90.5, "NOT_READY", "lunch")], a_period(end=NOON + 60))
    assert (row["from"], row["since"]) == ("2024-03-30T12:00:00.000000Z", "2024-03-30T11:58:29.500000Z")
    assert (row["seconds"], row["state"], row["reason"]) == (60.0, "NOT_READY", "lunch")


# What counts how ------------------------------------------------------------------------------------------


def only(calls: Sequence[Call], terms: Terms = TERMS) -> dict[str, Any]:
    (row,) = reports.queues(calls, terms)
    return row


def test_the_four_service_levels_differ_in_what_they_make_of_abandoned_calls():
    calls = [a_call(wait_time=20.0), a_call(wait_time=20.5), abandoned(wait=3.0), abandoned(wait=60.0)]
    row = only(calls)
    levels = {name: row[name].value for name in row if name.startswith("service_level")}
    assert levels == {
        "service_level_of_answered": 0.5,
        "service_level_of_offered": 0.25,
        "service_level_ignoring_early_abandons": pytest.approx(1 / 3, abs=1e-6),
        "service_level_with_early_abandons": 0.5,
    }


def test_short_abandons_are_told_apart():
    row = only([a_call(), abandoned(wait=5.0), abandoned(wait=5.5)])
    assert row["short_abandoned"] == 1
    assert row["abandon_rate"].value == pytest.approx(2 / 3, abs=1e-6)
    assert row["abandon_rate_without_short"].value == 0.5


@pytest.mark.parametrize("outcome", ["unknown", "from a newer acd"])
def test_what_nobody_knows_is_counted_as_unknown_and_is_in_no_figure(outcome):
    row = only([a_call(), unanswered(outcome), a_call(wait_time=None), unanswered("abandoned", wait=None)])
    assert (row["entered"], row["unknown"], row["offered"], row["answered"], row["abandoned"]) == (4, 3, 1, 1, 0)
    assert row["service_level_of_offered"].denominator == 1


def test_who_still_waits_is_in_no_figure():
    row = only([unanswered(None, wait=None)])
    assert (row["entered"], row["waiting"], row["offered"]) == (1, 1, 0)
    assert {row[name].value for name in OF_WAITING} == {None}


def test_a_call_that_is_still_wrapped_up_is_answered_but_not_handled_yet():
    row = only([a_call(), a_call(NOON + 1, talk_time=500.0, wrap_up_time=None)])
    assert (row["answered"], row["handled"], row["unhandled"], row["talk_time"]) == (2, 1, 1, 60.0)
    assert row["average_handling_time"].value == 70.0


def test_unknown_time_is_in_no_figure():
    times = [does("1001", NOON, "READY"), does("1001", NOON + 60, "UNKNOWN"), does("1001", NOON + 90, "BUSY_ACD")]
    (row,) = reports.agents([], times, a_period(end=NOON + 120))
    assert (row["unknown_time"], row["logged_on_time"]) == (30.0, 90.0)
    assert row["occupancy"] == Figure(round(1 / 3, 6), 30.0, 90.0, FORMULAS["occupancy"])


def test_calls_outside_the_queues_are_neither_in_occupancy_nor_in_what_it_is_a_share_of():
    times = [does("1001", NOON, "READY"), does("1001", NOON + 60, "BUSY_OUTGOING"), does("1001", NOON + 90, "BUSY_ACD")]
    (row,) = reports.agents([], times, a_period(end=NOON + 120))
    assert row["occupancy"].value == pytest.approx(30 / 90, abs=1e-6)
    assert row["utilisation"].value == 0.25


def test_who_was_logged_off_all_the_time_has_no_row():
    assert list(reports.agents([], [does("1001", NOON - 5, "LOGGED_OFF")], a_period())) == []


def test_a_queue_that_is_known_has_a_row_without_calls_and_figures_without_value():
    (row,) = reports.queues([], TERMS, known=[("main", "support")])
    assert (row["queue"], row["entered"], row["service_level_of_offered"].value) == ("support", 0, None)


def test_every_formula_has_its_meaning_and_every_field_of_a_report_too():
    assert FORMULAS.keys() == MEANINGS.keys()
    blanks = [
        reports.blank_queue(TERMS),
        reports.blank_agent(),
        reports.blank_reason(),
        reports.blank_disposition(),
    ]
    fields = {name for blank in blanks for name, value in blank.items() if isinstance(value, int | float)}
    assert fields == FIELDS.keys()
    assert {name for blank in blanks for name, value in blank.items() if isinstance(value, Figure)} == FORMULAS.keys()


# Several handlers -----------------------------------------------------------------------------------------

SOURCES = ("branch", "main")


def of(handler: str | None, rows: Sequence[Any]) -> list[Any]:
    return [row for row in rows if handler in (None, row.handler)]


@given(books.calls(SOURCES), STEP)
def test_a_sum_over_handlers_is_that_of_all_their_calls(calls, step):
    period = a_period(step)
    for by, handlers in ((By.ALL, [None]), (By.HANDLER, SOURCES)):
        rows = {row["handler"]: row for row in reports.queues(calls, TERMS, [("main", "support")], by)}
        parts = list(reports.queue_intervals(calls, TERMS, period, by=by))
        for handler in handlers:
            mine = of(handler, calls)
            row = rows.get(handler) or next(reports.queues([], TERMS, [("x", "x")], By.ALL))
            assert row["queue"] is None and row["entered"] == len(mine)
            check_figures(row, Plain(mine).figures())
            check_formulas(row)
            of_parts = [part for part in parts if part["handler"] == handler]
            assert sum(part["entered"] for part in of_parts) == len(mine)
            for name in (*OF_WAITING, *OF_HANDLING):
                assert sum(part[name].numerator for part in of_parts) == pytest.approx(row[name].numerator, abs=1e-6)


@given(books.calls(SOURCES))
def test_queues_of_the_same_name_at_two_handlers_are_two(calls):
    rows = {(row["handler"], row["queue"]): row for row in reports.queues(calls, TERMS)}
    assert rows.keys() == {(call.handler, call.queue) for call in calls}
    for (handler, queue), row in rows.items():
        check_figures(row, Plain([call for call in of(handler, calls) if call.queue == queue]).figures())
    codes = {(row["handler"], row["queue"], row["disposition"]) for row in reports.dispositions(calls)}
    assert codes == {(call.handler, call.queue, call.disposition) for call in calls if call.answered is not None}


@given(books.calls(SOURCES), books.times(SOURCES))
def test_agents_of_the_same_name_at_two_handlers_are_two_and_their_sum_is_of_all_their_time(calls, times):
    period = a_period()
    alone = [row for handler in SOURCES for row in reports.agents(of(handler, calls), of(handler, times), period)]
    each = list(reports.agents(calls, times, period))
    assert each == sorted(alone, key=lambda row: (row["handler"], row["agent"]))
    for by, handlers in ((By.ALL, [None]), (By.HANDLER, SOURCES)):
        rows = {row["handler"]: row for row in reports.agents(calls, times, period, by)}
        for handler in handlers:
            mine = [row for row in each if handler in (None, row["handler"])]
            assert (handler in rows) == bool(mine)
            if mine:
                check_sum(rows[handler], mine)


def check_sum(row: dict[str, Any], parts: Sequence[dict[str, Any]]) -> None:
    assert row["agent"] is None
    for name in (*OF_HANDLING, *OF_TIME):
        for place in ("numerator", "denominator"):
            assert getattr(row[name], place) == pytest.approx(sum(getattr(part[name], place) for part in parts))
    check_formulas(row)
    reasons = {reason for part in parts for reason in part["not_ready_reasons"]}
    assert row["not_ready_reasons"] == pytest.approx(
        {reason: sum(part["not_ready_reasons"].get(reason, 0.0) for part in parts) for reason in reasons}
    )


@given(books.times(SOURCES))
def test_reasons_of_all_agents_in_one_sum_are_those_of_each_added_up(times):
    period = a_period()
    each = list(reports.reasons(times, period))
    rows = {row["reason"]: row for row in reports.reasons(times, period, By.ALL)}
    assert rows.keys() == {row["reason"] for row in each}
    for reason, row in rows.items():
        mine = [one for one in each if one["reason"] == reason]
        assert row["begun"] == sum(one["begun"] for one in mine)
        assert row["reason_time"] == pytest.approx(sum(one["reason_time"] for one in mine), abs=1e-6)
