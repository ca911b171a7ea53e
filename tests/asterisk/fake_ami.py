"""A fake Asterisk that speaks AMI on a real socket; its messages look as in the recordings."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from acd.asterisk.link import Link, Login
from acd.asterisk.message import Message
from acd.simulated.messages import BANNER, block
from tests.helpers import until

WANTED = ("QueueCallerJoin", "QueueMemberPause", "UserEvent", "OriginateResponse")

Headers = dict[str, str]
Answer = bytes | Callable[[Headers], bytes] | None  # None: it never answers


def event(name: str, **headers: object) -> bytes:
    """One event with these headers."""
    return block(f"Event: {name}", *(f"{key}: {value}" for key, value in headers.items()))


def response(kind: str, *lines: str) -> Callable[[Headers], bytes]:
    """An answer that carries the ActionID of its action."""
    return lambda action: block(f"Response: {kind}", f"ActionID: {action['ActionID']}", *lines)


def success(message: str) -> Callable[[Headers], bytes]:
    return response("Success", f"Message: {message}")


def error(message: str) -> Callable[[Headers], bytes]:
    return response("Error", f"Message: {message}")


def event_list(message: str, *items: tuple[str, Headers], end: str = "Complete") -> Callable[[Headers], bytes]:
    """An answer that is a list of events; end="" leaves its last event out."""

    def answer(action: Headers) -> bytes:
        own = {"ActionID": action["ActionID"]}
        parts = [response("Success", "EventList: start", f"Message: {message}")(action)]
        parts += [event(name, **headers, **own) for name, headers in items]
        if end:
            parts.append(event(action["Action"] + end, **own, EventList="Complete", ListItems=len(items)))
        return b"".join(parts)

    return answer


class FakeAsterisk:
    """Listens on 127.0.0.1 while entered; everything a test wants to change is a plain attribute."""

    def __init__(self) -> None:
        self.username, self.secret = "acd", "correct horse"
        self.port = 0
        self.ssl: ssl.SSLContext | None = None
        self.uptime = 359
        self.booted = True  # send FullyBooted after the log-in
        self.silent = False  # read, but never answer
        self.deaf = False  # do not even read
        self.clock_ahead = 0.0
        self.answers: dict[str, Answer] = {}  # by the name of the action
        self.received: list[Headers] = []
        self.connects = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.sleep(0)

    def push(self, data: bytes) -> None:
        """Send these bytes on every open connection."""
        for writer in self._open:
            writer.write(data)

    def boot(self) -> None:
        """Say that Asterisk has started, now and after every log-in."""
        self.booted = True
        self.push(
            event("FullyBooted", Privilege="system,all", Uptime=self.uptime, LastReload=359, Status="Fully Booted")
        )

    def cut(self) -> None:
        """Close all connections at once, after what was pushed."""
        for writer in self._open:
            writer.close()

    def now(self) -> float:
        """Its clock."""
        return time.time() + self.clock_ahead

    @property
    def open_connections(self) -> int:
        return len(self._open)

    def names(self) -> list[str]:
        """The actions received, without the log-in and the pings."""
        return [a["Action"] for a in self.received if a["Action"] not in ("Login", "Ping")]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        self._open.add(writer)
        try:
            writer.write(BANNER)
            while not self.deaf:
                self._act(await self._next_action(reader), writer)
            await asyncio.get_running_loop().create_future()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the other side, or the test, has ended it
        finally:
            self._open.discard(writer)
            writer.close()

    async def _next_action(self, reader: asyncio.StreamReader) -> Headers:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        return dict(line.split(": ", 1) for line in lines if line)

    def _act(self, action: Headers, writer: asyncio.StreamWriter) -> None:
        self.received.append(action)
        known = self.answers.get(action["Action"], getattr(self, "_" + action["Action"].lower(), _unknown))
        if known is not None and not self.silent:
            writer.write(known(action) if callable(known) else known)

    def _login(self, action: Headers) -> bytes:
        if (action["Username"], action["Secret"]) != (self.username, self.secret):
            return error("Authentication failed")(action)
        accepted = success("Authentication accepted")(action)
        booted = event("FullyBooted", Privilege="system,all", Uptime=self.uptime, LastReload=359, Status="Fully Booted")
        return accepted + booted * self.booted

    def _ping(self, action: Headers) -> bytes:
        return response("Success", "Ping: Pong", f"Timestamp: {self.now():.6f}")(action)


def _unknown(action: Headers) -> bytes:
    advice = "Use Action: ListCommands to show available commands."
    return error(f"Invalid/unknown command: {action['Action']}. {advice}")(action)


class Listener:
    """What a link told its owner, in order; `picture` is what on_login does."""

    def __init__(self) -> None:
        self.told: list[str] = []  # event names, "picture", "loss: <reason>"
        self.messages: list[Message] = []
        self.times: list[float] = []
        self.picture: Callable[[Link], Awaitable[object]] = _no_picture

    async def on_login(self, link: Link) -> None:
        await self.picture(link)
        self.told.append("picture")

    def on_message(self, message: Message, received: float) -> None:
        self.told.append(message.event)
        self.messages.append(message)
        self.times.append(received)

    def on_loss(self, reason: str) -> None:
        self.told.append(f"loss: {reason}")

    @property
    def losses(self) -> list[str]:
        return [text.removeprefix("loss: ") for text in self.told if text.startswith("loss: ")]


async def _no_picture(_: Link) -> None:
    pass


@asynccontextmanager
async def running(server: FakeAsterisk, listener: Listener | None = None, **settings: Any) -> AsyncIterator[Link]:
    """A link to this server that is run and closed; its times are short, so that tests are."""
    listener = listener or Listener()
    secret, tls = settings.pop("secret", server.secret), settings.pop("ssl", None)
    login = Login("127.0.0.1", server.port, server.username, secret, tls)
    quick = {"wanted": WANTED, "backoff": (0.01, 0.05), "refused_backoff": (0.02, 0.1)}
    callbacks = {"on_message": listener.on_message, "on_login": listener.on_login, "on_loss": listener.on_loss}
    link = Link(login, **(quick | callbacks | settings))
    run = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        await link.close()
        await asyncio.wait_for(run, 5)


@asynccontextmanager
async def linked(listener: Listener | None = None, **settings: Any) -> AsyncIterator[tuple[FakeAsterisk, Link]]:
    """A fake Asterisk and a link that has logged in and taken its picture."""
    async with FakeAsterisk() as server, running(server, listener, **settings) as link:
        await until(lambda: link.linked, what="linked")
        yield server, link
