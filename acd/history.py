"""What Asterisk wrote down while nobody listened, for one handler: from where it was heard last until now.

Its files may lie on another machine. Where their disk does not answer, this handler alone feels it.
"""

import asyncio
import concurrent.futures
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from functools import partial
from heapq import merge
from pathlib import Path
from typing import NamedTuple, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from acd.aside import Aside
from acd.asterisk import cel, queue_log
from acd.asterisk.gap import Gap, Stay, stay_of
from acd.asterisk.log_files import LogFile, Position
from acd.core import events as ev
from acd.core.records import AgentSession, State, Visit
from acd.store import Heard, Store

log = logging.getLogger(__name__)

AT_ONCE = 100  # lines or events between two breaths of the event loop
LOOK_WITHIN = 1.0  # seconds for the files' disk to answer while Asterisk is heard,
READ_WITHIN = 20.0  # and when what was missed is read
MOST_LINES = 2_000_000  # of one file in one gap; some 700 MB
SLACK = 10.0  # seconds before the mark of which the store is asked, too

Parsed = TypeVar("Parsed", queue_log.Line, cel.Record)


Ends = tuple[Position | None, Position | None]  # of queue_log and of the channel event log
SILENT = "its disk does not answer"


class Files(NamedTuple):
    """Asterisk's own records; None for one that cannot be read, so that what it would tell stays unknown."""

    queue_log: Path | None = None
    cel: Path | None = None


class History:
    """Keeps the mark until which Asterisk was heard, and reads its files from there on."""

    def __init__(self, files: Files, handler: str, store: Store) -> None:
        self._queue_log = LogFile(files.queue_log) if files.queue_log is not None else None
        self._cel = LogFile(files.cel) if files.cel is not None else None
        self._files = Aside(f"files-{handler}")
        self._looking: concurrent.futures.Future[Ends] | None = None
        for file in filter(None, (self._queue_log, self._cel)):
            if problem := self._problem_of(file):
                log.warning("%s cannot be read at present, and is what tells of an absence: %s", file.path, problem)
        self._handler = handler
        self._store = store
        self.mark = store.heard(handler) or Heard(0.0)
        self._next: Heard | None = None
        self._gap: Gap | None = None
        self._recent = _Recent()
        if self.mark.cel is not None:
            for ended in store.since(handler, ev.ChannelEnded, self.mark.at - SLACK):
                self._recent.take(ended)

    def _problem_of(self, file: LogFile) -> str | None:
        try:
            return self._files.do(file.problem).result(LOOK_WITHIN)
        except TimeoutError:
            return SILENT

    def close(self) -> None:
        """Nothing more is read."""
        self._files.close()

    # While Asterisk is heard ------------------------------------------------------------------------------

    async def is_heard(self, at: float) -> None:
        """Asterisk answers: so all that it did before it answered the last time has been heard.

        It is not to be asked again before this returns, in a second at most.
        """
        if self._next is not None:
            self._keep(self._next)
        self._next = self._heard_at(at, await self._ends(LOOK_WITHIN))
        self._gap = None
        self._recent.grow_old()

    def took(self, event: ev.Event) -> None:
        """An event was taken in, so that it is not taken from a file once more."""
        self._recent.take(event)

    def moved(self, visit: Visit) -> None:
        """A visit is known as far as this, whatever the file says of it."""
        self._recent.visits[visit.key] = stay_of(visit)

    def has_told(self, event: ev.Event) -> bool:
        """The event was read from a file already, a moment after the log-in."""
        if type(event) is ev.ChannelMade:
            return event.leg in self._recent.ended
        return self._gap is not None and self._gap.has_told(event)

    def _heard_at(self, at: float, ends: Ends | None) -> Heard:
        """A file that is gone for a moment is read on from where it was."""
        queue_log, cel = ends or (None, None)
        return Heard(at, queue_log or self.mark.queue_log, cel or self.mark.cel)

    async def _ends(self, within: float) -> Ends | None:
        """Where the files end; None where their disk does not answer."""
        if self._queue_log is None and self._cel is None:
            return None, None
        if self._looking is None or self._looking.done():
            self._looking = self._files.do(self._look)
            done, _ = await asyncio.wait([asyncio.wrap_future(self._looking)], timeout=within)
            if done:
                return self._looking.result()
            log.warning("The disk with the files of Asterisk %s does not answer", self._handler)
        return None

    def _look(self) -> Ends:
        files = (self._queue_log, self._cel)
        queue_log, cel = (file.end() if file is not None else None for file in files)
        return queue_log, cel

    def _keep(self, mark: Heard) -> None:
        self.mark = mark
        self._store.keep_heard(self._handler, mark)

    # When it is heard again -------------------------------------------------------------------------------

    async def missed(self, state: State, alive: Collection[str], until: float) -> AsyncIterator[ev.Event]:
        """What the files tell of the time since the mark and is not known, oldest first.

        `alive`: the channels that there are. `until`: the present, seconds since 1970 on Asterisk's clock.
        """
        ends, since = await self._ends(READ_WITHIN), self.mark
        now = self._heard_at(until, ends)
        lines: list[queue_log.Line] = []
        records: list[cel.Record] = []
        if ends is not None:
            lines = await self._read(self._queue_log, since.queue_log, since.at, queue_log.parse)
            records = await self._read(self._cel, since.cel, since.at, cel.parse)
        stays = await self._stays(lines, state)
        calls = await self._calls(lines, stays, _Interfaces(state), alive, until)
        callers = {line.call for line in lines} | {stay.call for stay in stays}
        channels = self._channels(records, callers, since.at)
        for count, event in enumerate(merge(calls, channels, key=lambda event: event.at)):
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
            yield event
        self._keep(now)  # in the store behind these events
        self._next = None

    async def _read(
        self,
        file: LogFile | None,
        start: tuple[int, int] | None,
        since: float,
        parse: Callable[[str], Parsed | None],
    ) -> list[Parsed]:
        if file is None or start is None:
            return []
        try:
            found = await self._files.done(partial(_parsed, file, Position(*start), since, parse))
        except OSError as error:
            log.error("%s cannot be read, so what happened since %.0f stays unknown: %s", file.path, since, error)
            return []
        if found:
            log.info("read %d lines of %s that were written since %.0f", len(found), file.path, since)
        return found

    async def _stays(self, lines: Sequence[queue_log.Line], state: State) -> list[Stay]:
        """The stays in queues that are known, oldest first: of callers who are there, and of those of these lines."""
        present = [stay_of(visit) for visit in state.visits.values()]
        written = await self._written({line.call for line in lines}) if lines else []
        known = {stay.key: stay for stay in [*written, *self._recent.stays(), *present]}
        return sorted(known.values(), key=lambda stay: stay.entered)

    async def _calls(
        self,
        lines: Sequence[queue_log.Line],
        stays: Sequence[Stay],
        interfaces: "_Interfaces",
        alive: Collection[str],
        until: float,
    ) -> list[ev.Event]:
        self._gap = Gap(
            stays,
            interface_of=interfaces.of,
            alive=alive.__contains__,
            begin=self.mark.at,
            end=until,
            restarts=[line.at for line in lines if line.event == "QUEUESTART"],
            entries=Counter(line.call for line in lines if line.event == "ENTERQUEUE"),
        )
        events: list[ev.Event] = []
        for count, line in enumerate(lines):
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
            events += self._gap.events(line)
        return sorted(events, key=lambda event: event.at)

    async def _written(self, calls: set[str]) -> list[Stay]:
        """Those of these calls whose rows the store has."""
        try:
            rows = await asyncio.to_thread(self._store.rows_of, self._handler, calls)
        except SQLAlchemyError as error:
            log.error("The ledger cannot be read, calls of the last seconds may be counted twice: %s", error)
            return []
        return [
            Stay(row["key"], row["call"], row["queue"], row["entered"], True, None, row["answered"], True)
            for row in rows
        ]

    def _channels(self, records: Sequence[cel.Record], callers: set[str], begin: float) -> Iterator[ev.Event]:
        """Without those of the callers: how these leave is in queue_log, which may be a moment behind."""
        channels = cel.Channels()
        for record in records:
            if record.at >= begin and record.leg not in self._recent.ended and record.leg not in callers:
                yield from channels.events(record)


class _Recent:
    """What was heard since the last mark but one: two generations, so that the older one can be dropped whole."""

    def __init__(self) -> None:
        self.visits: dict[str, Stay] = {}
        self.ended: set[str] = set()
        self._older_visits: dict[str, Stay] = {}
        self._newer_ended: set[str] = set()

    def take(self, event: ev.Event) -> None:
        if type(event) is ev.ChannelEnded:
            self.ended.add(event.leg)
            self._newer_ended.add(event.leg)

    def stays(self) -> list[Stay]:
        return [*self._older_visits.values(), *self.visits.values()]

    def grow_old(self) -> None:
        self._older_visits, self.visits = self.visits, {}
        self.ended, self._newer_ended = self._newer_ended, set()


def _parsed(file: LogFile, start: Position, since: float, parse: Callable[[str], Parsed | None]) -> list[Parsed]:
    found: list[Parsed] = []
    for text, _ in file.lines(start, since):
        value = parse(text)
        if value is None:
            log.warning("This line of %s cannot be understood, it is passed over: %.300r", file.path, text)
        elif len(found) == MOST_LINES:
            log.error("More than %d lines of %s were missed: the later ones stay unread", MOST_LINES, file.path)
            break
        else:
            found.append(value)
    return found


class _Interfaces:
    """Where the agents are whom queue_log names; all other members are nobody's."""

    def __init__(self, state: State) -> None:
        self._groups = state.groups
        self._by_name: dict[str, list[AgentSession]] = {}
        for session in state.sessions.values():
            if session.ended is None:
                self._by_name.setdefault(state.agents[session.agent].user, []).append(session)

    def of(self, queue: str, name: str) -> str:
        """The interface; the name itself, where none or more than one bears it."""
        found = {session.address for session in self._by_name.get(name, ()) if self._serves(session, queue)}
        return found.pop() if len(found) == 1 else name

    def _serves(self, session: AgentSession, queue: str) -> bool:
        group = self._groups.get(session.group)
        return group is not None and queue in group.queues
