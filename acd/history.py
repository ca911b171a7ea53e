"""What Asterisk wrote down while nobody listened, for one handler: from where it was heard last until now."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from acd.asterisk import queue_log
from acd.asterisk.gap import Gap, Stay, stay_of
from acd.asterisk.log_files import LogFile, Position
from acd.core import events as ev
from acd.core.records import State, Visit
from acd.store import Store

log = logging.getLogger(__name__)

AT_ONCE = 2000  # events between two breaths of the event loop
MOST_LINES = 2_000_000  # of one gap; some 700 MB


class History:
    """Keeps the mark until which Asterisk was heard, and reads queue_log from there on.

    heard_until: seconds since 1970, on Asterisk's clock; 0.0 before the first time.
    """

    def __init__(self, path: Path | None, handler: str, store: Store) -> None:
        """`path`: queue_log; None where it cannot be read, so that a gap stays unknown."""
        self._file = LogFile(path) if path is not None else None
        self._handler = handler
        self._store = store
        self._next: tuple[float, Position | None] | None = None
        self._gap: Gap | None = None
        self._recent: dict[str, Stay] = {}  # visits that moved since the last mark, which the store may not have yet
        self._before: dict[str, Stay] = {}  # and those that did since the mark before it
        at, inode, offset = store.heard(handler) or (0.0, None, None)
        self.heard_until = at
        self._read_until = None if inode is None or offset is None else Position(inode, offset)

    def mark(self, at: float) -> None:
        """Asterisk is heard: so all that it did before the last mark has been heard, too."""
        if self._next is not None:
            self._keep(*self._next)
        self._next = (at, self._end())
        self._gap = None
        self._before, self._recent = self._recent, {}

    def moved(self, visit: Visit) -> None:
        """Takes note of a visit, so that it is not read from the log once more."""
        self._recent[visit.key] = stay_of(visit)

    def has_told(self, event: ev.Event) -> bool:
        """The event was read from the log already, a moment after the log-in."""
        return self._gap is not None and self._gap.has_told(event)

    async def missed(self, state: State, picture: ev.PictureTaken) -> AsyncIterator[ev.Event]:
        """What the log tells of the time since the last mark and is not known, oldest first."""
        end, begin, start = self._end(), self.heard_until, self._read_until
        if start is not None and end is not None and start != end:
            for count, event in enumerate(await self._events(state, picture, start, begin)):
                if count % AT_ONCE == 0:
                    await asyncio.sleep(0)
                yield event
        self._keep(picture.at, end)  # in the store behind these events
        self._next = None

    async def _events(
        self, state: State, picture: ev.PictureTaken, start: Position, begin: float
    ) -> Sequence[ev.Event]:
        assert self._file is not None
        present = [stay_of(visit) for visit in state.visits.values()]
        try:
            lines = await asyncio.to_thread(self._lines, self._file, start, begin)
        except OSError as error:
            log.error("queue_log cannot be read, so what happened since %.0f stays unknown: %s", begin, error)
            return []
        known = {
            stay.key: stay
            for stay in [*await self._written(lines), *self._before.values(), *self._recent.values(), *present]
        }
        alive = {channel.leg for channel in picture.channels}
        restarts = [line.at for line in lines if line.event == "QUEUESTART"]
        interfaces = _Interfaces(state, picture)
        self._gap = Gap(
            sorted(known.values(), key=lambda stay: stay.entered),
            interface_of=interfaces.of,
            alive=alive.__contains__,
            begin=begin,
            end=picture.at,
            restarts=restarts,
        )
        events = [event for line in lines for event in self._gap.events(line)]
        log.info("read %d lines of queue_log, %d events were missed", len(lines), len(events))
        return events

    @staticmethod
    def _lines(file: LogFile, start: Position, since: float) -> list[queue_log.Line]:
        lines: list[queue_log.Line] = []
        for text, _ in file.lines(start, since):
            line = queue_log.parse(text)
            if line is None:
                log.warning("This is no line of queue_log, it is passed over: %.300r", text)
            elif len(lines) == MOST_LINES:
                log.error("More than %d lines of queue_log were missed: the later ones stay unread", MOST_LINES)
                break
            else:
                lines.append(line)
        return lines

    async def _written(self, lines: Sequence[queue_log.Line]) -> list[Stay]:
        """The calls of these lines whose rows the store has."""
        try:
            rows = await asyncio.to_thread(self._store.rows_of, self._handler, {line.call for line in lines})
        except SQLAlchemyError as error:
            log.error("The ledger cannot be read, calls of the last seconds may be counted twice: %s", error)
            return []
        return [
            Stay(row["key"], row["call"], row["queue"], row["entered"], True, None, row["answered"], True)
            for row in rows
        ]

    def _end(self) -> Position | None:
        return self._file.end() if self._file is not None else None

    def _keep(self, at: float, end: Position | None) -> None:
        self.heard_until, self._read_until = at, end
        inode, offset = end if end is not None else (None, None)
        self._store.keep_heard(self._handler, at, inode, offset)


class _Interfaces:
    """Where the members of the log are: it gives their names."""

    def __init__(self, state: State, picture: ev.PictureTaken) -> None:
        self._of: dict[tuple[str, str], set[str]] = {}
        for member in picture.members:
            self._of.setdefault((member.queue, member.name), set()).add(member.interface)
        for session in state.sessions.values():
            group = state.groups.get(session.group)
            for queue in group.queues if group is not None and session.ended is None else ():
                self._of.setdefault((queue, state.agents[session.agent].user), set()).add(session.address)

    def of(self, queue: str, name: str) -> str:
        """The interface; the name itself, where none or more than one bears it."""
        found = self._of.get((queue, name), set())
        return next(iter(found)) if len(found) == 1 else name
