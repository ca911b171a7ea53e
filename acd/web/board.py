"""GET .../board: the figures of the calls for wallboards. However many of them ask, it is made once in a while."""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import AfterValidator, Field
from sqlalchemy.exc import SQLAlchemyError

from acd.access.principals import READERS
from acd.clock import moment
from acd.core import refusals as no
from acd.reports import board
from acd.reports.periods import local, midnight
from acd.settings import WallboardSettings
from acd.store import Store
from acd.store.database import reason
from acd.store.reading import Reader
from acd.web import answers
from acd.web.models import Query
from acd.web.operations import Operations
from acd.web.reports import Breath, a_zone
from acd.web.requests import Handler, answer, handler_of, handlers_within_reach, principal_of, query_of, written

KEPT = 5.0  # seconds
MOST = 60  # that are kept: there are no more midnights within a day, for each handler
OPERATIONS = Operations()


class BoardQuery(Query):
    """Where midnight is."""

    tz: Annotated[str, AfterValidator(a_zone), Field(json_schema_extra={"format": "acd-time-zone"})] = "UTC"


class _Made(NamedTuple):
    at: float
    since: board.Since
    rows: list[board.Row]
    until: float  # on the clock of this process


class Boards:
    """Makes the board of a handler and a midnight, and keeps it for some seconds."""

    def __init__(self, store: Store, settings: WallboardSettings) -> None:
        self.settings = settings
        self._reader = Reader(store.url)
        self._made: dict[tuple[str, float], _Made] = {}  # by handler and midnight: zones have it in common
        self._one_at_once = asyncio.Lock()

    async def of(self, handler: Handler, zone: str) -> _Made:
        """Raises StoreFailed."""
        async with self._one_at_once:
            now, its_zone = handler.service.now(), ZoneInfo(zone)
            key = (handler.name, midnight(local(now, its_zone).date(), its_zone))
            made = self._made.pop(key, None)
            if made is None or time.monotonic() > made.until:
                await written(handler.store)
                made = await self._make(handler, board.Since.of(now, key[1]), now)
            while len(self._made) >= MOST:
                self._made.pop(next(iter(self._made)))
            self._made[key] = made
            return made

    async def _make(self, handler: Handler, since: board.Since, now: float) -> _Made:
        known = list(handler.state.queues)
        try:
            rows = await asyncio.to_thread(self._rows, handler.name, since, now, known)
        except SQLAlchemyError as error:
            raise no.StoreFailed(f"The database cannot be read: {reason(error)}") from None
        return _Made(now, since, rows, time.monotonic() + KEPT)

    def _rows(self, handler: str, since: board.Since, now: float, known: list[str]) -> list[board.Row]:
        with self._reader.reading(Breath()) as rows:
            calls = rows.calls(handler, since.first, now)
            return board.rows(calls, since, self.settings.threshold, self.settings.definition, known)


BOARDS = web.AppKey("boards", Boards)


@OPERATIONS.get("/api/v1/handlers/{handler}/board", READERS, answers.Board, no.StoreFailed, query=BoardQuery)
async def get_board(request: web.Request) -> web.Response:
    """Each queue's calls today, in the last half hour and in the steps of the last hour, with the site's targets."""
    return await _board(request, [handler_of(request)])


@OPERATIONS.get("/api/v1/board", READERS, answers.Board, no.StoreFailed, query=BoardQuery)
async def get_site_board(request: web.Request) -> web.Response:
    """The same for the queues of every Asterisk server. The times are those of the clock that is ahead."""
    return await _board(request, handlers_within_reach(request))


async def _board(request: web.Request, handlers: Sequence[Handler]) -> web.Response:
    boards, zone = request.app[BOARDS], query_of(request, BoardQuery).tz
    made = [await boards.of(handler, zone) for handler in handlers]
    latest = max(made, key=lambda each: each.at)
    shown = {
        "at": moment(latest.at),
        "midnight": moment(latest.since.midnight),
        "recent": moment(latest.since.recent),
        "steps": [moment(at) for at in latest.since.steps],
        "threshold": boards.settings.threshold,
        "definition": boards.settings.definition,
        "targets": boards.settings.targets.model_dump(),
        "queues": [row for handler, of in zip(handlers, made, strict=True) for row in _rows(request, handler, of)],
    }
    return answer(shown, request=request)


def _rows(request: web.Request, handler: Handler, made: _Made) -> list[dict[str, Any]]:
    """Those within reach."""
    within = principal_of(request).queues_within_reach(handler.name, handler.state)
    rows = (row for row in made.rows if within is None or row.queue in within)
    return [{"handler": handler.name, **row._asdict()} for row in rows]
