"""AMI as text: single messages, and the cutting of the stream, also on recordings of a real Asterisk."""

import copy
import gzip
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.asterisk.message import Blocks, Message, TooLong
from tests.recordings import FOLDER, NAMES, read, received

JOINED = Message(
    "Event: QueueCallerJoin\r\nQueue: support\r\nCallerIDName: Ирина\r\nPausedReason: \r\nLanguage:\r\n"
    "ChanVariable: A=1\r\nChanVariable: B=2\r\nQueueX:glued\r\nNote: a: b\r\nAppData: "
)


def cut(data: bytes, size: int) -> list[bytes]:
    """The non-empty blocks of these bytes, fed in pieces of this size."""
    blocks = Blocks(1 << 20)
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return [b.strip(b"\r\n") for piece in pieces for b in blocks.feed(piece) if b.strip(b"\r\n")]


def test_a_header_is_found_by_its_exact_name():
    assert JOINED.get("Queue") == "support"
    assert JOINED.get("CallerIDName") == "Ирина"
    assert JOINED.get("queue") is None
    assert JOINED.get("Que") is None


def test_an_empty_header_is_empty_and_an_absent_one_is_none():
    assert JOINED.get("PausedReason") == ""
    assert JOINED.get("Language") == ""
    assert JOINED.get("AppData") == ""
    assert JOINED.get("Position") is None


def test_a_repeated_header_gives_its_first_value_or_all():
    assert JOINED.get("ChanVariable") == "A=1"
    assert JOINED.all("ChanVariable") == ["A=1", "B=2"]
    assert JOINED.all("Position") == []


def test_a_line_that_is_no_header_is_passed_over():
    assert JOINED.get("QueueX") is None
    assert "QueueX" not in dict(JOINED.items())


def test_a_value_may_hold_a_colon():
    assert JOINED.get("Note") == "a: b"


def test_a_line_feed_inside_a_value_begins_no_header():
    assert Message("Event: X\r\nCallerIDNum: 1\nQueue: sales\r\nQueue: support").get("Queue") == "support"


def test_the_name_of_an_event_is_its_first_event_header_and_an_answer_has_none():
    assert JOINED.event == "QueueCallerJoin"
    assert Message("Event: UserEvent\r\nEvent: Hangup").event == "UserEvent"
    assert Message("Response: Success\r\nEvent: x").event == ""


def test_a_message_shows_itself_shortly_and_whole_as_text():
    assert repr(JOINED).startswith("<Message 'Event: QueueCallerJoin") and len(repr(JOINED)) < 90
    assert str(Message("Event: X\r\nA: b")) == "Event: X\r\nA: b"


def test_a_message_can_be_copied():
    assert str(copy.deepcopy(JOINED)) == str(JOINED)


NAME, REST = st.from_regex(r"[A-Za-z:]{1,6}", fullmatch=True), st.sampled_from(["", " ", " a", "b", " : "])


@given(st.lists(st.tuples(NAME, REST)))
def test_get_and_items_tell_the_same(lines: list[tuple[str, str]]):
    message = Message("\r\n".join(["Event: X", *(f"{key}:{value}" for key, value in lines)]))
    items = list(message.items())
    for key, _ in items:
        assert message.get(key) == next(v for k, v in items if k == key)
    for key, _ in lines:
        assert (message.get(key) is None) == (key not in dict(items))


@given(st.lists(st.sampled_from([b"Event: A", b"B: c", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\r\n\n"])), st.data())
def test_blocks_do_not_depend_on_how_the_stream_was_split(parts: list[bytes], data: st.DataObject):
    stream = b"".join(parts) + b"\r\n\r\n"
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)))))
    blocks = Blocks(1 << 20)
    pieces = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]
    split = [b.strip(b"\r\n") for piece in pieces for b in blocks.feed(piece)]
    assert [b for b in split if b] == cut(stream, len(stream))


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_cut_into_the_messages_it_was_made_of(name: str):
    whole = received(name)
    messages = cut(whole, len(whole))
    recorded = [r.data.strip(b"\r\n") for r in read(name) if r.kind == "R" and r.connection == 1]
    assert b"\r\n".join(recorded[:2]) == messages[0]  # the banner is not followed by an empty line
    assert recorded[2:] == messages[1:]


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_split_at_odd_sizes_gives_the_same_messages(name: str):
    whole = received(name)
    expected = cut(whole, len(whole))
    assert all(cut(whole, size) == expected for size in (17, 61, 509, 4099))


def test_a_recording_split_at_every_odd_size_gives_the_same_messages():
    whole = received("aj-agentonly-user")
    expected = cut(whole, len(whole))
    assert all(cut(whole, size) == expected for size in range(1, 1000, 2))


def test_a_block_without_end_is_given_up_at_the_limit():
    blocks = Blocks(1000)
    assert blocks.feed(b"x" * 1000) == []
    with pytest.raises(TooLong, match="1000"):
        blocks.feed(b"x")


def test_a_long_block_in_small_pieces_is_not_searched_again_and_again():
    blocks, began = Blocks(1 << 20), time.process_time()
    for _ in range(60_000):
        blocks.feed(b"x" * 16)
    assert time.process_time() - began < 3  # searching it anew each time takes ten times as long


def test_the_stream_is_unfinished_only_inside_a_block():
    blocks = Blocks(1000)
    assert not blocks.unfinished
    blocks.feed(b"Event: A\r\n\r\n\r\n")
    assert not blocks.unfinished
    blocks.feed(b"Event")
    assert blocks.unfinished


def test_the_large_recording_is_kept_compressed():
    assert gzip.decompress((FOLDER / "v-load-30-callers" / "ami.log.gz").read_bytes()).startswith(b"#@ C ")
