"""AMI on the wire, read: a stream of bytes cut into blocks, and one block as a message.

Values only: no socket, no log. A block is the text between two empty lines.
"""

from collections.abc import Iterator

_LINE = "\r\n"
_END = b"\r\n\r\n"
_STRAY_END = b"\r\n\n"  # CoreShowChannelMap ended so for a while (asterisk#761)


class Message:
    """One AMI message, kept as text; a header is looked up when it is asked for."""

    __slots__ = ("_text", "event")

    def __init__(self, block: str, event: str | None = None) -> None:
        """event: its name, where that is known already."""
        self._text = f"{_LINE}{block}{_LINE}"  # so that every header stands between two line ends
        self.event = self._event() if event is None else event

    def get(self, header: str) -> str | None:
        """The first header of this name, spelt exactly so; "" when it is empty, None when it is absent."""
        text, key = self._text, f"{_LINE}{header}:"
        start = text.find(key)
        while start >= 0:
            start += len(key)
            if text[start] == " ":
                return text[start + 1 : text.find(_LINE, start)]
            if text.startswith(_LINE, start):
                return ""
            start = text.find(key, start)
        return None

    def all(self, header: str) -> list[str]:
        """Every value of a header that may be repeated (ChanVariable, Output), in order."""
        return [value for key, value in self.items() if key == header]

    def items(self) -> Iterator[tuple[str, str]]:
        """The headers in order; a line that is none ("key:value") is passed over."""
        for line in self._text.split(_LINE):
            key, space, value = line.partition(": ")
            if space:
                yield key, value
            elif key.endswith(":"):
                yield key[:-1], ""

    @property
    def size(self) -> int:
        """Characters of the whole text."""
        return len(self._text) - 2 * len(_LINE)

    def _event(self) -> str:
        """The name of the event, or "" for an answer."""
        return "" if self._text.startswith("\r\nResponse:") else self.get("Event") or ""

    def __str__(self) -> str:
        return self._text[len(_LINE) : -len(_LINE)]

    def __repr__(self) -> str:
        return f"<Message {str(self)[:60]!r}>"


class TooLong(Exception):
    """A block without an end."""


class Blocks:
    """Cuts a stream of bytes into blocks, however it was split on its way. No byte is searched twice."""

    __slots__ = ("_longest", "_tail")

    def __init__(self, longest: int) -> None:
        """longest: bytes of an unfinished block after which `feed` gives up."""
        self._longest = longest
        self._tail = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The blocks these bytes complete, without their ends; raises TooLong.

        Where more than one empty line stood between two blocks, a block may be empty or begin with line ends.
        """
        if self._tail:
            data = self._begun_end() + data
        if _STRAY_END in data:
            data = data.replace(_STRAY_END, _END)
        *blocks, rest = data.split(_END)
        if blocks:
            blocks[0] = bytes(self._tail) + blocks[0]
            self._tail.clear()
        self._tail += rest
        if len(self._tail) > self._longest:
            raise TooLong(f"a message longer than {self._longest} bytes")
        return blocks

    def _begun_end(self) -> bytes:
        """Take back the line ends the tail ends with: they may be the first part of a block's end."""
        last = bytes(self._tail[-3:])
        begun = last[len(last.rstrip(b"\r\n")) :]
        del self._tail[len(self._tail) - len(begun) :]
        return begun

    @property
    def unfinished(self) -> bool:
        """True in the middle of a block."""
        return bool(self._tail.strip(b"\r\n"))
