"""This node among several on one PostgreSQL database: what it leads, and what it follows.

Whoever holds the lease of a handler leads it: is linked to its Asterisk, carries out its commands, writes its log. All
others take in what stands in the log, so that any node can show and tell everything, and take over in a moment.
"""

import asyncio
import logging
import queue
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from acd.core.refusals import NotLinked
from acd.feed import SharedFeed, envelope_of
from acd.service import Service
from acd.store import MOST_ENVELOPES, Store
from acd.store.database import reason
from acd.store.leases import CHANNEL, HOUSE, VALID, Lease, Leases

log = logging.getLogger(__name__)

TURN_EVERY = 0.5  # seconds between two turns of the leases, unless somebody gives one up
LOOK_EVERY = 0.2  # seconds between two looks at whether a lease is still good
POLL = 1.0  # seconds after which the database is asked though it told nothing
AGAIN = 0.5  # seconds until what failed is tried again
WITHOUT_LINK = 5.0  # seconds after which a node lets another one try to reach Asterisk
PAUSE = 10.0  # seconds for which it then leaves it to the others
CATCH_UP_WITHIN = 2.0  # seconds
AT_ONCE = 200  # events between two breaths of the event loop
Answer = TypeVar("Answer")
ACCESS = frozenset({"token", "account", "webhook", "pin"})  # tables that every node has in memory


@dataclass(frozen=True, slots=True)
class House:
    """What belongs to no handler. `renew`: these tables were written by another node."""

    lead: Callable[[], Awaitable[None]]
    step_down: Callable[[], Awaitable[None]]
    renew: Callable[[Collection[str]], Awaitable[None]]


class Nodes:
    """What this node leads and follows, and where the rest is led."""

    def __init__(
        self, store: Store, leases: Leases, services: Mapping[str, Service], begin: Callable[[str], None]
    ) -> None:
        """`begin`: what is to be done for a handler when this node begins to lead it."""
        self._store = store
        self._leases = leases
        self._services = services
        self._begin = begin
        self._feed: SharedFeed
        self._house: House
        self._held: dict[str, int] = {}  # name -> fence
        self._until: dict[str, float] = {}  # name -> until when nobody else can have taken it, on our own clock
        self._unlinked: dict[str, float] = {}  # handler -> since when there is no link though it is led here
        self._not_before: dict[str, float] = {}  # name -> when it may be taken again
        self._known: dict[str, Lease] = {}
        self._known_at = 0.0
        self._taken_in_at = 0.0
        self._nodes = 1
        self._leads_house = False
        self._taking_over: set[asyncio.Task[None]] = set()
        self._links: dict[str, asyncio.Task[None]] = {}
        self._turning = asyncio.Event()
        self._news = asyncio.Event()
        self._tables: set[str] = set()  # written since they were read
        self._catching_up: list[asyncio.Future[None]] = []
        self._one_at_once = asyncio.Lock()  # who follows and who begins to lead would get into one another's way
        self._tasks: list[asyncio.Task[NoReturn]] = []
        self._problems: set[str] = set()
        self._asking: set[asyncio.Future[Any]] = set()
        for name, service in services.items():
            service.may_act = lambda name=name: self._is_good(name)  # type: ignore[misc]

    # From beginning to end --------------------------------------------------------------------------------

    async def start(self, feed: SharedFeed, house: House) -> None:
        """Begins to follow, and to lead what is free. Raises SQLAlchemyError."""
        self._feed, self._house = feed, house
        await self._take_in_once()
        await self._turn()
        for work in (self._take_turns, self._look, self._listen, self._take_in):
            self._tasks.append(asyncio.create_task(work()))

    async def close(self) -> None:
        """Gives up what it leads, in good order, so that others take it at once."""
        ending = [*self._tasks, *self._taking_over]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if self._asking:  # their connections are to be closed in good order
            await asyncio.wait(self._asking, timeout=CATCH_UP_WITHIN)
        for service in self._services.values():
            if service.leads:
                await service.close()
        await asyncio.gather(*self._links.values(), return_exceptions=True)
        if self._leads_house:
            await self._house.step_down()
        try:
            async with asyncio.timeout(CATCH_UP_WITHIN):
                await self._store.written()
            await self._ask(self._leases.give_up, dict(self._held))
        except (SQLAlchemyError, TimeoutError, queue.Full) as error:
            log.warning("What this node leads is free in %.0f s only: %s", VALID, reason(error))

    # For the web ------------------------------------------------------------------------------------------

    def leads(self, name: str) -> bool:
        """This node leads it ("": what belongs to no handler)."""
        return self._leads_house if name == HOUSE else self._services[name].leads

    @property
    def problem(self) -> str | None:
        """Why this node does not know what the others do."""
        return next(iter(sorted(self._problems)), None)

    def leader(self, name: str) -> Lease | None:
        """Who leads it, as far as is known here."""
        lease = self._known.get(name)
        return lease if lease is not None and lease.left > time.monotonic() - self._known_at else None

    def elsewhere(self, name: str) -> str | None:
        """The address of the node that leads it; None: this one does. Raises NotLinked where none does."""
        if self.leads(name):
            return None
        lease = self.leader(name)
        if lease is None or lease.node == self._leases.node:
            raise NotLinked("At present no node is linked; one takes over within seconds.")
        return lease.url

    async def catch_up(self) -> None:
        """Returns when all that stands in the database now was taken in, or after two seconds."""
        done = asyncio.get_running_loop().create_future()
        self._catching_up.append(done)
        self._tables |= ACCESS
        self._news.set()
        await asyncio.wait([done], timeout=CATCH_UP_WITHIN)

    # Leases -----------------------------------------------------------------------------------------------

    async def _take_turns(self) -> NoReturn:
        while True:
            await _wait(self._turning, TURN_EVERY)
            try:
                await self._turn()
            except SQLAlchemyError as error:
                self._failed("The leases cannot be renewed", error)
            else:
                self._problems.discard("The leases cannot be renewed")

    async def _turn(self) -> None:
        """Renews what is held, takes what is free, and learns who leads the rest. Raises SQLAlchemyError."""
        asked = time.monotonic()
        wanted = [name for name in (HOUSE, *self._services) if self._is_wanted(name, asked)]
        held = dict(self._held)
        turn = await self._ask(self._leases.turn, held, wanted)
        self._known, self._known_at, self._nodes = turn.leases, asked, turn.nodes
        for name in (held.keys() & self._held.keys()) - turn.renewed:
            await self._step_down(name, "another node has taken over")
        for name in turn.renewed & self._held.keys():
            self._until[name] = asked + VALID
        for name, fence in turn.taken.items():
            self._held[name], self._until[name] = fence, asked + VALID
            self._taking_over.add(task := asyncio.create_task(self._lead(name, fence)))
            task.add_done_callback(self._taking_over.discard)

    def _is_wanted(self, name: str, now: float) -> bool:
        return name not in self._held and now >= self._not_before.get(name, 0.0)

    def _is_good(self, name: str) -> bool:
        """Nobody else can have taken it by now."""
        return time.monotonic() < self._until.get(name, 0.0)

    async def _lead(self, name: str, fence: int) -> None:
        try:
            async with self._one_at_once:
                await (self._lead_house(fence) if name == HOUSE else self._lead_handler(name, fence))
        except SQLAlchemyError as error:
            self._failed(f"{name or 'what belongs to no handler'} cannot be taken over", error)
            await self._step_down(name, "it could not be taken over")
        else:
            log.info("this node leads %s (fence %d)", name or "what belongs to no handler", fence)

    async def _lead_house(self, fence: int) -> None:
        await self._house.renew(ACCESS)
        if self._held.get(HOUSE) == fence:
            self._leases.begun(HOUSE, fence)
            self._leads_house = True
            await self._house.lead()

    async def _lead_handler(self, name: str, fence: int) -> None:
        """Behind all that was written before: nobody else can write it any more."""
        service = self._services[name]
        prepared = await self._ask(service.prepared)
        await self._up_to_date(service)
        if self._held.get(name) != fence:
            return
        self._store.lead(name, service.position, fence)
        service.lead(*prepared)
        self._begin(name)
        self._unlinked[name] = time.monotonic()
        self._links[name] = asyncio.create_task(service.run())

    async def _step_down(self, name: str, why: str) -> None:
        log.warning("this node no longer leads %s: %s", name or "what belongs to no handler", why)
        self._held.pop(name, None)
        self._until.pop(name, None)
        self._leases.ended(name)
        if name == HOUSE and self._leads_house:
            self._leads_house = False
            await self._house.step_down()
        elif name != HOUSE and self._services[name].leads:
            await self._services[name].step_down(why)
            await asyncio.gather(self._links.pop(name), return_exceptions=True)
        self._news.set()

    async def _look(self) -> NoReturn:
        """The database may be silent, Asterisk out of reach, or this process was held up."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if time.monotonic() - self._taken_in_at > VALID:
                await self._know_nothing()
            for name in list(self._held):
                if not self._is_good(name):
                    await self._step_down(name, "the database did not answer in time")
                elif name != HOUSE and self._nodes > 1 and self._is_without_link(name):
                    await self._give_up(name)

    async def _know_nothing(self) -> None:
        """What is followed is not shown as if it were new, until it is read again."""
        for service in self._services.values():
            if not service.leads and service.center.state.listening:
                await service.step_down("the database cannot be read")

    def _is_without_link(self, name: str) -> bool:
        service, now = self._services[name], time.monotonic()
        if service.link.linked or not service.leads:
            self._unlinked[name] = now
        return now - self._unlinked.get(name, now) > WITHOUT_LINK

    async def _give_up(self, name: str) -> None:
        fence = self._held[name]
        self._not_before[name] = time.monotonic() + PAUSE
        await self._step_down(name, "Asterisk cannot be reached from here")
        try:
            await self._ask(self._leases.give_up, {name: fence})
        except SQLAlchemyError as error:
            self._failed("A lease cannot be given up", error)

    # The database -----------------------------------------------------------------------------------------

    async def _listen(self) -> NoReturn:
        """Hears that something was written."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**self._leases.listener(), autocommit=True) as heard:
                    await heard.execute(f"LISTEN {CHANNEL}")
                    self._tables |= ACCESS  # something may have been written before
                    self._wake()
                    async for notify in heard.notifies():
                        self._tables.update(notify.payload.split())
                        self._wake(turn=not notify.payload)
            except psycopg.Error as error:
                log.debug("the database does not wake this node: %s", error)
            await asyncio.sleep(AGAIN)

    def _wake(self, turn: bool = True) -> None:
        self._news.set()
        if turn:
            self._turning.set()

    async def _take_in(self) -> NoReturn:
        while True:
            await _wait(self._news, POLL)
            try:
                async with self._one_at_once:
                    await self._take_in_once()
            except SQLAlchemyError as error:
                self._failed("The database cannot be read", error)
                await asyncio.sleep(AGAIN)
            else:
                self._problems.discard("The database cannot be read")

    async def _take_in_once(self) -> None:
        asked = time.monotonic()
        waiting, self._catching_up = self._catching_up, []
        tables, self._tables = self._tables & ACCESS, set()
        # before the events, which then are at least as far as what tells of them
        envelopes = await self._ask(self._store.envelopes, self._feed.seq)
        for service in self._services.values():
            if not service.leads:
                await self._up_to_date(service)
        if tables:
            await self._house.renew(tables)
        self._taken_in_at = asked
        self._feed.take(map(envelope_of, envelopes))
        for done in waiting:
            if not done.done():
                done.set_result(None)
        if len(envelopes) == MOST_ENVELOPES:
            self._news.set()

    async def _up_to_date(self, service: Service) -> None:
        """Takes in all that stands in the log of a handler; everything, where it stepped down before."""
        while True:
            if service.position == 0:
                service.restore(await self._ask(self._store.kept, service.name))
            behind = service.position
            events, last = await self._ask(self._store.events, service.name, behind)
            if service.position == behind:  # it did not step down meanwhile
                break
        for first in range(0, len(events), AT_ONCE):
            service.follow(events[first : first + AT_ONCE])
            here = service.position
            await asyncio.sleep(0)
            if service.position != here:
                return
        service.position = last

    async def _ask(self, question: Callable[..., Answer], *given: Any) -> Answer:
        """The database, in a thread."""
        asking = asyncio.ensure_future(asyncio.to_thread(question, *given))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return await asyncio.shield(asking)

    def _failed(self, what: str, error: Exception) -> None:
        """Told once, until it succeeds again."""
        if what not in self._problems:
            log.error("%s: %s", what, reason(error))
        self._problems.add(what)


async def _wait(event: asyncio.Event, patience: float) -> None:
    """Until it is set, at most so many seconds."""
    try:
        async with asyncio.timeout(patience):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
