"""Bytes of a stream, cut anywhere, become the same frames."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.client import sse
from acd.client.sse import Frame, Frames, Unreadable

LINES = ["", "data: Ирина ☎", "data:two", "id: 7", ": a comment", "event: x", "retry: 5", "data", "data:  blank", "x"]
STREAMS = st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(["\n", "\r\n", "\r"])), max_size=30)


def frames_of(*chunks: bytes) -> list[Frame]:
    decoder = Frames()
    return [frame for chunk in chunks for frame in decoder.feed(chunk)]


@given(STREAMS, st.lists(st.integers(0, 300)))
def test_it_does_not_matter_where_the_bytes_are_cut(lines, cuts):
    stream = "".join(line + end for line, end in lines).encode()
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[start:end] for start, end in itertools.pairwise(places)]
    assert frames_of(*chunks) == frames_of(stream)
    assert frames_of(*(stream[n : n + 1] for n in range(len(stream)))) == frames_of(stream)


@given(STREAMS)
def test_every_kind_of_line_end_means_the_same(lines):
    texts = [line for line, _ in lines]
    one, *others = ["".join(text + end for text in texts).encode() for end in ("\n", "\r\n", "\r")]
    assert all(frames_of(other) == frames_of(one) for other in others)


def test_a_frame_has_its_number_and_its_lines_of_data():
    assert frames_of(b": hello\n\nid: 7\ndata: a\ndata:  b\n\ndata\n\nid: 8\n\n") == [
        Frame("7", "a\n b"),
        Frame(None, ""),
        Frame("8", None),
    ]


def test_a_frame_that_no_blank_line_ends_is_none():
    assert frames_of(b"data: {}\n\ndata: {}\n") == [Frame(None, "{}")]


def test_what_is_not_utf_8_or_never_ends_is_unreadable(monkeypatch):
    with pytest.raises(Unreadable):
        frames_of(b"data: \xff\n")
    monkeypatch.setattr(sse, "LARGEST", 100)
    assert len(frames_of(*[b"data: " + b"x" * 50 + b"\n\n"] * 10)) == 10
    with pytest.raises(Unreadable):
        frames_of(*[b"x" * 30] * 10)
