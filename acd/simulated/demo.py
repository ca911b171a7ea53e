"""`acd demo`: the whole of acd with a simulated Asterisk and simulated people, in a temporary place."""

import argparse
import asyncio
import os
import random
import secrets
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import SecretStr

from acd import logs, pins, serve
from acd.clock import steady
from acd.settings import HandlerSettings, Settings, SettingsError
from acd.simulated.agenda import Agenda
from acd.simulated.ami import Server
from acd.simulated.desks import Clockwork, Past, Present
from acd.simulated.house import DISPOSITIONS, PIN, REASONS, House, build
from acd.simulated.people import People
from acd.simulated.records import Rules
from acd.simulated.world import World
from acd.store import Store
from acd.web.app import make_app
from acd.web.requests import Handler

HANDLER = "main"
WRAP_UP = 18.0  # seconds
PAST_AGENT_MINUTES = 24 * 90  # so much past is made up, shared by all agents: it takes about a second
LONGEST_WAIT = 300.0  # seconds, then the dialplan hangs up
CHANGED_BY_VISITORS = frozenset({"POST", "PUT", "DELETE"})


def run(options: argparse.Namespace) -> int:
    """Until SIGINT or SIGTERM. Raises SettingsError when the port is taken."""
    logs.set_up("warning", "text")
    _need_port(options.host, options.port)
    try:
        with tempfile.TemporaryDirectory(prefix="acd-demo-") as folder:
            asyncio.run(_demo(options, Path(folder)))
    except KeyboardInterrupt:  # while it was starting
        pass
    return 0


def _need_port(host: str, port: int) -> None:
    """Said before a second is spent on a past that nobody can look at."""
    try:
        socket.create_server((host, port)).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(f"cannot listen on {host}:{port}: {reason}; choose another with --port") from None


async def _demo(options: argparse.Namespace, folder: Path) -> None:
    dice = random.Random(options.seed)
    house = build(options.agents, options.queues, dice)
    minutes = min(180.0, PAST_AGENT_MINUTES / options.agents) if options.past is None else options.past
    rules = [Rules(line.name, longest_wait=LONGEST_WAIT) for line in house.lines]
    world = World(Agenda(steady() - 60 * minutes), rules, house.phones)
    clockwork = Clockwork(world, steady)
    secret, token = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    store = Store(f"sqlite:///{folder / 'acd.db'}")
    store.open()
    try:
        async with Server(world, "acd", secret, steady, clockwork.catch_up) as asterisk:
            settings = _settings(options, house, asterisk.port, secret)
            handler = await _make_handler(settings.handlers[HANDLER], house, store, world.now)
            past = Past(handler.service, world)
            people = People(world, house, past, dice, options.calls_per_minute)
            people.begin()
            past.run(steady)
            people.desk = present = Present(handler.commands)
            app = make_app({HANDLER: handler}, store, token, settings.web)
            app.middlewares.append(_watched(people, handler))
            begun = asyncio.create_task(_begin(handler, clockwork))
            try:
                await serve.run({HANDLER: handler}, app, settings.web, _announce(options, token, house))
            finally:
                begun.cancel()
                clockwork.stop()
                present.close()
    finally:
        store.close()


def _settings(options: argparse.Namespace, house: House, port: int, secret: str) -> Settings:
    handler = {
        "port": port,
        "secret": secret,
        "wrap_up": WRAP_UP,
        "reasons": list(REASONS),
        "dispositions": DISPOSITIONS,
        "groups": {name: {"queues": queues} for name, queues in house.groups.items()},
    }
    return Settings.model_validate(
        {"handlers": {HANDLER: handler}, "web": {"host": options.host, "port": options.port}}
    )


async def _make_handler(settings: HandlerSettings, house: House, store: Store, now: float) -> Handler:
    """PINs are kept as those that people chose, so that they can be changed."""
    hashed = await pins.hashed(PIN)
    for person in house.people:
        store.keep_pin(HANDLER, person.id, hashed)
    await store.written()
    handler = serve.make_handler(HANDLER, settings, store)
    for person in house.people:
        made = handler.center.create_agent(now, person.id, person.name)
        if made is not None:
            handler.service.record(made)
    return handler


async def _begin(handler: Handler, clockwork: Clockwork) -> None:
    """The present goes on where the past ended, as soon as acd listens."""
    while not handler.service.link.linked:
        await asyncio.sleep(0.01)
    clockwork.start()


def _watched(people: People, served: Handler) -> Middleware:
    """Whom a visitor takes in hand, his robot leaves alone."""

    @web.middleware
    async def watch(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.method in CHANGED_BY_VISITORS:
            names = request.match_info
            session = served.state.sessions.get(names.get("session", ""))
            people.leave_alone(names.get("agent") or (session.agent if session is not None else ""))
        return await handler(request)

    return watch


def _announce(options: argparse.Namespace, token: str, house: House) -> Callable[[str], None]:
    def announce(address: str) -> None:
        you = house.visitors[0]
        lines = [
            f"acd with a simulated Asterisk, {options.agents} agents and {options.queues} queues. Ctrl-C ends it.",
            "",
            f"  Wallboard   {address}/#sign-in={token}",
            f"  Supervisor  {address}/desk#sign-in={token}",
            f"  Agent       {address}/agent   id {you.id}, PIN {PIN}, phone {you.phone}",
            f"  API         {address}/docs   token {token}",
            "",
        ]
        print("\n".join(lines), flush=True)
        if not options.no_browser and _has_display():
            threading.Thread(target=webbrowser.open, args=(f"{address}/#sign-in={token}",), daemon=True).start()

    return announce


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
