"""Reports over HTTP: what is asked for, and how it is sent while it is read.

A report is made in a thread of its own, of which there are few, and goes to the client piece by piece. Who reads slowly
slows his report down, nothing else. One that breaks off after its beginning breaks the connection, so that nobody takes
the part for the whole.
"""

import asyncio
import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from heapq import merge
from itertools import chain
from typing import Annotated, Any, Literal, NamedTuple, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, Field
from sqlalchemy.exc import SQLAlchemyError

from acd.access.principals import EVERYBODY, READERS
from acd.clock import moment
from acd.core import refusals as no
from acd.reports import reports
from acd.reports.formats import as_csv, as_json, chunks
from acd.reports.periods import local, midnight
from acd.reports.reports import AT, ENTERED, By, Period, Row
from acd.reports.rows import AgentTime, Call
from acd.reports.tallies import Terms
from acd.store import Store
from acd.store.database import reason
from acd.store.reading import Reader, Reading
from acd.web import report_answers
from acd.web.models import IsoTime, Listed, Query, listed
from acd.web.operations import Handle, Operations, Refused, Roles
from acd.web.requests import STORE, Handler, handler_of, handlers_within_reach, principal_of, query_of, written

log = logging.getLogger(__name__)
Item = TypeVar("Item")

AT_ONCE = 2  # reports that are made; more would take the processor from the calls
MOST_WAITING = 8  # reports that wait for a place
WAIT = 10.0  # seconds for a place
AHEAD = 4  # pieces that are made before the client takes them
LOOK_EVERY = 1.0  # seconds between two looks at whether the client is still there
CLIENT_WITHIN = 60.0  # seconds for a client to take a piece
SWITCH = 0.001  # seconds after which a report has to hand over Python's lock where the calls want it; 0.005 else
BUSY = 0.003  # seconds of work, after which Python's lock is free for the calls
BREATH = 0.001  # for so many seconds
BEFORE = 86400.0  # seconds that a call may have begun before the part of a time line that it is handled in


# What is asked for ----------------------------------------------------------------------------------------


def a_zone(name: str) -> str:
    """One that there is, else ValueError."""
    if name not in _zones():
        raise ValueError("must be a time zone of IANA's, such as Europe/Berlin")
    return name


@cache
def _zones() -> set[str]:
    return available_timezones()


Limit = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)]
Limits = Annotated[frozenset[Limit], Field(min_length=1, max_length=50), BeforeValidator(listed)]


class ReportQuery(Query):
    """The parameters of every report. A time without an offset is local time in `tz`."""

    start: Annotated[IsoTime | None, Field(alias="from")] = None
    end: Annotated[IsoTime | None, Field(alias="to")] = None
    tz: Annotated[str, AfterValidator(a_zone), Field(json_schema_extra={"format": "acd-time-zone"})] = "UTC"
    interval: Literal["5m", "10m", "15m", "30m", "1h", "1d"] = "1h"
    threshold: Limit = Terms().threshold
    short_abandon: Limit = Terms().short_abandon
    histogram: Limits = frozenset(Terms().histogram)
    queues: Annotated[Listed | None, Field(alias="queue")] = None
    groups: Annotated[Listed | None, Field(alias="group")] = None
    agents: Annotated[Listed | None, Field(alias="agent")] = None
    by: Literal["each", "handler", "all"] = "each"
    format: Literal["json", "csv"] | None = None

    def period(self, now: float) -> Period:
        """Until now at most; by default from local midnight on."""
        zone = ZoneInfo(self.tz)
        end = max(0.0, min(now, _seconds(self.end, zone))) if self.end else now
        start = _seconds(self.start, zone) if self.start else midnight(local(end, zone).date(), zone)
        return Period(max(0.0, start), end, self.interval, zone)

    @property
    def terms(self) -> Terms:
        return Terms(self.threshold, self.short_abandon, sorted(self.histogram))


def _seconds(at: datetime, zone: ZoneInfo) -> float:
    try:
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).timestamp()
    except OverflowError:  # by an offset, in the first or the last year there is
        return math.inf if at.year > 1 else 0.0


class Part(NamedTuple):
    """What of one handler a report is made of. `queues`, `agents` None: all of them.

    `known`: queues that have a row in any case. `at_work`: agents who are logged on for one of the queues now.
    `bound`: who asks reaches no agents but those of the queues.
    """

    handler: str
    queues: list[str] | None
    agents: list[str] | None
    known: list[str]
    at_work: frozenset[str]
    bound: bool

    def calls(self, rows: Reading, start: float, end: float) -> Iterator[Call]:
        return rows.calls(self.handler, start, end, self.queues, self.agents)

    def times(self, rows: Reading, start: float, end: float) -> Iterator[AgentTime]:
        return rows.agent_times(self.handler, start, end, self._agents(rows, start, end))

    def _agents(self, rows: Reading, start: float, end: float) -> list[str] | None:
        """Where queues are named, those who answered a call of one in the period or are logged on for one now."""
        if self.queues is None or (self.agents is not None and not self.bound):
            return self.agents
        found = {*rows.agents(self.handler, start, end, self.queues), *self.at_work}
        return sorted(found if self.agents is None else found & set(self.agents))


class Asked(NamedTuple):
    """What one report is made of: the rows of its handlers, in the order of their time. `handler` None: of the site."""

    handler: str | None
    parts: Sequence[Part]
    period: Period
    terms: Terms
    by: By

    def within(self, rows: Reading) -> "Asked":
        """Not before the day on which the records begin."""
        start, end, step, zone = self.period
        begun = min((at for part in self.parts if (at := rows.begun(part.handler)) is not None), default=None)
        if begun is not None and zone is not None:
            start = max(start, midnight(local(begun, zone).date(), zone))
        return self._replace(period=Period(end if begun is None else min(start, end), end, step, zone))

    def calls(self, rows: Reading, before: float = 0.0) -> Iterator[Call]:
        """The calls of the period, and those that entered so many seconds before it."""
        start, end = self.period.start - before, self.period.end
        return merge(*(part.calls(rows, start, end) for part in self.parts), key=ENTERED)

    def times(self, rows: Reading) -> Iterator[AgentTime]:
        """The times of the agents in the period."""
        start, end = self.period.start, self.period.end
        return merge(*(part.times(rows, start, end) for part in self.parts), key=AT)

    @property
    def known(self) -> list[tuple[str, str]]:
        """The queues that have a row in any case."""
        return [(part.handler, queue) for part in self.parts for queue in part.known]

    @property
    def head(self) -> dict[str, Any]:
        """Of whom it tells; None: of all of them."""
        return {
            "handler": self.handler,
            "handlers": [part.handler for part in self.parts],
            "queues": _all_of(part.queues for part in self.parts),
            "agents": _all_of(part.agents for part in self.parts),
        }


def _all_of(lists: Iterable[list[str] | None]) -> list[str] | None:
    named = [each for each in lists if each is not None]
    return sorted({name for each in named for name in each}) if named else None


class Report(NamedTuple):
    """A row with the columns of all, and the rows."""

    blank: Callable[[Asked], Row]
    rows: Callable[[Asked, Reading], Iterable[Row]]


REPORTS = {
    "queues": Report(
        lambda asked: reports.blank_queue(asked.terms),
        lambda asked, rows: reports.queues(asked.calls(rows), asked.terms, asked.known, asked.by),
    ),
    "intervals": Report(
        lambda asked: reports.blank_queue_interval(asked.terms),
        lambda asked, rows: reports.queue_intervals(
            asked.calls(rows), asked.terms, asked.period, asked.known, asked.by
        ),
    ),
    "agents": Report(
        lambda _: reports.blank_agent(),
        lambda asked, rows: reports.agents(asked.calls(rows), asked.times(rows), asked.period, asked.by),
    ),
    "agent-intervals": Report(
        lambda _: reports.blank_agent_interval(),
        lambda asked, rows: reports.agent_intervals(asked.calls(rows), asked.times(rows), asked.period, asked.by),
    ),
    "reasons": Report(
        lambda _: reports.blank_reason(),
        lambda asked, rows: reports.reasons(asked.times(rows), asked.period, asked.by),
    ),
    "dispositions": Report(
        lambda _: reports.blank_disposition(),
        lambda asked, rows: reports.dispositions(asked.calls(rows), asked.by),
    ),
    "calls": Report(
        lambda _: reports.blank_call(),
        lambda asked, rows: reports.ledger(asked.calls(rows)),
    ),
    "timeline": Report(
        lambda _: reports.blank_stretch(),
        lambda asked, rows: reports.timeline(asked.calls(rows, BEFORE), asked.times(rows), asked.period),
    ),
}
TERMS = {  # what the answer repeats of the question
    "queues": ("threshold", "short_abandon", "by"),
    "intervals": ("interval", "threshold", "short_abandon", "by"),
    "agents": ("by",),
    "agent-intervals": ("interval", "by"),
    "reasons": ("by",),
    "dispositions": ("by",),
}


# How it is sent -------------------------------------------------------------------------------------------


class Stopped(Exception):
    """Nobody waits for the report any more."""


class Breath:
    """Called now and then by a thread that works long: Python's lock is free for the calls in between."""

    def __init__(self) -> None:
        self._rested = 0.0

    def __call__(self) -> None:
        if time.monotonic() - self._rested > BUSY:
            time.sleep(BREATH)
            self._rested = time.monotonic()


class _Run:
    """One report between its thread and its client."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._places = threading.Semaphore(AHEAD)
        self._pieces: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._breath = Breath()

    def stop(self) -> None:
        """The thread ends at the next page or piece."""
        self._stop.set()

    def work(self, make: Callable[[Callable[[], None]], Iterator[bytes]]) -> None:
        """The thread's part."""
        try:
            for piece in make(self._between):
                while not self._places.acquire(timeout=LOOK_EVERY):
                    self._check()
                self._between()
                self._hand_over(piece)
            self._hand_over(None)
        except BaseException as error:  # whatever it is, the client must not wait for ever
            self._hand_over(error)

    def _between(self) -> None:
        self._check()
        self._breath()

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _hand_over(self, item: bytes | BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, item)
        except RuntimeError:  # acd has ended
            pass

    async def next(self, request: web.Request) -> bytes | None:
        """The next piece, None at the end. Raises ConnectionResetError, and whatever the thread ran into."""
        while True:
            try:
                item = await asyncio.wait_for(self._pieces.get(), LOOK_EVERY)
                break
            except TimeoutError:
                if request.transport is None or request.transport.is_closing():
                    raise ConnectionResetError("the client is gone") from None
        if isinstance(item, BaseException):
            raise item
        self._places.release()
        return item


class Desk:
    """Makes reports, few at once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._pool = ThreadPoolExecutor(AT_ONCE, "reports")
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._runs: set[_Run] = set()
        self._switch = sys.getswitchinterval()
        self._closed = False

    async def close(self, _app: web.Application | None = None) -> None:
        """Ends what is under way."""
        self._closed = True
        for run in self._runs:
            run.stop()
        await asyncio.to_thread(self._pool.shutdown)

    async def answer(self, request: web.Request, name: str, asked: Asked, query: ReportQuery) -> web.StreamResponse:
        """The whole report. Raises Busy, StoreFailed."""
        await self._place()
        if self._closed:
            self._free.release()
            raise no.Busy
        run = _Run()
        self._runs.add(run)
        sys.setswitchinterval(SWITCH)

        def over(_: object) -> None:
            self._runs.discard(run)
            self._free.release()
            if not self._runs:
                sys.setswitchinterval(self._switch)

        as_text = _as_csv if _wants_csv(request, query) else _as_json
        making = asyncio.get_running_loop().run_in_executor(
            self._pool, run.work, lambda between: self._pieces(name, asked, query, as_text, between)
        )
        making.add_done_callback(over)
        try:
            return await _send(request, run, _headers(name, as_text))
        finally:
            run.stop()

    async def _place(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise no.Busy
        self._waiting += 1
        try:
            await asyncio.wait_for(self._free.acquire(), WAIT)
        except TimeoutError:
            raise no.Busy from None
        finally:
            self._waiting -= 1

    def _pieces(
        self, name: str, asked: Asked, query: ReportQuery, as_text: "AsText", between: Callable[[], None]
    ) -> Iterator[bytes]:
        report = REPORTS[name]
        with self._reader.reading(between) as rows:
            asked = asked.within(rows)
            head = _head(name, asked, query)
            yield from chunks(as_text(head, report.blank(asked), _begun(report.rows(asked, rows))))


def _begun(items: Iterable[Item]) -> Iterator[Item]:
    """The same, with the first one made: what fails until then is told by a status."""
    left = iter(items)
    return chain([item for item in [next(left, None)] if item is not None], left)


AsText = Callable[[dict[str, Any], Row, Iterable[Row]], Iterator[str]]


def _as_json(head: dict[str, Any], blank: Row, rows: Iterable[Row]) -> Iterator[str]:
    return as_json(head, blank, rows)


def _as_csv(_head: dict[str, Any], blank: Row, rows: Iterable[Row]) -> Iterator[str]:
    return as_csv(blank, rows)


def _wants_csv(request: web.Request, query: ReportQuery) -> bool:
    if query.format is not None:
        return query.format == "csv"
    return "text/csv" in request.headers.get("Accept", "").lower()


def _headers(name: str, as_text: AsText) -> dict[str, str]:
    if as_text is _as_csv:
        kind = {"Content-Type": "text/csv; charset=utf-8; header=present"}
        return kind | {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}


def _head(name: str, asked: Asked, query: ReportQuery) -> dict[str, Any]:
    period = {"from": moment(asked.period.start), "to": moment(asked.period.end), "tz": query.tz}
    terms = {term: getattr(query, term) for term in TERMS.get(name, ())}
    return {"report": name, **asked.head, **period, **terms}


async def _send(request: web.Request, run: _Run, headers: dict[str, str]) -> web.StreamResponse:
    try:
        piece = await run.next(request)
    except SQLAlchemyError as error:
        raise no.StoreFailed(f"The database cannot be read: {reason(error)}") from None
    except Stopped:  # acd ends
        raise no.Busy from None
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    try:
        while piece is not None:
            async with asyncio.timeout(CLIENT_WITHIN):
                await response.write(piece)
            piece = await run.next(request)
    except Exception as error:
        if request.transport is not None:
            request.transport.abort()  # without the end that would make it look whole
        if not isinstance(error, ConnectionError | TimeoutError | Stopped):
            log.error("A report broke off: %s", reason(error))
        raise ConnectionResetError("the report is not whole") from None
    await response.write_eof()
    return response


# The requests ---------------------------------------------------------------------------------------------

DESK = web.AppKey("desk", Desk)


def install(app: web.Application, store: Store) -> None:
    """Makes the application ready for reports from this store's database."""
    desk = app[DESK] = Desk(Reader(store.url))
    app.on_shutdown.append(desk.close)


async def _report(request: web.Request, name: str) -> web.StreamResponse:
    handler, query = handler_of(request), query_of(request, ReportQuery)
    return await _made(request, name, query, handler.name, [handler])


async def _site_report(request: web.Request, name: str) -> web.StreamResponse:
    reached = handlers_within_reach(request)
    return await _made(request, name, query_of(request, ReportQuery), None, reached)


async def _made(
    request: web.Request, name: str, query: ReportQuery, of: str | None, handlers: Sequence[Handler]
) -> web.StreamResponse:
    for group in sorted(query.groups or ()):
        if not any(group in handler.state.groups for handler in handlers):
            raise no.UnknownGroup(f"There is no ACD group {group!r}.")
    now = max((handler.service.now() for handler in handlers), default=time.time())
    parts = [_part(request, handler, query) for handler in handlers]
    await written(request.app[STORE])
    asked = Asked(of, parts, query.period(now), query.terms, By(query.by))
    return await request.app[DESK].answer(request, name, asked, query)


def _part(request: web.Request, handler: Handler, query: ReportQuery) -> Part:
    """As far as it is within reach: an agent sees himself, a supervisor the queues of his groups."""
    who = principal_of(request)
    queues = _queues(handler, query)
    agents = None if query.agents is None else sorted(query.agents)
    if "agent" in request.match_info:
        agents = [handler.center.agent(request.match_info["agent"]).key]
    elif who.agent is not None:
        agents = [who.agent]
    within = None if who.agent is not None else who.queues_within_reach(handler.name, handler.state)
    if within is not None:
        queues = within if queues is None else queues & within
    return Part(
        handler.name,
        None if queues is None else sorted(queues),
        agents,
        sorted(handler.state.queues if queues is None else queues),
        _at_work(handler, queues or set()),
        within is not None and "agent" not in request.match_info,
    )


def _queues(handler: Handler, query: ReportQuery) -> set[str] | None:
    """The queues that are named, and those of the groups that are."""
    if query.queues is None and query.groups is None:
        return None
    groups = [group for name, group in handler.state.groups.items() if name in (query.groups or ())]
    return {*(query.queues or ()), *(name for group in groups for name in group.queues)}


def _at_work(handler: Handler, queues: set[str]) -> frozenset[str]:
    state = handler.state
    groups = {group.name for group in state.groups.values() if queues.intersection(group.queues)}
    agents = state.agents.values()
    return frozenset(each.key for each in agents if any(state.sessions[key].group in groups for key in each.sessions))


H = "/api/v1/handlers/{handler}"
SITE = "/api/v1/reports"
REFUSED = (no.UnknownGroup, no.StoreFailed, no.Busy)
OPERATIONS = Operations()
Declared = Callable[[Handle], Handle]


def _get(name: str, roles: Roles, *refused: Refused, path: str = "") -> Declared:
    return OPERATIONS.get(
        path or f"{H}/reports/{name}",
        roles,
        report_answers.ANSWERS[name],
        *refused,
        *REFUSED,
        query=ReportQuery,
        media=("application/json", "text/csv"),
        etag=False,
    )


def _get_site(name: str, roles: Roles) -> Declared:
    return _get(name, roles, path=f"{SITE}/{name}")


@_get("queues", READERS)
async def report_queues(request: web.Request) -> web.StreamResponse:
    """Each queue's calls, service levels, abandons and averages."""
    return await _report(request, "queues")


@_get("intervals", READERS)
async def report_intervals(request: web.Request) -> web.StreamResponse:
    """The same for each interval of local time and queue; a call belongs to the interval in which it entered."""
    return await _report(request, "intervals")


@_get("agents", EVERYBODY)
async def report_agents(request: web.Request) -> web.StreamResponse:
    """Each agent's calls, time in each state, occupancy. An agent sees himself."""
    return await _report(request, "agents")


@_get("agent-intervals", EVERYBODY)
async def report_agent_intervals(request: web.Request) -> web.StreamResponse:
    """The same for each interval of local time and agent; an agent's time is cut where an interval ends."""
    return await _report(request, "agent-intervals")


@_get("reasons", EVERYBODY)
async def report_reasons(request: web.Request) -> web.StreamResponse:
    """Each agent's time NOT_READY by reasons. An agent sees his own."""
    return await _report(request, "reasons")


@_get("dispositions", READERS)
async def report_dispositions(request: web.Request) -> web.StreamResponse:
    """Each queue's answered calls by after-call codes; null: those without one."""
    return await _report(request, "dispositions")


@_get("calls", EVERYBODY)
async def report_calls(request: web.Request) -> web.StreamResponse:
    """The ledger of a period as a whole. An agent sees his own calls."""
    return await _report(request, "calls")


@_get("timeline", EVERYBODY, no.UnknownAgent, path=f"{H}/agents/{{agent}}/timeline")
async def report_timeline(request: web.Request) -> web.StreamResponse:
    """What an agent did, stretch by stretch, each with the calls that he handled in it."""
    return await _report(request, "timeline")


# The same over all handlers within reach ---------------------------------------------------------------------


@_get_site("queues", READERS)
async def report_site_queues(request: web.Request) -> web.StreamResponse:
    """Each queue of every Asterisk server; by=handler or by=all: their calls in one sum."""
    return await _site_report(request, "queues")


@_get_site("intervals", READERS)
async def report_site_intervals(request: web.Request) -> web.StreamResponse:
    """The same for each interval of local time."""
    return await _site_report(request, "intervals")


@_get_site("agents", EVERYBODY)
async def report_site_agents(request: web.Request) -> web.StreamResponse:
    """Each agent of every Asterisk server. An agent sees himself."""
    return await _site_report(request, "agents")


@_get_site("agent-intervals", EVERYBODY)
async def report_site_agent_intervals(request: web.Request) -> web.StreamResponse:
    """The same for each interval of local time."""
    return await _site_report(request, "agent-intervals")


@_get_site("reasons", EVERYBODY)
async def report_site_reasons(request: web.Request) -> web.StreamResponse:
    """The time NOT_READY by reasons, of the agents of every Asterisk server. An agent sees his own."""
    return await _site_report(request, "reasons")


@_get_site("dispositions", READERS)
async def report_site_dispositions(request: web.Request) -> web.StreamResponse:
    """The answered calls by after-call codes, of the queues of every Asterisk server."""
    return await _site_report(request, "dispositions")


@_get_site("calls", EVERYBODY)
async def report_site_calls(request: web.Request) -> web.StreamResponse:
    """The ledger of a period as a whole, of every Asterisk server. An agent sees his own calls."""
    return await _site_report(request, "calls")
