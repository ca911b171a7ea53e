"""The wallboard's board: each call in the parts that it belongs to."""

import random

import pytest

from acd.reports import board
from tests.reports.books import NOON, a_call, abandoned, unanswered

MIDNIGHT = NOON - 12 * 3600
NOW = NOON + 1000.0
LEVEL = "service_level_of_offered"


def rows(*calls, known=(), threshold=20.0, definition=LEVEL, now=NOW, midnight=MIDNIGHT):
    since = board.Since.of(now, midnight)
    return {row.queue: row for row in board.rows(calls, since, threshold, definition, known)}


def test_a_call_counts_in_today_the_last_half_hour_and_its_step():
    row = rows(a_call(NOW - 10))["support"]
    for part in (row.today, row.recent, row.steps[-1]):
        assert (part["offered"], part["answered"], part["answered_within"], part["service_level"]) == (1, 1, 1, 1.0)
    assert [step["offered"] for step in row.steps] == [0] * 11 + [1]


def test_a_call_of_yesterday_is_not_todays_though_it_may_be_of_the_last_hour():
    row = rows(a_call(MIDNIGHT - 60), now=MIDNIGHT + 120)["support"]
    assert (row.today["offered"], row.recent["offered"]) == (0, 1)
    assert sum(step["offered"] for step in row.steps) == 1


def test_the_first_call_that_matters_is_the_oldest_of_the_parts():
    assert board.Since.of(NOW, MIDNIGHT).first == MIDNIGHT
    early = board.Since.of(MIDNIGHT + 60, MIDNIGHT)
    assert early.first == early.steps[0] == MIDNIGHT - 3300


def test_a_queue_without_calls_has_a_row_with_no_service_level():
    row = rows(known=["sales"])["sales"]
    assert (row.today["offered"], row.today["service_level"]) == (0, None)


def test_who_waits_and_what_nobody_knows_is_in_no_figure():
    row = rows(unanswered(None, NOW - 5, None, key="a"), unanswered("unknown", NOW - 5, key="b"))["support"]
    assert row.today["offered"] == 0


@pytest.mark.parametrize(
    ("definition", "level"),
    [
        ("service_level_of_answered", 0.5),
        ("service_level_of_offered", 0.25),
        ("service_level_ignoring_early_abandons", 0.333333),
        ("service_level_with_early_abandons", 0.5),
    ],
)
def test_the_service_level_is_the_one_that_the_site_wants(definition, level):
    calls = [
        a_call(NOW - 60, key="a"),
        a_call(NOW - 61, key="b", wait_time=25.0),
        abandoned(NOW - 62, 5.0, key="c"),
        abandoned(NOW - 63, 40.0, key="d"),
    ]
    assert rows(*calls, definition=definition)["support"].today["service_level"] == level


def test_the_steps_of_an_hour_hold_each_of_its_calls_once():
    dice = random.Random(3)
    calls = [a_call(NOW - dice.uniform(0, 7200), key=str(number)) for number in range(500)]
    since = board.Since.of(NOW, MIDNIGHT)
    steps = rows(*calls)["support"].steps
    for number, start in enumerate(since.steps):
        expected = sum(start <= call.entered < start + 300 for call in calls)
        assert steps[number]["offered"] == expected
    assert since.steps[-1] <= NOW < since.steps[-1] + 300
