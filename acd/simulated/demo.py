"""`acd demo`: the whole of acd with a simulated Asterisk and simulated people, in a temporary place."""

import argparse
import asyncio
import os
import random
import secrets
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from acd import logs, serve
from acd.access.principals import Role
from acd.access.register import Register
from acd.settings import SettingsError
from acd.simulated.house import PIN, House, build
from acd.simulated.office import HANDLER, Office, opened
from acd.web.app import make_app
from acd.web.requests import REGISTER

PAST_AGENT_MINUTES = 24 * 65  # so much past is made up, shared by all agents: it takes about a second
LONGEST_PAST = 180.0  # minutes
CHANGING = frozenset({"POST", "PUT", "DELETE"})


def run(options: argparse.Namespace) -> int:
    """Until SIGINT or SIGTERM. Raises SettingsError when the port is taken."""
    _need_port(options.host, options.port)
    logs.set_up("error", "text")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # also while it starts the folder is removed
    try:
        with tempfile.TemporaryDirectory(prefix="acd-demo-") as folder:
            asyncio.run(_demo(options, Path(folder)))
    except KeyboardInterrupt:  # while it was starting
        pass
    return 0


def _need_port(host: str, port: int) -> None:
    """Said before a second is spent on a past that nobody can look at."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OverflowError as error:
        raise SettingsError(f"cannot listen on port {port}: {error}") from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise SettingsError(f"cannot listen on {host}:{port}: {reason}; choose another with --port") from None


async def _demo(options: argparse.Namespace, folder: Path) -> None:
    house = build(options.agents, options.queues, random.Random(options.seed))
    token = secrets.token_urlsafe(32)
    async with opened(
        house,
        folder,
        past=60 * _minutes_of_past(options),
        seed=options.seed,
        calls_per_minute=options.calls_per_minute,
        web={"host": options.host, "port": options.port},
    ) as office:
        app = make_app({HANDLER: office.handler}, office.store, token, office.settings.web, simulated=True)
        app.middlewares.append(_watched(office))
        announcement = _Announcement(options, house, token, _agents_token(app[REGISTER], house))
        await serve.run({HANDLER: office.handler}, app, office.settings.web, announcement)


def _minutes_of_past(options: argparse.Namespace) -> float:
    if options.past is not None:
        return float(options.past)
    return min(LONGEST_PAST, PAST_AGENT_MINUTES / int(options.agents))


def _agents_token(register: Register, house: House) -> str:
    """With it a visitor's browser is the first agent whom no robot plays."""
    you = house.visitors[0]
    return register.make_token(you.name, Role.AGENT, "demo", handler=HANDLER, agent=you.id).text


def _watched(office: Office) -> Middleware:
    """Whom a visitor takes in hand, his robot leaves alone."""

    @web.middleware
    async def watch(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.method in CHANGING and office.people is not None:
            names = request.match_info
            session = office.handler.state.sessions.get(names.get("session", ""))
            office.people.leave_alone(names.get("agent") or (session.agent if session is not None else ""))
        return await handler(request)

    return watch


class _Announcement:
    """Says where the pages are, and opens the wallboard."""

    def __init__(self, options: argparse.Namespace, house: House, token: str, agents_token: str) -> None:
        self._options, self._house = options, house
        self._token, self._agents_token = token, agents_token

    def __call__(self, address: str) -> None:
        print(self._text(address), flush=True)
        if not self._options.no_browser and _has_display():
            wallboard = f"{address}/#sign-in={self._token}"
            threading.Thread(target=webbrowser.open, args=(wallboard,), daemon=True).start()

    def _text(self, address: str) -> str:
        you, sign_in = self._house.visitors[0], f"#sign-in={self._token}"
        agents, queues = len(self._house.robots), len(self._house.lines)
        return "\n".join(
            (
                f"A simulated Asterisk with {agents} agents and {queues} queues. Ctrl-C ends it.",
                "",
                f"  wallboard   {address}/{sign_in}",
                f"  supervisor  {address}/desk{sign_in}",
                f"  agent       {address}/agent#sign-in={self._agents_token}",
                f"              you are {you.name}: id {you.id}, PIN {PIN}, phone {you.phone}",
                f"  API         {address}/docs   token {self._token}",
                "",
            )
        )


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
