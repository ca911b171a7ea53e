"""JSON and CSV: the same rows, whole or not at all, and nothing that a spreadsheet would run."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.reports import reports
from acd.reports.figures import FORMULAS, Figure
from acd.reports.formats import as_csv, as_json, chunks, harmless
from acd.reports.tallies import Terms
from tests.reports import books
from tests.reports.books import NOON, a_call, a_period, does

TERMS = Terms(histogram=(2.5, 20.0))


def json_of(blank: reports.Row, rows: Any) -> Any:
    return json.loads("".join(as_json({"report": "x"}, blank, rows)))


def csv_of(blank: reports.Row, rows: Any) -> list[dict[str, str]]:
    text = "".join(as_csv(blank, rows))
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@given(books.calls())
def test_csv_and_json_tell_the_same(calls):
    blank = reports.blank_queue(TERMS)
    items = json_of(blank, reports.queues(calls, TERMS))["items"]
    lines = csv_of(blank, reports.queues(calls, TERMS))
    assert len(items) == len(lines)
    for item, line in zip(items, lines, strict=True):
        assert None not in line and None not in line.values()
        flat: dict[str, Any] = {}
        for name, value in item.items():
            if name == "histogram":
                flat |= {
                    f"{kind}_within_{step['threshold']:g}": step[kind] for step in value for kind in list(step)[1:]
                }
            elif isinstance(value, dict):
                flat |= {name: value["value"]}
                flat |= {f"{name}_{part}": value[part] for part in ("numerator", "denominator")}
            else:
                flat[name] = value
        assert line == {name: "" if value is None else str(value) for name, value in flat.items()}


def test_every_threshold_has_columns_of_its_own():
    terms = Terms(histogram=(0.0, 2.5, 1234.5678, 1234.5679, 86400.0))
    (line,) = csv_of(reports.blank_queue(terms), [reports.blank_queue(terms)])
    shown = [name.removeprefix("answered_within_") for name in line if name.startswith("answered_within_")]
    assert shown == ["0", "2.5", "1234.5678", "1234.5679", "86400"]


def test_a_figure_in_json_has_its_value_numerator_denominator_and_formula():
    body = json_of(reports.blank_queue(TERMS), reports.queues([a_call(wait_time=21.0), a_call()], TERMS))
    (row,) = body["items"]
    assert row["service_level_of_offered"] == {
        "value": 0.5,
        "numerator": 1,
        "denominator": 2,
        "formula": "answered_within / offered",
    }
    assert {name: each["formula"] for name, each in body["figures"].items()} == {
        name: FORMULAS[name] for name, value in row.items() if isinstance(value, dict)
    }
    assert body["next"] is None


BLANKS = {
    "queues": reports.blank_queue(TERMS),
    "intervals": reports.blank_queue_interval(TERMS),
    "agents": reports.blank_agent(),
    "agent-intervals": reports.blank_agent_interval(),
    "reasons": reports.blank_reason(),
    "dispositions": reports.blank_disposition(),
    "calls": reports.blank_call(),
    "timeline": reports.blank_stretch(),
}


def rows_of(name: str) -> list[reports.Row]:
    calls, period = [a_call(disposition="sold")], a_period(end=NOON + 600)
    times = [does("1001", NOON, "NOT_READY", "lunch"), does("1001", NOON + 4, "BUSY_ACD")]
    return list(
        {
            "queues": lambda: reports.queues(calls, TERMS),
            "intervals": lambda: reports.queue_intervals(calls, TERMS, period),
            "agents": lambda: reports.agents(calls, times, period),
            "agent-intervals": lambda: reports.agent_intervals(calls, times, period),
            "reasons": lambda: reports.reasons(times, period),
            "dispositions": lambda: reports.dispositions(calls),
            "calls": lambda: reports.ledger(calls),
            "timeline": lambda: reports.timeline(calls, times, period),
        }[name]()
    )


@pytest.mark.parametrize("name", BLANKS)
def test_a_report_without_rows_has_the_columns_of_one_with_rows(name):
    rows = rows_of(name)
    assert rows and all(list(row) == list(BLANKS[name]) for row in rows)
    assert "".join(as_csv(BLANKS[name], [])) == "".join(as_csv(BLANKS[name], rows)).partition("\n")[0] + "\n"
    assert json_of(BLANKS[name], [])["items"] == []
    assert csv_of(BLANKS[name], rows)


def test_reasons_of_an_agent_are_one_cell_of_json():
    (line,) = csv_of(BLANKS["agents"], rows_of("agents"))
    assert json.loads(line["not_ready_reasons"]) == {"lunch": 4.0}


def test_the_calls_of_a_stretch_are_named_in_one_cell():
    lines = csv_of(BLANKS["timeline"], rows_of("timeline"))
    assert [line["calls"] for line in lines] == ["", a_call().call]


@pytest.mark.parametrize("text", ["=1+1", "+49301234", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'quoted"])
def test_what_a_spreadsheet_would_take_for_a_formula_has_an_apostrophe_before_it(text):
    (line,) = csv_of(BLANKS["calls"], reports.ledger([a_call(caller=text)]))
    assert line["caller"] == f"'{text}"


@given(st.text(max_size=5) | st.sampled_from(["=x", "'=x", "''", "+1", "1+1"]))
def test_the_apostrophe_can_be_taken_away_again(text):
    shown = harmless(text)
    assert (shown[1:] if shown.startswith("'") else shown) == text


@pytest.mark.parametrize("caller", ['say "hi"', "a;b,c", "two\r\nlines", "Zoë ☎"])
def test_any_text_comes_through_csv_whole(caller):
    (line,) = csv_of(BLANKS["calls"], reports.ledger([a_call(caller=caller)]))
    assert line["caller"] == caller


def test_pieces_are_worth_sending_and_are_the_whole_together():
    text = [f"{number},\u00e9\n" for number in range(100_000)]
    pieces = list(chunks(text))
    assert b"".join(pieces).decode() == "".join(text)
    assert 10 < len(pieces) < 40


def test_nothing_is_kept_of_the_rows_that_went_through():
    """A report of rows without an end gives its first rows, and takes no more than it needs for them."""
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield a_call(NOON + taken)

    period = a_period("5m", end=NOON + 86400.0)
    text = as_csv(BLANKS["intervals"], reports.queue_intervals(endless(), TERMS, period))
    next(text)
    assert taken == 300


def test_a_ledger_row_has_whole_seconds_and_exact_ones():
    (row,) = reports.ledger([a_call(NOON, wait_time=4.75, wrap_up_time=None, ring_time=3.25)])
    assert (row["wait_time"], row["wait_time_exact"]) == (4, 4.75)
    assert (row["ring_time"], row["ring_time_exact"]) == (3, 3.25)
    assert (row["wrap_up_time"], row["wrap_up_time_exact"]) == (None, None)
    assert row["entered"] == "2024-03-30T12:00:00.000000Z"
    assert not any(isinstance(value, Figure) for value in row.values())
