"""Acd at work on a simulated Asterisk, with a past behind it: what the demo serves, and tests look at."""

import gc
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from acd import pins, serve
from acd.clock import steady
from acd.settings import Settings
from acd.simulated.agenda import Agenda, Clockwork
from acd.simulated.ami import Server
from acd.simulated.desks import Past, Present
from acd.simulated.house import DISPOSITIONS, PIN, REASONS, House
from acd.simulated.people import People
from acd.simulated.records import Rules
from acd.simulated.world import World
from acd.store import Store
from acd.web.requests import Handler

HANDLER = "main"
WRAP_UP = 18.0  # seconds
LONGEST_WAIT = 300.0  # seconds, then the dialplan hangs up
UNDISTURBED = 0.5  # seconds for which a thread keeps Python to itself


@dataclass(frozen=True, slots=True)
class Office:
    """`people` is None where only those act whom a test makes act."""

    handler: Handler
    settings: Settings
    store: Store
    world: World
    asterisk: Server
    people: People | None


@asynccontextmanager
async def opened(
    house: House,
    folder: Path,
    *,
    past: float = 0.0,
    seed: int | None = 1,
    calls_per_minute: float | None = None,
    web: dict[str, object] | None = None,
) -> AsyncIterator[Office]:
    """The parts of one office, its database in this folder. Its present begins when its service logs in.

    `past`: seconds of history; `seed`: of all dice, None: an office without people; `web`: settings of the pages.
    """
    world = World(
        Agenda(steady() - past), [Rules(line.name, longest_wait=LONGEST_WAIT) for line in house.lines], house.phones
    )
    clockwork = Clockwork(world.agenda, steady)
    secret = secrets.token_urlsafe(24)
    store = Store(f"sqlite:///{folder / 'acd.db'}")
    store.open()
    try:
        async with Server(world, "acd", secret, clockwork) as asterisk:
            settings = _settings(house, asterisk.port, secret, web or {})
            handler = await _handler(settings, house, store, world.now)
            desk = Present(handler.commands)
            people = None
            if seed is not None:
                people = People(world, house, desk, seed, calls_per_minute)
                people.begin()
            if past:
                _live_through(Past(handler.service, world), people)
            try:
                yield Office(handler, settings, store, world, asterisk, people)
            finally:
                clockwork.stop()
                desk.close()
    finally:
        store.close()


def _live_through(past: Past, people: People | None) -> None:
    """Up to the present."""
    with _undisturbed():
        if people is None:
            past.run(steady)
        else:
            people.live(past, lambda: past.run(steady))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A third less time for what makes a lot that stays: no garbage is looked for, and the store's writer waits."""
    interval = sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(UNDISTURBED)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.enable()


def _settings(house: House, port: int, secret: str, web: dict[str, object]) -> Settings:
    handler = {
        "port": port,
        "secret": secret,
        "wrap_up": WRAP_UP,
        "reasons": list(REASONS),
        "dispositions": DISPOSITIONS,
        "groups": {name: {"queues": queues} for name, queues in house.groups.items()},
    }
    return Settings.model_validate({"handlers": {HANDLER: handler}, "web": web})


async def _handler(settings: Settings, house: House, store: Store, now: float) -> Handler:
    """PINs are kept as those that people chose, so that they can be changed."""
    hashed = await pins.hashed(PIN)
    for person in house.people:
        store.keep_pin(HANDLER, person.id, hashed)
    await store.written()
    handler = serve.make_handler(HANDLER, settings.handlers[HANDLER], store)
    for person in house.people:
        made = handler.center.create_agent(now, person.id, person.name)
        if made is not None:
            handler.service.record(made)
    return handler
