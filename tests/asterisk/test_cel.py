"""Channel event log: single channels' lines, as a real Asterisk wrote them, as events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.asterisk.cel import Channels, Record, parse
from acd.core import events as ev

MADE = '"CHAN_START","1795279796.872022","1795279796.26","1795279796.20","PJSIP/1001-00000003",""'


def events(*texts: str) -> list[ev.Event]:
    channels = Channels()
    return [event for record in map(parse, texts) if record is not None for event in channels.events(record)]


def test_a_line_is_read_into_its_fields():
    assert parse(MADE) == Record(
        "CHAN_START", 1795279796.872022, "1795279796.26", "1795279796.20", "PJSIP/1001-00000003", ""
    )


@pytest.mark.parametrize(
    "text", ["", "CHAN_START", '"CHAN_START","yesterday","u","l","c",""', '"CHAN_START","1","","l","c",""', '"a"b"']
)
def test_what_is_no_line_of_the_log_is_none(text):
    assert parse(text) is None


@given(st.text())
def test_any_text_is_a_record_or_none(text):
    record = parse(text)
    assert record is None or record.leg


def test_a_channel_that_was_answered_was_up_at_its_end():
    assert events(
        MADE,
        '"ANSWER","1795279797.5","1795279796.26","1795279796.20","PJSIP/1001-00000003",""',
        '"BRIDGE_ENTER","1795279797.6","1795279796.26","1795279796.20","PJSIP/1001-00000003",""',
        '"CHAN_END","1795279799.5","1795279796.26","1795279796.20","PJSIP/1001-00000003",""',
    ) == [
        ev.ChannelMade(1795279796.872022, "1795279796.26", "PJSIP/1001-00000003", "1795279796.20", False),
        ev.BridgeEntered(1795279797.6, "1795279796.26", ""),
        ev.ChannelEnded(1795279799.5, "1795279796.26", True),
    ]


def test_a_channel_that_dialled_and_was_not_answered_placed_a_call_that_came_to_nothing():
    assert events(
        '"CHAN_START","1795279796.8","1795279796.26","1795279796.26","PJSIP/1001-00000003",""',
        '"APP_START","1795279797.5","1795279796.26","1795279796.26","PJSIP/1001-00000003","Dial"',
        '"CHAN_END","1795279799.5","1795279796.26","1795279796.26","PJSIP/1001-00000003",""',
    ) == [
        ev.ChannelMade(1795279796.8, "1795279796.26", "PJSIP/1001-00000003", "1795279796.26", True),
        ev.DialBegun(1795279797.5, "1795279796.26", ""),
        ev.ChannelEnded(1795279799.5, "1795279796.26", False),
    ]
