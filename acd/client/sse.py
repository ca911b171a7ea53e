"""Server-Sent Events: bytes as they come, cut anywhere, to frames."""

import re
from collections.abc import Iterator
from typing import NamedTuple

END_OF_LINE = re.compile(rb"\r\n|\n|\r")
LARGEST = 64 * 1024 * 1024  # bytes of a frame; a whole picture of thousands of agents is far below


class Unreadable(Exception):
    """This is no event stream."""


class Frame(NamedTuple):
    """One frame that came whole. `id` is None where it has none, `data` where it has none."""

    id: str | None
    data: str | None


class Frames:
    """A decoder. What it is fed is remembered until a blank line ends the frame; comments are dropped."""

    def __init__(self) -> None:
        self._line: list[bytes] = []  # of a line that goes on
        self._size = 0
        self._after_cr = False
        self._id: str | None = None
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """The frames that are complete with this. Raises Unreadable, after those that came before."""
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        self._size += len(chunk)
        if self._size > LARGEST:
            raise Unreadable(f"a frame of more than {LARGEST} bytes")
        first, *others = END_OF_LINE.split(chunk)
        self._line.append(first)
        for other in others:
            whole, self._line = b"".join(self._line), [other]
            if frame := self._take(whole):
                yield frame

    def _take(self, line: bytes) -> Frame | None:
        if not line:
            return self._finish()
        try:
            name, _, value = line.decode().partition(":")
        except UnicodeDecodeError:
            raise Unreadable("a line that is not UTF-8") from None
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value
        return None

    def _finish(self) -> Frame | None:
        frame = Frame(self._id, "\n".join(self._data) if self._data else None)
        self._id, self._data, self._size = None, [], 0
        return None if frame == (None, None) else frame
