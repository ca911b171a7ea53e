"""Makes the parts and hands them to one another, runs them, and ends them in good order."""

import asyncio
import gc
import logging
import os
import secrets
import signal
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from acd.asterisk.link import Login, Unsendable
from acd.browser_phones import browser_phones
from acd.commands import Commands, SupervisorCommands
from acd.core import events as ev
from acd.core.refusals import AgentExists
from acd.history import Files
from acd.nodes import Nodes
from acd.pins import PinGuard
from acd.service import Service
from acd.settings import HandlerSettings, Settings, SettingsError, WebSettings, secret_of
from acd.store import Store
from acd.store.database import reason
from acd.store.leases import Node
from acd.web.app import make_app
from acd.web.nodes import NODES
from acd.web.requests import FEED, Handler
from acd.web.server import Runner, connections_for, open_files
from acd.web.tls import Site, certificate_of

log = logging.getLogger(__name__)
TURN = 0.001  # seconds for which one thread keeps the interpreter where another one waits for it: Python's own are five


def registrations(settings: HandlerSettings) -> ev.Registrations:
    """What the settings say of queues and groups."""
    return ev.Registrations(
        time.time(),
        {name: queue.wrap_up for name, queue in settings.queues.items() if queue.wrap_up is not None},
        {name: list(group.queues) for name, group in settings.groups.items()},
        settings.wrap_up,
        settings.measurement_period,
        settings.missed_calls,
        settings.measurement == "sliding",
        settings.overall_call_rate_scale,
        {agent.id: agent.wrap_up for agent in settings.agents if agent.wrap_up is not None},
        settings.confirm_within,
        settings.dispositions,
        [name for name, queue in settings.queues.items() if queue.disposition_required],
        settings.reasons,
    )


def login_of(name: str, settings: HandlerSettings) -> Login:
    """Where the handler's AMI is. Raises SettingsError without a secret."""
    secret = secret_of(settings.secret, settings.secret_file, f"handlers.{name}.secret")
    context = ssl.create_default_context() if settings.tls else None
    return Login(settings.host, settings.port, settings.username, secret, context)


def api_token(settings: WebSettings, store_url: str) -> str:
    """The API's token: as set, or made at the first start and kept in a file that only its owner can read."""
    path = settings.token_file or _beside_the_store(store_url)
    try:
        is_kept = settings.token is not None or path.exists()
    except OSError as error:  # a name that is too long, a directory that is closed to us
        raise SettingsError(f"web.token: {path} cannot be read: {error.strerror}") from None
    if is_kept:
        return secret_of(settings.token, path, "web.token")
    token = secrets.token_urlsafe(32)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"web.token: is not set, and {path} cannot be made: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(token + "\n")
    log.info("made a token for the API, it is in %s", path)
    return token


def _beside_the_store(url: str) -> Path:
    parsed = make_url(url)
    on_disk = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    return (Path(parsed.database or "").parent if on_disk else Path()) / "api_token"


# Objects that are more now, and passes over the younger ones: each pass is short, also while a picture of all agents is
# read, and what has outlived two of them is looked through seldom.
COLLECT_AFTER = (2_000, 10, 500)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """What is made in here stays for good and is never looked through for garbage: with 10,000 agents that would take
    half a second each time, and half of the time in which their state is loaded.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        gc.enable()


def make_handler(name: str, settings: HandlerSettings, store: Store) -> Handler:
    """One handler with all that belongs to it, its state as it was when the last run ended.

    Among several nodes it only follows, until it is told to lead.
    """
    leads = store.leases is None
    try:
        service = Service(
            name,
            login_of(name, settings),
            store,
            registrations(settings),
            confirm_within=settings.confirm_within,
            files=Files(settings.queue_log, settings.cel),
            leads=leads,
        )
    except Unsendable as error:
        raise SettingsError(f"handlers.{name}: {error}") from None
    guard = PinGuard(store.pins(name), {agent.id: agent.pin for agent in settings.agents})
    if leads:
        make_agents(service, settings)
    supervision = SupervisorCommands(service, settings.transfer_context, settings.ring_supervisors_for)
    commands = Commands(service, guard, store, settings.addresses, settings.state_interfaces)
    return Handler(commands, supervision, store, browser_phones(name, settings))


def make_agents(service: Service, settings: HandlerSettings) -> None:
    """Those of the settings, as far as they are not there. Raises SettingsError."""
    for agent in settings.agents:
        try:
            made = service.center.create_agent(service.now(), agent.id, agent.user)
        except AgentExists as error:
            raise SettingsError(f"handlers.{service.name}.agents: {agent.id}: {error}") from None
        if made is not None:
            service.record(made)


async def serve(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT. Raises SettingsError when it cannot start."""
    sys.setswitchinterval(TURN)
    os.umask(0o077)  # the database holds people's numbers and the hashes of their PINs
    kept = settings.store
    url = kept.url.get_secret_value()
    try:
        store = Store(
            url,
            keep_events_days=kept.keep_events_days,
            keep_calls_days=kept.keep_calls_days,
            keep_commands_days=kept.keep_commands_days,
            keep_stream_hours=kept.keep_stream_hours,
            node=Node(settings.node.name, settings.node.url) if settings.node.url else None,
        )
        store.open()
    except (SQLAlchemyError, ImportError, ValueError, TypeError) as error:  # not the address, with its password
        raise SettingsError(f"store.url: the database cannot be opened: {_reason(error)}") from None
    try:
        with without_garbage_collection():
            handlers = {name: make_handler(name, each, store) for name, each in settings.handlers.items()}
        token = api_token(settings.web, url)
        nodes = _nodes(settings, store, {name: handler.service for name, handler in handlers.items()})
        await run(handlers, make_app(handlers, store, token, settings.web, nodes=nodes), settings.web)
    finally:
        store.close()


def _nodes(settings: Settings, store: Store, services: dict[str, Service]) -> Nodes | None:
    def begin(name: str) -> None:
        try:
            make_agents(services[name], settings.handlers[name])
        except SettingsError as error:  # the other agents are served all the same
            log.error("%s", error)

    return None if store.leases is None else Nodes(store, store.leases, services, begin)


def _reason(error: Exception) -> str:
    if isinstance(error, NoSuchModuleError | ArgumentError):
        return "there is no such kind of database"
    if isinstance(error, ValueError | TypeError):  # their words quote the address
        return "its address cannot be understood"
    return reason(error)


async def run(
    handlers: dict[str, Handler],
    app: web.Application,
    settings: WebSettings,
    opened: Callable[[str], object] = lambda _address: None,
) -> None:
    """Links, pages and API, until SIGTERM or SIGINT. `opened` is told where the pages are, as http://host:port.

    Raises SettingsError when it cannot listen there.
    """
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    certificate = certificate_of(settings)
    if certificate is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, certificate.renew)
    alone = app[NODES] is None
    links = [asyncio.create_task(handler.service.run()) for handler in handlers.values() if alone]
    most = connections_for(open_files(), settings.most_connections)
    runner = Runner(app, most_connections=most, shutdown_timeout=5)
    await runner.setup()
    context = None if certificate is None else certificate.context
    site = Site(runner, settings.host, settings.port, ssl_context=context)
    try:
        await site.start()
    except OSError as error:
        raise SettingsError(f"web: cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    else:
        log.info("serving the API on %s", site.name)
        opened(_address(runner, settings))
        await ended.wait()
        log.info("ending")
    finally:
        await runner.cleanup()
        for handler in handlers.values() if alone else ():
            await handler.service.close()
        await asyncio.gather(*links, return_exceptions=True)
        app[FEED].close()


def _address(runner: web.AppRunner, settings: WebSettings) -> str:
    """With the port that was free, where any was asked for."""
    port = runner.addresses[0][1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http{'s' if settings.tls_certificate else ''}://{host}:{port}"
