"""This node among several on one PostgreSQL database: what it leads, and where the rest is led.

Whoever holds the lease of a handler leads it: is linked to its Asterisk, carries out its commands, writes its log. All
others follow (acd/following.py), so that any node can show and tell everything, and take over in a moment.
"""

import asyncio
import logging
import queue
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn

from sqlalchemy.exc import SQLAlchemyError

from acd.core.refusals import NotLinked
from acd.feed import SharedFeed
from acd.following import ACCESS, AGAIN, ANSWER_WITHIN, Follower, Questions, wait
from acd.service import Service
from acd.store import Store
from acd.store.database import reason
from acd.store.leases import HOUSE, VALID, Lease, Leases

log = logging.getLogger(__name__)

TURN_EVERY = 0.5  # seconds between two turns of the leases, unless somebody gives one up
LOOK_EVERY = 0.2  # seconds between two looks at whether a lease is still good
WITHOUT_LINK = 5.0  # seconds after which a node lets another one try to reach Asterisk
PAUSE = 10.0  # seconds for which it then leaves it to the others
PAUSE_AFTER_REFUSAL = 60.0  # seconds; more log-ins that are refused could lock acd out
RENEWAL = "The leases cannot be renewed"


@dataclass(frozen=True, slots=True)
class House:
    """What belongs to no handler. `renew`: these tables were written by another node."""

    lead: Callable[[], Awaitable[None]]
    step_down: Callable[[], Awaitable[None]]
    renew: Callable[[Collection[str]], Awaitable[None]]


class Nodes:
    """What this node leads, and where the rest is led."""

    def __init__(
        self, store: Store, leases: Leases, services: Mapping[str, Service], begin: Callable[[str], None]
    ) -> None:
        """`begin`: what is to be done for a handler when this node begins to lead it."""
        self._store = store
        self._leases = leases
        self._services = services
        self._begin = begin
        self._turning = asyncio.Event()
        self._questions = Questions()
        self._follower = Follower(store, leases, services, self._questions, self._turning.set)
        self._house: House
        self._held: dict[str, int] = {}  # name -> fence
        self._until: dict[str, float] = {}  # name -> until when nobody else can have taken it, on our own clock
        self._unlinked: dict[str, float] = {}  # handler -> since when there is no link though it is led here
        self._not_before: dict[str, float] = {}  # name -> when it may be taken again
        self._known: dict[str, Lease] = {}
        self._known_at = 0.0
        self._nodes = 1
        self._leads_house = False
        self._taking_over: set[asyncio.Task[None]] = set()
        self._giving_up: set[asyncio.Task[None]] = set()
        self._links: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[NoReturn]] = []
        for name, service in services.items():
            service.may_act = lambda name=name: self._is_good(name)  # type: ignore[misc]

    # From beginning to end --------------------------------------------------------------------------------

    async def start(self, feed: SharedFeed, house: House) -> None:
        """Begins to follow, and to lead what is free. Raises SQLAlchemyError."""
        self._house = house
        await self._follower.start(feed, house.renew)
        await self._turn()
        for work in (self._take_turns, self._look, self._follower.listen, self._follower.take_in):
            self._tasks.append(asyncio.create_task(_for_ever(work)))

    async def close(self) -> None:
        """Gives up what it leads, in good order, so that others take it at once."""
        ending = [*self._tasks, *self._taking_over]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await self._questions.close()
        for service in self._services.values():
            await service.close()
        await asyncio.gather(*self._links.values(), return_exceptions=True)
        if self._leads_house:
            await self._house.step_down()
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._store.written()
            await asyncio.to_thread(self._leases.give_up, dict(self._held))
        except (SQLAlchemyError, TimeoutError, queue.Full) as error:
            log.warning("What this node leads is free in %.0f s only: %s", VALID, reason(error))

    # For the web ------------------------------------------------------------------------------------------

    def leads(self, name: str) -> bool:
        """This node leads it ("": what belongs to no handler), and nobody else can do so by now."""
        return self._is_good(name) and (self._leads_house if name == HOUSE else self._services[name].leads)

    @property
    def problem(self) -> str | None:
        """Why this node does not know what the others do."""
        return self._questions.problem

    async def catch_up(self) -> None:
        """Returns when all that stands in the database now was taken in, or after two seconds."""
        await self._follower.catch_up()

    def elsewhere(self, name: str) -> str | None:
        """The address of the node that leads it; None: this one does, or there is no such handler.

        Raises NotLinked where nobody leads it.
        """
        if (name != HOUSE and name not in self._services) or self.leads(name):
            return None
        lease = self._known.get(name)
        gone = lease is None or lease.left < time.monotonic() - self._known_at
        if lease is None or gone or lease.node == self._leases.node:
            raise NotLinked("At present no node is linked; one takes over within seconds.")
        return lease.url

    # Leases -----------------------------------------------------------------------------------------------

    async def _take_turns(self) -> NoReturn:
        while True:
            await wait(self._turning, TURN_EVERY)
            try:
                await self._turn()
            except SQLAlchemyError as error:
                self._questions.failed(RENEWAL, error)
            else:
                self._questions.succeeded(RENEWAL)

    async def _turn(self) -> None:
        """Renews what is held, takes what is free, and learns who leads the rest. Raises SQLAlchemyError."""
        asked = time.monotonic()
        wanted = [name for name in (HOUSE, *self._services) if self._is_wanted(name, asked)]
        held = dict(self._held)
        turn = await self._questions.ask(self._leases.turn, held, wanted)
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
            async with self._follower.one_at_once:
                await (self._lead_house(fence) if name == HOUSE else self._lead_handler(name, fence))
        except Exception as error:
            known = isinstance(error, SQLAlchemyError)
            log.error("%s cannot be taken over: %s", _shown(name), reason(error), exc_info=None if known else error)
            if self._held.get(name) == fence:
                await self._give_up(name, "it could not be taken over")
        else:
            log.info("this node leads %s (fence %d)", _shown(name), fence)

    async def _lead_house(self, fence: int) -> None:
        await self._house.renew(ACCESS)
        if self._held.get(HOUSE) == fence:
            self._leases.begun(HOUSE, fence)
            self._leads_house = True
            await self._house.lead()

    async def _lead_handler(self, name: str, fence: int) -> None:
        """Behind all that was written before: nobody else can write it any more."""
        service = self._services[name]
        await self._follower.up_to_date(service)
        await self._house.renew({"pin"})
        history, times = await self._questions.ask(service.prepared)
        if self._held.get(name) != fence:
            history.close()
            return
        self._store.lead(name, service.position, fence)
        service.lead(history, times)
        self._begin(name)
        self._unlinked[name] = time.monotonic()
        self._links[name] = asyncio.create_task(service.run())

    async def _step_down(self, name: str, why: str) -> None:
        log.warning("this node no longer leads %s: %s", _shown(name), why)
        self._held.pop(name, None)
        self._until.pop(name, None)
        self._leases.ended(name)
        if name == HOUSE and self._leads_house:
            self._leads_house = False
            await self._house.step_down()
        elif name != HOUSE and self._services[name].leads:
            link = self._links.pop(name, None)
            await self._services[name].step_down(why)
            if link is not None:
                await asyncio.gather(link, return_exceptions=True)
        self._follower.wake()

    async def _look(self) -> NoReturn:
        """The database may be silent, Asterisk out of reach, or this process was held up."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self._follower.look()
            for name in list(self._held):
                if not self._is_good(name):
                    await self._step_down(name, "the database did not answer in time")
                elif name != HOUSE and self._nodes > 1 and self._is_without_link(name):
                    await self._give_up(name, "Asterisk cannot be reached from here")

    def _is_without_link(self, name: str) -> bool:
        service, now = self._services[name], time.monotonic()
        if service.link.logged_in or not service.leads:
            self._unlinked[name] = now
        return now - self._unlinked.get(name, now) > WITHOUT_LINK

    async def _give_up(self, name: str, why: str) -> None:
        """Somebody else may try."""
        fence, refused = self._held[name], name != HOUSE and self._services[name].link.stats.logins_refused
        self._not_before[name] = time.monotonic() + (PAUSE_AFTER_REFUSAL if refused else PAUSE)
        await self._step_down(name, why)
        self._giving_up.add(task := asyncio.create_task(self._free(name, fence)))
        task.add_done_callback(self._giving_up.discard)

    async def _free(self, name: str, fence: int) -> None:
        try:
            await self._questions.ask(self._leases.give_up, {name: fence})
        except SQLAlchemyError as error:
            log.warning("A lease cannot be given up: %s", reason(error))


async def _for_ever(work: Callable[[], Awaitable[NoReturn]]) -> NoReturn:
    """What is wrong in it ends neither this node's leading nor its following."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("What nodes do all the time has failed, and goes on")
        await asyncio.sleep(AGAIN)


def _shown(name: str) -> str:
    """A handler's name in the log."""
    return name or "what belongs to no handler"
