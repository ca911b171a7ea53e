"""One node follows what all of them write: the logs of the handlers that others lead, the stream, who may come in."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from acd.feed import SharedFeed, envelope_of
from acd.service import Service
from acd.store import MOST_ENVELOPES, Store
from acd.store.database import reason
from acd.store.leases import CHANNEL, VALID, Leases

log = logging.getLogger(__name__)

POLL = 1.0  # seconds after which the database is asked though it told nothing
AGAIN = 0.5  # seconds until what failed is tried again
ANSWER_WITHIN = 2.0  # seconds
AT_ONCE = 200  # events between two breaths of the event loop
ACCESS = frozenset({"token", "account", "webhook", "pin"})  # tables that every node has in memory

Answer = TypeVar("Answer")


class Questions:
    """Asks the database, in threads, and knows what fails at present."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(4, "nodes")  # own ones: whatever else waits for a thread, leases do not
        self._asking: set[asyncio.Future[Any]] = set()
        self._failing: set[str] = set()

    async def ask(self, question: Callable[..., Answer], *given: Any) -> Answer:
        """Raises as the question does; it goes on where nobody waits any longer."""
        asking = asyncio.get_running_loop().run_in_executor(self._threads, question, *given)
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return await asyncio.shield(asking)

    def failed(self, what: str, error: Exception) -> None:
        """Told once, until it succeeds again."""
        if what not in self._failing:
            log.error("%s: %s", what, reason(error))
        self._failing.add(what)

    def succeeded(self, what: str) -> None:
        """It does not fail any more."""
        self._failing.discard(what)

    @property
    def problem(self) -> str | None:
        """What fails at present."""
        return min(self._failing, default=None)

    async def close(self) -> None:
        """Waits a little for what is asked, so that its connections are closed in good order."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=ANSWER_WITHIN)
        self._threads.shutdown(wait=False)


class Follower:
    """Takes in what stands in the database, as it is written."""

    def __init__(
        self,
        store: Store,
        leases: Leases,
        services: Mapping[str, Service],
        questions: Questions,
        turn: Callable[[], None],
    ) -> None:
        """`turn`: called when a lease may have become free."""
        self.one_at_once = asyncio.Lock()  # who follows and who begins to lead would get into one another's way
        self._store = store
        self._leases = leases
        self._services = services
        self._questions = questions
        self._turn = turn
        self._feed: SharedFeed
        self._renew: Callable[[Collection[str]], Awaitable[None]]
        self._news = asyncio.Event()
        self._tables: set[str] = set()  # written since they were read
        self._catching_up: list[asyncio.Future[None]] = []
        self._up_to: dict[str, float] = {}  # handler -> what was written before this moment is known, on our own clock

    async def start(self, feed: SharedFeed, renew: Callable[[Collection[str]], Awaitable[None]]) -> None:
        """`renew`: reads these tables again. Raises SQLAlchemyError."""
        self._feed, self._renew = feed, renew
        await self._take_in()

    # What is to be done all the time ----------------------------------------------------------------------

    async def listen(self) -> NoReturn:
        """Hears that something was written."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**self._leases.listener(), autocommit=True) as heard:
                    await heard.execute(f"LISTEN {CHANNEL}")
                    self._wake(ACCESS)  # something may have been written before
                    self._turn()
                    async for notify in heard.notifies():
                        self._wake(notify.payload.split())
                        if not notify.payload:
                            self._turn()
            except psycopg.Error as error:
                log.debug("the database does not wake this node: %s", error)
            await asyncio.sleep(AGAIN)

    async def take_in(self) -> NoReturn:
        """Reads what was written, when that was heard, and now and then."""
        while True:
            await wait(self._news, POLL)
            try:
                async with self.one_at_once:
                    await self._take_in()
            except SQLAlchemyError as error:
                self._questions.failed("The database cannot be read", error)
                await asyncio.sleep(AGAIN)
            else:
                self._questions.succeeded("The database cannot be read")

    async def look(self) -> None:
        """What is followed is not shown as if it were new when the database is silent, until it is read again."""
        limit = time.monotonic() - VALID
        for name, service in self._services.items():
            if not service.leads and service.center.state.listening and self._up_to.get(name, 0.0) < limit:
                await service.step_down("the database cannot be read")

    # For others -------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There may be something to read."""
        self._wake(())

    async def catch_up(self) -> None:
        """Returns when all that stands in the database now was taken in, or after two seconds."""
        done = asyncio.get_running_loop().create_future()
        self._catching_up.append(done)
        self._wake(ACCESS)
        await asyncio.wait([done], timeout=ANSWER_WITHIN)

    async def up_to_date(self, service: Service) -> None:
        """Takes in all that stands in the log of a handler; from the beginning, where it stepped down before."""
        while True:
            if service.position == 0:
                service.restore(await self._questions.ask(self._store.kept, service.name))
            behind, asked = service.position, time.monotonic()
            events, last = await self._questions.ask(self._store.events, service.name, behind)
            if service.position == behind:  # it did not step down meanwhile
                break
        self._up_to[service.name] = asked
        for first in range(0, len(events), AT_ONCE):
            service.follow(events[first : first + AT_ONCE])
            here = service.position
            await asyncio.sleep(0)
            if service.position != here:
                return
        service.position = last

    # One round --------------------------------------------------------------------------------------------

    def _wake(self, tables: Collection[str]) -> None:
        self._tables.update(tables)
        self._news.set()

    async def _take_in(self) -> None:
        waiting, self._catching_up = self._catching_up, []
        tables, self._tables = self._tables & ACCESS, set()
        try:
            await self._read(tables)
        except BaseException:  # the next round has to do it all
            self._tables |= tables
            self._catching_up += waiting
            raise
        for done in waiting:
            if not done.done():
                done.set_result(None)

    async def _read(self, tables: Collection[str]) -> None:
        # before the events, which then are at least as far as what tells of them
        envelopes = await self._questions.ask(self._store.envelopes, self._feed.seq)
        for service in self._services.values():
            if not service.leads:
                await self.up_to_date(service)
        if tables:
            await self._renew(tables)
        self._feed.take(map(envelope_of, envelopes))
        if len(envelopes) == MOST_ENVELOPES:
            self._news.set()


async def wait(event: asyncio.Event, patience: float) -> None:
    """Until it is set, at most so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await event.wait()
    event.clear()
