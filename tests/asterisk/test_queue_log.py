"""queue_log's lines, and the files they stand in: rotation, truncation, half lines, names with separators."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.asterisk.log_files import LogFile, Position
from acd.asterisk.queue_log import EVENTS, Line, caller_of, parse
from tests import recordings


@pytest.mark.parametrize("name", recordings.NAMES)
def test_every_line_that_a_real_asterisk_wrote_is_understood(name):
    for text in recordings.queue_log(name):
        line = parse(text)
        assert line is not None
        assert "|".join([str(line.at), line.call, line.queue, line.member, line.event, *line.data]) == text


def test_a_line_is_read_into_its_fields():
    assert parse("1795235515|1795235513.0|support|Alice Adams|CONNECT|1|1795235514.1|0") == Line(
        1795235515, "1795235513.0", "support", "Alice Adams", "CONNECT", ("1", "1795235514.1", "0")
    )


def test_a_name_with_a_separator_does_not_shift_the_event():
    line = parse("1795235515|1795235513.0|support|Ali|ce|CONNECT|1|1795235514.1|0")
    assert line is not None
    assert (line.member, line.event, line.data[1]) == ("Ali|ce", "CONNECT", "1795235514.1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1795235515",
        "1795235515|1795235513.0|support|Alice",
        "1795235515|1795235513.0|support|Alice|CONNECT|1",  # cut off
        "1795235515|1795235513.0|support|Alice|MADE_UP|1|2|3",
        "yesterday|1795235513.0|support|Alice|CONNECT|1|1795235514.1|0",
        "a forged line|x",
    ],
)
def test_what_is_no_line_of_queue_log_is_none(text):
    assert parse(text) is None


@given(st.text())
def test_any_text_is_a_line_or_none(text):
    line = parse(text)
    assert line is None or line.event in EVENTS


@pytest.mark.parametrize(
    ("text", "caller"),
    [
        ("1|c|support|NONE|ENTERQUEUE||15555331|2", ("15555331", 2)),
        ("1|c|support|NONE|ENTERQUEUE|http://x|15555331|2|Carol", ("15555331", 2)),
        ("1|c|support|NONE|ENTERQUEUE||15|55|2", ("15|55", 2)),
        ("1|c|support|NONE|ENTERQUEUE|||1", ("", 1)),
        ("1|c|support|NONE|ENTERQUEUE||x|y", ("x", 0)),
    ],
)
def test_a_caller_has_a_number_and_a_place(text, caller):
    line = parse(text.replace("1|c", "1795235515|c", 1))
    assert line is not None
    assert caller_of(line) == caller


# files


def read(file: LogFile, start: Position) -> list[str]:
    return [text for text, _ in file.lines(start, since=0.0)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "queue_log"
    path.write_text("one\ntwo\n")
    return path


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def end_of(path: Path) -> Position:
    end = LogFile(path).end()
    assert end is not None
    return end


def test_what_was_written_behind_the_place_is_read(path):
    start = end_of(path)
    add(path, "three\nfour\n")
    assert read(LogFile(path), start) == ["three", "four"]


def test_a_line_without_its_end_is_left_for_later(path):
    start = end_of(path)
    add(path, "three\nfo")
    *_, (text, place) = LogFile(path).lines(start, since=0.0)
    assert text == "three"
    add(path, "ur\n")
    assert read(LogFile(path), place) == ["four"]


def test_a_rotated_file_is_finished_before_the_new_one_is_begun(path):
    start = end_of(path)
    add(path, "three\n")
    path.rename(path.with_name("queue_log.0"))
    path.write_text("four\n")
    assert read(LogFile(path), start) == ["three", "four"]


def test_several_rotations_are_read_in_their_order(path):
    start = end_of(path)
    add(path, "three\n")
    path.rename(path.with_name("queue_log-20261120"))
    path.write_text("four\n")
    path.rename(path.with_name("queue_log-20261121"))
    path.write_text("five\n")
    assert read(LogFile(path), start) == ["three", "four", "five"]


def test_a_file_that_was_copied_and_emptied_is_read_from_the_copy(path):
    start = end_of(path)
    add(path, "three\n")
    path.with_name("queue_log.1").write_bytes(path.read_bytes())
    path.write_text("4\n")  # the same file, now shorter
    assert read(LogFile(path), start) == ["three", "4"]


def test_where_the_file_is_gone_all_that_was_written_since_is_read(path):
    start = end_of(path)
    path.with_name("queue_log.1.gz").write_bytes(gzip.compress(b"two\nthree\n"))
    path.unlink()
    path.write_text("four\n")
    gone = Position(start.inode + 1_000_000, start.offset)
    assert read(LogFile(path), gone) == ["two", "three", "four"]


def test_a_line_without_end_does_not_fill_the_memory(path):
    start = end_of(path)
    add(path, "x" * 1_000_000 + "\nthree\n")
    assert read(LogFile(path), start) == ["three"]


def test_a_file_that_is_not_there_has_no_end_and_says_why_it_cannot_be_read(path, tmp_path):
    assert LogFile(path).problem() is None
    missing = LogFile(tmp_path / "elsewhere")
    assert missing.end() is None
    assert missing.problem() == "No such file or directory"
