"""Log lines: one an event that matters, as text or as JSON, with the values that matter as fields."""

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp.http_exceptions import HttpProcessingError

MOST_KINDS = 1000  # of lines, that are told apart
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class _Fields(logging.Formatter):
    @staticmethod
    def fields(record: logging.LogRecord) -> dict[str, object]:
        return {name: value for name, value in record.__dict__.items() if name not in _STANDARD}

    @staticmethod
    def moment(record: logging.LogRecord) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Text(_Fields):
    """2026-01-31T12:00:00.000Z INFO acd.service: agent 1001: READY [agent=1001 event=READY]"""

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in self.fields(record).items() if value not in (None, ""))
        line = f"{self.moment(record)} {record.levelname} {record.name}: {record.getMessage()}"
        line += f" [{fields}]" if fields else ""
        # a name with a line end in it must not look like a line of its own
        line = line.replace("\r", "\\r").replace("\n", "\\n")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Json(_Fields):
    """The same as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self.fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Flood(logging.Filter):
    """Lets so many lines of one kind through in a second, and says how many it held back."""

    def __init__(self, most: int = 50, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most = most
        self._clock = clock
        self._seen: dict[str, tuple[float, int]] = {}  # kind of line -> start of its second, lines in it

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:  # those are as many as calls and commands
            return True
        now, kind = self._clock(), str(record.msg)
        start, lines = self._seen.get(kind, (now, 0))
        if now - start >= 1:
            held_back, start, lines = lines - self._most, now, 0
            if held_back > 0:
                record.msg, record.args = f"{record.getMessage()} (and {held_back} more like it before)", ()
        if kind not in self._seen and len(self._seen) == MOST_KINDS:
            self._seen.clear()
        self._seen[kind] = (start, lines + 1)
        return lines < self._most


class Unreadable(logging.Filter):
    """One line, without what was sent, for a request that is no HTTP: it may hold a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.msg, record.args, record.exc_info = "a request is no HTTP and was refused", (), None
            record.levelno, record.levelname = logging.INFO, "INFO"
        return True


def set_up(level: str, style: str) -> None:
    """Sends all log lines to standard error. `style` is text or json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Flood())
    handler.setFormatter(Json() if style == "json" else Text())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells its own inner steps at every start
    logging.getLogger("panoramisk").setLevel(logging.WARNING)  # it logs whole messages, with people's numbers
    logging.getLogger("aiohttp.server").addFilter(Unreadable())
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
