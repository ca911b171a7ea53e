"""Files that Asterisk appends to, read from where one stopped: through rotation, truncation and half lines."""

import gzip
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

log = logging.getLogger(__name__)
LONGEST_LINE = 64 * 1024  # bytes; Asterisk's own are far shorter


class Position(NamedTuple):
    """A place in a file, which keeps its inode when it is rotated away."""

    inode: int
    offset: int


class LogFile:
    """A file such as queue_log, with those that rotation made of it beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def end(self) -> Position | None:
        """Where the next line will stand; None where there is no such file, or it cannot be read."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return Position(status.st_ino, status.st_size)

    def problem(self) -> str | None:
        """Why it cannot be read; None where it can."""
        try:
            self.path.open("rb").close()
        except OSError as error:
            return error.strerror
        return None

    def lines(self, start: Position, since: float) -> Iterator[tuple[str, Position]]:
        """Every whole line behind `start`, oldest first, each with the place behind it.

        `since`: seconds since 1970 of that place. Where the file of `start` is gone (compressed, copied), the files
        that were written to since then are read from their beginning. Raises OSError.
        """
        for path, offset in self._files(start, since):
            with _opened(path) as file:
                inode = path.stat().st_ino
                file.seek(offset)
                yield from _whole_lines(file, inode)

    def whole(self, since: float) -> tuple[Iterator[str], bool]:
        """Every whole line of the files that were written to since then, oldest first; are there older files, too?

        All are opened at once, so that a rotation meanwhile loses nothing. Raises OSError; reading the lines raises
        OSError, EOFError or zlib.error where a compressed file is damaged.
        """
        by_age = self._by_age()
        paths = [path for path in by_age if path.stat().st_mtime >= since]
        files = [_opened(path) for path in paths]
        return _lines_of(files), len(paths) < len(by_age)

    def _files(self, start: Position, since: float) -> list[tuple[Path, int]]:
        by_age = self._by_age()
        for place, path in enumerate(by_age):
            status = path.stat()
            if status.st_ino != start.inode:
                continue
            if status.st_size >= start.offset:
                return [(path, start.offset), *((later, 0) for later in by_age[place + 1 :])]
            copied = [each for each in by_age[:place] if each.stat().st_size >= start.offset]
            return [*((copy, start.offset) for copy in copied[-1:]), (path, 0)]
        log.warning("The part of %s that was read last is gone; what was written since then is read", self.path)
        return [(path, 0) for path in by_age if path.stat().st_mtime >= since]

    def _by_age(self) -> list[Path]:
        """The rotated ones by their last change, then the one that is written now."""
        beside = [path for path in self.path.parent.glob(f"{self.path.name}?*") if path.is_file()]
        rotated = sorted(beside, key=lambda path: path.stat().st_mtime)
        return [*rotated, self.path] if self.path.exists() else rotated


def _opened(path: Path) -> BinaryIO:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _lines_of(files: list[BinaryIO]) -> Iterator[str]:
    with ExitStack() as stack:
        for file in files:
            stack.enter_context(file)
        for file in files:
            yield from (text for text, _ in _whole_lines(file, 0))


def _whole_lines(file: BinaryIO, inode: int) -> Iterator[tuple[str, Position]]:
    """Without the last line where its end is missing: it is being written, or Asterisk died over it."""
    whole = True  # False while a line without an end is passed over
    while line := file.readline(LONGEST_LINE):
        if not line.endswith(b"\n"):
            whole = False
            continue
        if whole:
            yield line.rstrip(b"\r\n").decode("utf-8", "replace"), Position(inode, file.tell())
        whole = True
