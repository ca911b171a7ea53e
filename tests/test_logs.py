"""Log lines: one an event, readable by people or by programs, and never two by a trick."""

import json
import logging
import re
import sys
from collections.abc import Callable

import pytest
from aiohttp.http_exceptions import BadHttpMessage

from acd import logs

AT = 1769860800.25  # 2026-01-31T12:00:00.250Z


def line(formatter: logging.Formatter, message: str = "agent %s: READY", *args: object, **fields: object) -> str:
    record = logging.LogRecord("acd.service", logging.INFO, "x.py", 1, message, args or ("1001",), None)
    record.__dict__.update(fields, created=AT)
    return formatter.format(record)


def failed(formatter: logging.Formatter) -> str:
    try:
        raise ValueError("no such thing")
    except ValueError:
        record = logging.LogRecord("acd", logging.ERROR, "x.py", 1, "it failed", (), sys.exc_info())
    return formatter.format(record)


def test_a_line_of_text_has_its_time_in_utc_and_its_values_behind_it():
    assert (
        line(logs.Text(), agent="1001", event="READY")
        == "2026-01-31T12:00:00.250Z INFO acd.service: agent 1001: READY [agent=1001 event=READY]"
    )


def test_a_line_of_text_leaves_out_what_is_empty():
    assert line(logs.Text(), agent=None, reason="", talk=0.0).endswith("READY [talk=0.0]")
    assert line(logs.Text()).endswith("READY")


def test_a_line_of_json_is_one_object_with_the_same_values():
    assert json.loads(line(logs.Json(), agent="1001", talk=None)) == {
        "at": "2026-01-31T12:00:00.250Z",
        "level": "info",
        "logger": "acd.service",
        "message": "agent 1001: READY",
        "agent": "1001",
        "talk": None,
    }


@pytest.mark.parametrize("formatter", [logs.Text(), logs.Json()])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\n2026-01-31T12:00:00.000Z INFO acd: root: logged in"])
def test_a_name_with_a_line_end_in_it_does_not_make_a_line_of_its_own(formatter, end):
    text = line(formatter, "session of %s", f"alice{end}bob", reason=f"x{end}y")
    assert not re.search(r"[\r\n]", text)


def test_what_json_does_not_know_is_written_as_text():
    assert json.loads(line(logs.Json(), path=logs.Json))["path"]


def test_an_exception_follows_its_line_of_text_and_stands_inside_its_line_of_json():
    first, *rest = failed(logs.Text()).splitlines()
    assert first.endswith("ERROR acd: it failed")
    assert rest[0].startswith("Traceback")
    assert rest[-1] == "ValueError: no such thing"
    one = failed(logs.Json())
    assert "\n" not in one
    assert "no such thing" in json.loads(one)["exception"]


@pytest.fixture
def written(logs_as_before: None, capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """The lines on standard error so far."""
    return lambda: [*capsys.readouterr().err.splitlines()]


def test_the_log_goes_to_standard_error_from_its_level_on(written):
    logs.set_up("warning", "json")
    logging.getLogger("acd.x").info("no")
    logging.getLogger("acd.x").warning("yes")
    assert [json.loads(each)["message"] for each in written()] == ["yes"]


def test_whole_messages_of_others_are_not_logged_even_when_everything_is(written):
    logs.set_up("debug", "text")
    logging.getLogger("panoramisk.manager").debug("Secret: correct horse")
    logging.getLogger("aiohttp.access").info("GET /")
    logging.getLogger("acd").debug("ours")
    (line,) = written()
    assert line.endswith("DEBUG acd: ours")


def test_a_request_that_is_no_http_is_one_line_without_what_was_sent():
    try:
        raise BadHttpMessage("Authorization: Bearer SECRET\x00")
    except BadHttpMessage:
        record = logging.LogRecord("aiohttp.server", logging.ERROR, "", 0, "Error handling request", (), sys.exc_info())
    assert logs.Unreadable().filter(record)
    line = logs.Text().format(record)
    assert "SECRET" not in line
    assert line.count("\n") == 0


def test_a_flood_of_one_kind_of_line_is_held_back_and_counted():
    now = 0.0
    flood = logs.Flood(most=3, clock=lambda: now)

    def line(text: str, *values: object, level: int = logging.WARNING) -> logging.LogRecord | None:
        record = logging.LogRecord("acd", level, "x", 1, text, values, None)
        return record if flood.filter(record) else None

    assert [line("odd %s", number) is not None for number in range(5)] == [True, True, True, False, False]
    assert line("another kind") is not None
    assert all(line("calls %d", number, level=logging.INFO) for number in range(10))
    now = 1.5
    told = line("odd %s", 9)
    assert told is not None
    assert told.getMessage() == "odd 9 (and 2 more like it before)"
    assert line("odd %s", 10).getMessage() == "odd 10"
