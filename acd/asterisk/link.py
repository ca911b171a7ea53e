"""The AMI link to one Asterisk, and the only module that imports panoramisk (1.4).

Taken from panoramisk: Manager (configuration, connecting, sending), AMIProtocol (the answers waited for, by ActionID),
Action (ActionIDs, text on the wire, future). Replaced, because there it goes wrong:
- reading: a letter split over two reads and an empty last header are lost, a repeated header or a failing handler
  closes the connection, every message is parsed though few are wanted;
- answers: QueueAdd's is never complete, a failed list's neither, and nothing has a time limit;
- sending: a line end inside a value begins a new header or a new action;
- the life of the link: a refused log-in and a vanished Asterisk pass unnoticed, and after a loss unanswered actions are
  sent once more (a second call, a stale pause).
"""

import asyncio
import logging
import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from types import MappingProxyType
from typing import Any, TypeVar

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from acd.asterisk.message import Blocks, Message, TooLong

log = logging.getLogger(__name__)

T = TypeVar("T")
Headers = Mapping[str, str]
NO_HEADERS: Headers = MappingProxyType({})

LONGEST_LINE = 1024  # bytes with its line end; Asterisk: "line too long"
MOST_HEADERS = 128  # with Action and ActionID; Asterisk: "Too many lines in message"
LONGEST_REFUSAL = 500  # characters of Asterisk's words that are passed on
LATEST = 1e11  # seconds since 1970; what claims to be later is no time
HELD = 3.0  # seconds after which a link has held, so that its loss is answered at once


@dataclass(frozen=True, slots=True)
class Login:
    """Where the AMI is and who we are there; `ssl` given means TLS, checked against `host`."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    ssl: SSLContext | None = None


class LinkError(Exception):
    """Something went wrong between us and Asterisk."""


class NotConnected(LinkError):
    """There is no link; nothing was sent."""


class NoAnswer(LinkError):
    """Asterisk did not answer in time, or the link was lost before it did: nobody knows whether it was done."""


class Refused(LinkError):
    """Asterisk said no; `text` is its words."""

    def __init__(self, action: str, text: str) -> None:
        super().__init__(f"Asterisk refused {action}: {text or 'no reason given'}")
        self.text = text


class LoginRefused(LinkError):
    """Asterisk refused our name or secret."""


class Unsendable(LinkError, ValueError):
    """What AMI cannot carry; nothing was sent."""


def _as_it_is(message: Message) -> Message:
    return message


@dataclass(slots=True)
class Stats:
    """What went over the link since it was made."""

    messages: int = 0  # whole messages read
    wanted: int = 0  # of those, handed over
    broken: int = 0  # neither event nor answer
    handler_errors: int = 0  # on_message raised
    reconnects: int = 0  # linked again after a loss
    lost_links: int = 0  # calls of on_loss
    logins_refused: int = 0
    held_high_water: int = 0  # most messages held while one picture was taken


class _Action(Action):  # type: ignore[misc]
    """An action that waits for its answer: one response, or a whole list."""

    def __init__(
        self, name: str, headers: Headers, *, as_list: bool, read: Callable[[Message], Any] = _as_it_is
    ) -> None:
        super().__init__({"Action": name, **headers}, as_list=as_list)
        self.name = name
        self._read = read
        self._unreadable: Exception | None = None
        self.answered = 0.0  # our time of the last message of the answer
        self.size = 0  # characters of the answer so far

    def add_message(self, message: Message, received: float) -> None:
        """Take the next message of the answer and end the wait when it is whole."""
        goes_on = self._goes_on(message)
        self.responses.append(self._item(message) if goes_on and message.event else message)
        self.size += message.size
        self.answered = received
        if not goes_on and not self.future.done():
            self.future.set_result(None)

    def _item(self, message: Message) -> Any:
        try:
            return self._read(message)
        except Exception as error:  # it is for him who asked, and not for the connection
            self._unreadable = self._unreadable or error
            return None

    def _goes_on(self, message: Message) -> bool:
        if message.event:
            return message.get("EventList") != "Complete"
        return bool(self.as_list) and (message.get("EventList") or "").lower() == "start"

    def outcome(self) -> list[Any]:
        """The whole answer; raises NoAnswer, Refused, or what reading an item raised."""
        if not self.future.done():
            raise NoAnswer(f"Asterisk did not answer {self.name} in time")
        if self.future.cancelled():
            raise NoAnswer(f"the link was lost before Asterisk answered {self.name}")
        response: Message = self.responses[0]
        if response.get("Response") not in ("Success", "Goodbye"):
            raise Refused(self.name, (response.get("Message") or "")[:LONGEST_REFUSAL])
        if self._unreadable is not None:
            raise self._unreadable
        return list(self.responses)

    def __repr__(self) -> str:
        return f"<{self.name} {self.id}>"  # the headers may hold a secret


class Connection(AMIProtocol):  # type: ignore[misc]
    """One connection, from the banner to its loss; after a loss the Link makes another."""

    def __init__(
        self,
        wanted: Collection[str],
        hand_over: Callable[[Message, float], None],
        stats: Stats,
        *,
        clock: Callable[[], float] = time.time,
        max_held: int = 50_000,
        max_message: int = 1 << 20,
        max_answer: int = 1 << 27,
        max_held_size: int = 1 << 26,
    ) -> None:
        self.entered = False  # on_login was called
        self.linked = False
        self.booted = asyncio.Event()
        self.fully_booted: Message | None = None
        self.heard = 0.0  # our time of the last bytes
        self.lost = asyncio.Event()
        self.cause: Exception = NotConnected("the connection is not lost")
        self.closed = False
        self.version: bytes | None = None  # of the protocol, from the banner
        self._stats = stats
        self._clock = clock
        self._blocks = Blocks(max_message)
        self._wanted = {f"Event: {name}".encode(): name for name in wanted}
        self._read_now = self._wanted | {b"Event: FullyBooted": "FullyBooted"}
        self._hand_over = hand_over
        self._take = self._hold
        self._held: list[tuple[Message, float]] = []
        self._held_size = 0
        self._max_held = max_held
        self._max_held_size = max_held_size
        self._max_answer = max_answer

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.encoding = "utf-8"

    # reading

    def data_received(self, data: bytes) -> None:
        self.heard = received = self._clock()
        try:
            blocks = self._blocks.feed(data)
        except TooLong as too_long:
            self.drop(NotConnected(f"Asterisk sent {too_long}"))
        else:
            self._stats.messages += len(blocks)
            self._read(blocks, received)

    def _read(self, blocks: list[bytes], received: float) -> None:
        wanted = self._read_now
        list_expected = self.expects_list()
        for block in blocks:
            first = block.partition(b"\r\n")[0]
            if list_expected and self._is_of_a_list(block.lstrip(b"\r\n"), received):
                continue
            if first in wanted:
                self._take(_message(block, wanted[first]), received)
            elif not first.startswith(b"Event: "):
                self._read_other(block, received)

    def expects_list(self) -> bool:
        return any(action.as_list for action in self.responses.values())

    def _is_of_a_list(self, block: bytes, received: float) -> bool:
        if not block.startswith((b"Event: ", b"Response: ")) or b"\r\nActionID: " not in block:
            return False
        return self.handle_message(_message(block), received)

    def _read_other(self, block: bytes, received: float) -> None:
        """An answer, the banner in front of the first message, more than one empty line, or something broken."""
        if block.startswith(b"Response: "):
            message = _message(block)
            if not self.handle_message(message, received):
                log.info("Nobody waits (any longer) for this answer: %.200r", str(message))
        elif not block or block.startswith((b"\r", b"\n")):
            self._read_rest(block.lstrip(b"\r\n"), received)
        elif self.version is None and block.startswith(b"Asterisk Call Manager/"):
            self.version, _, rest = block.partition(b"\r\n")
            self._read_rest(rest, received)
        else:
            self._stats.broken += 1
            log.warning("This is neither an event nor an answer: %.200r", str(_message(block)))

    def _read_rest(self, block: bytes, received: float) -> None:
        if block:
            self._read([block], received)
        else:
            self._stats.messages -= 1

    def handle_message(self, message: Message, received: float) -> bool:
        """Give a message to the action it answers; False when it answers none of ours."""
        action = self.responses.get(message.get("ActionID"))
        if action is None or (message.event and not action.as_list):
            return False
        action.add_message(message, received)
        if action.future.done():
            del self.responses[action.id]
        elif action.size > self._max_answer:
            self.drop(NotConnected(f"the answer to {action.name} is longer than {self._max_answer} characters"))
        return True

    def hold(self, held: bool) -> None:
        """Stops the reading, or goes on with it."""
        if held:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    # handing over

    def _hold(self, message: Message, received: float) -> None:
        """Keep a live message until the picture is taken."""
        if message.event == "FullyBooted":
            self.fully_booted = message
            self.booted.set()
        if f"Event: {message.event}".encode() in self._wanted:
            self._held.append((message, received))
            self._held_size += message.size
            self._stats.held_high_water = max(self._stats.held_high_water, len(self._held))
        if len(self._held) > self._max_held:
            self.drop(NotConnected(f"more than {self._max_held} messages came while the picture was taken"))
        elif self._held_size > self._max_held_size:
            what = f"messages of more than {self._max_held_size} characters"
            self.drop(NotConnected(f"{what} came while the picture was taken"))

    def go_live(self) -> None:
        """Hand over what was held, in order, and from now on everything at once."""
        self.linked = True
        self._read_now = self._wanted
        self._take = self._deliver
        self.hand_over()

    def hand_over(self) -> None:
        """Hand over what was held so far, in order."""
        held, self._held, self._held_size = self._held, [], 0
        for message, received in held:
            self._deliver(message, received)

    def _deliver(self, message: Message, received: float) -> None:
        self._stats.wanted += 1
        try:
            self._hand_over(message, received)
        except Exception:
            self._stats.handler_errors += 1
            log.exception("Handling this message failed: %.2000r", str(message))

    def _ignore(self, message: Message, received: float) -> None:
        """After the loss nothing is handed over."""

    # ending

    def drop(self, cause: Exception) -> None:
        """End the connection now; the first cause is kept, and all waits for an answer end with NoAnswer."""
        if self.closed:
            return
        self.closed, self.linked = True, False
        self.cause = cause
        self._take = self._ignore
        self._held.clear()
        for action in self.responses.values():
            action.future.cancel()
        self.responses.clear()
        self.transport.abort()
        self.lost.set()

    def close(self) -> None:
        self.drop(NotConnected("the link was closed"))

    def connection_lost(self, exc: Exception | None) -> None:
        what = f"the connection to Asterisk broke: {exc}" if exc else "Asterisk closed the connection"
        self.drop(NotConnected(what + " in the middle of a message" * self._blocks.unfinished))


def _message(block: bytes, event: str | None = None) -> Message:
    return Message(block.decode("utf-8", "replace"), event)


class _Manager(Manager):  # type: ignore[misc]
    """panoramisk's Manager as far as connecting and sending; living on after a loss is the Link's."""

    def connection_made(self, connecting: asyncio.Task[Any]) -> None:
        if not connecting.cancelled() and not connecting.exception():
            _, self.protocol = connecting.result()


class Link:
    """Keeps one AMI connection to one Asterisk alive, hands over its events, and sends actions.

    login: as given. stats: what went over the link so far.
    clock_offset: Asterisk's clock minus ours in seconds, from its answers to Ping; known before on_login is called.
    problem: why there is no link, in words; "" while linked.
    round_trip: seconds from the last answered ping to its answer; None before the first.
    """

    def __init__(
        self,
        login: Login,
        *,
        wanted: Collection[str],
        on_message: Callable[[Message, float], None],
        on_login: Callable[["Link"], Awaitable[None]],
        on_loss: Callable[[str], None],
        on_alive: Callable[[], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.time,
        ping_every: float = 3.0,
        ping_patience: int = 2,
        action_timeout: float = 5.0,
        connect_timeout: float = 10.0,
        boot_timeout: float = 60.0,
        backoff: tuple[float, float] = (0.25, 3.0),
        refused_backoff: tuple[float, float] = (60.0, 300.0),
        max_held: int = 50_000,
        max_message: int = 1 << 20,
        max_answer: int = 1 << 27,
        max_held_size: int = 1 << 26,
        max_unsent: int = 1 << 18,
    ) -> None:
        """Times are seconds, sizes bytes or characters; raises Unsendable for a name or secret that AMI cannot carry.

        wanted: exact names of the events to hand over; all others are dropped unread.
        on_message: called once for each wanted event, in order, with our time of its arrival; must not block.
        on_login: takes the picture (`send`, `list_of`); live events are held until it returns or calls `hand_over`.
            If it raises, the connection is dropped and made again.
        on_loss: called once for every call of on_login, after it ended, when that connection is lost, given up or
            closed; after it comes no message of that connection.
        on_alive: called when Asterisk answered a ping, which it does every `ping_every`, and the picture is taken; the
            next ping comes after it has returned.
        ping_patience: this many pings in a row without an answer, each waited for ping_every, end the connection.
        boot_timeout: for FullyBooted after the log-in; Asterisk sends it when it has started.
        backoff, refused_backoff: first and longest wait before the next try, after a loss and after a refused log-in
            (long, so that fail2ban's usual five failures in ten minutes are not reached).
        max_held, max_held_size, max_message, max_answer: more live events during the picture, a longer message or a
            longer list ends the connection, so that a peer that never ends cannot fill the memory.
        max_unsent: with more waiting to be read by Asterisk, `send` raises NotConnected.
        """
        _check("Login", {"Username": login.username, "Secret": login.secret})
        self.login = login
        self.stats = Stats()
        self.clock_offset = 0.0
        self.problem = "not connected yet"
        self.round_trip: float | None = None
        self._on_message = on_message
        self._on_login = on_login
        self._on_loss = on_loss
        self._on_alive = on_alive
        self._clock = clock
        self._ping_every = ping_every
        self._ping_patience = ping_patience
        self._action_timeout = action_timeout
        self._connect_timeout = connect_timeout
        self._boot_timeout = boot_timeout
        self._backoff = {False: backoff, True: refused_backoff}  # by "was the log-in refused?"
        self._tries = Counter[bool]()
        self._max_unsent = max_unsent
        self._was_linked = False
        self._closed = False
        self._running: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._manager = _Manager(
            host=login.host,
            port=login.port,
            ssl=login.ssl,
            protocol_factory=lambda: Connection(
                frozenset(wanted),
                on_message,
                self.stats,
                clock=clock,
                max_held=max_held,
                max_message=max_message,
                max_answer=max_answer,
                max_held_size=max_held_size,
            ),
        )

    @property
    def linked(self) -> bool:
        """True while logged in with the picture taken."""
        return self._connection is not None and self._connection.linked

    @property
    def logged_in(self) -> bool:
        """True from the log-in on."""
        return self._connection is not None

    @property
    def fully_booted(self) -> Message | None:
        """The FullyBooted event of this connection: its Uptime tells a lost link from a restarted Asterisk."""
        return self._connection and self._connection.fully_booted

    def hold(self, held: bool) -> None:
        """While True nothing more is read from Asterisk, which waits, and at length gives the connection up."""
        if self._connection is not None:
            self._connection.hold(held)

    def hand_over(self) -> None:
        """For on_login: hand over the live events held so far; those that come while a list is taken are held again."""
        if self._connection is not None:
            self._connection.hand_over()

    # sending

    async def send(self, action: str, headers: Headers = NO_HEADERS, timeout: float | None = None) -> Message:
        """Send an AMI action and return its response, once; nothing is ever sent again.

        Possible from on_login on. timeout in seconds, action_timeout unless given.
        Raises NotConnected, NoAnswer, Refused, Unsendable.
        """
        response: Message = (await self._ask(action, headers, timeout))[0]
        return response

    async def list_of(self, action: str, headers: Headers = NO_HEADERS, timeout: float | None = None) -> list[Message]:
        """Send an AMI action that answers with a list of events and return these, without start and end.

        Otherwise as `send`; an answer that is no list is an empty one.
        """
        return await self.read_list(action, _as_it_is, headers, timeout)

    async def read_list(
        self, action: str, read: Callable[[Message], T], headers: Headers = NO_HEADERS, timeout: float | None = None
    ) -> list[T]:
        """As `list_of`, each event read as soon as it has come: a long list is read while the rest of it comes.

        `read` must not block; what it raises is raised here.
        """
        return (await self._ask(action, headers, timeout, read))[1:-1]

    async def _ask(
        self, name: str, headers: Headers, timeout: float | None, read: Callable[[Message], Any] | None = None
    ) -> list[Any]:
        _check(name, headers)
        if self._connection is None:
            raise NotConnected(f"no link to Asterisk: {self.problem}")
        return (await self._answered(self._connection, name, headers, timeout, read)).outcome()

    async def _answered(
        self,
        connection: Connection,
        name: str,
        headers: Headers = NO_HEADERS,
        timeout: float | None = None,
        read: Callable[[Message], Any] | None = None,
    ) -> _Action:
        """Send and wait; the action comes back answered or not. `read`: each event of a list; None: it is no list."""
        if connection.closed:
            raise NotConnected(f"no link to Asterisk: {_words(connection.cause)}")
        if connection.transport.get_write_buffer_size() > self._max_unsent:
            raise NotConnected("Asterisk does not read what we send")
        as_list = read is not None
        action = _Action(name, headers, as_list=as_list, read=read or _as_it_is)
        try:
            self._manager.send_action(action, as_list=as_list)
            limit, before = self._action_timeout if timeout is None else timeout, -1
            while not action.future.done() and action.size > before:  # a list may be long, as long as it goes on
                before = action.size
                # asyncio.wait, because an answer that came while the loop stood still must not count as late
                await asyncio.wait([action.future], timeout=limit)
        finally:
            connection.responses.pop(action.id, None)
        return action

    # the life of the link

    async def run(self) -> None:
        """Connect, log in, and keep the link alive until `close`; call it once."""
        if self._closed:
            return
        self._running = asyncio.ensure_future(self._keep_linked())
        try:
            await self._running
        except asyncio.CancelledError:
            if not self._closed:
                raise

    async def close(self) -> None:
        """End the link; `run` returns, after on_loss where that is due."""
        self._closed = True
        if self._running is not None:
            await _stop([self._running])

    async def _keep_linked(self) -> None:
        while True:
            cause = await self._one_connection()
            self.problem = _words(cause)
            pause = self._pause_after(cause)
            expected = isinstance(cause.__cause__ or cause, LinkError | OSError)
            log.warning(
                "No link to Asterisk at %s:%s as %s: %s; next try in %.1f s",
                *(self.login.host, self.login.port, self.login.username, self.problem, pause),
                exc_info=None if expected else cause,
            )
            await asyncio.sleep(pause)

    def _pause_after(self, cause: Exception) -> float:
        refused = isinstance(cause, LoginRefused)
        first, longest = self._backoff[refused]
        pause = min(longest, first * 2.0 ** min(self._tries[refused], 20))
        self._tries[refused] += 1
        return pause * random.uniform(1, 1.25)  # noqa: S311 (spreads tries, hides nothing)

    async def _one_connection(self) -> Exception:
        """Connect and stay until the end; returns why it ended."""
        try:
            connection = await self._connect()
        except Exception as trouble:
            return trouble
        try:
            await self._serve(connection)
        finally:
            self._connection = None
            self.problem = _words(connection.cause)
            self._tell_loss(connection)
        return connection.cause

    async def _serve(self, connection: Connection) -> None:
        """Log in, take the picture, keep pinging; returns at the end of the connection."""
        tasks = []
        try:
            await self._log_in(connection)
            await self._ping(connection)
            tasks = [
                asyncio.ensure_future(_or_drop(connection, work)) for work in (self._keep_pinging, self._take_picture)
            ]
            await connection.lost.wait()
        except Exception as trouble:
            connection.drop(trouble)
        finally:
            connection.close()
            await _stop(tasks)

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(self._connect_timeout):
                await self._manager.connect()
        except (TimeoutError, asyncio.CancelledError) as end:
            self._manager.close()  # the connection may have been made in this very moment
            if isinstance(end, TimeoutError):
                raise NotConnected(f"no connection within {self._connect_timeout:g} s") from None
            raise
        connection: Connection = self._manager.protocol
        return connection

    async def _log_in(self, connection: Connection) -> None:
        who = {"Username": self.login.username, "Secret": self.login.secret, "Events": "on"}
        try:
            (await self._answered(connection, "Login", who)).outcome()
        except Refused as refusal:
            self.stats.logins_refused += 1
            raise LoginRefused(f"Asterisk refused the log-in: {refusal.text}") from None
        log.info("Logged in to Asterisk at %s:%s", self.login.host, self.login.port)
        self._connection = connection

    async def _take_picture(self, connection: Connection) -> None:
        await self._wait_for_boot(connection)
        connection.entered = True
        try:
            await self._on_login(self)
        except Exception as trouble:
            raise LinkError(f"the picture could not be taken: {_words(trouble)}") from trouble
        if not connection.closed:
            self._begin_live(connection)
            await asyncio.sleep(min(HELD, self._backoff[False][1]))
            self._tries.clear()  # it held for a while: the next loss is a new one

    async def _wait_for_boot(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(self._boot_timeout):
                await connection.booted.wait()
        except TimeoutError:
            raise NotConnected(
                f"no FullyBooted within {self._boot_timeout:g} s: "
                "Asterisk is still starting, or this manager user may not read the class 'system'"
            ) from None

    def _begin_live(self, connection: Connection) -> None:
        log.info("Linked to Asterisk at %s:%s", self.login.host, self.login.port)
        self.problem = ""
        self.stats.reconnects += self._was_linked
        self._was_linked = True
        connection.go_live()

    def _tell_loss(self, connection: Connection) -> None:
        if not connection.entered:
            return
        self.stats.lost_links += 1
        try:
            self._on_loss(self.problem)
        except Exception:
            log.exception("Handling the loss of the link failed")

    # ping

    async def _keep_pinging(self, connection: Connection) -> None:
        missed = 0
        await asyncio.sleep(self._ping_every)
        while missed < self._ping_patience:
            if await self._is_alive(connection):
                missed = 0
                if connection.linked and self._on_alive is not None:
                    await self._on_alive()
                await asyncio.sleep(self._ping_every)
            else:
                missed += 1
        raise NoAnswer(f"Asterisk left {missed} pings in a row unanswered")

    async def _is_alive(self, connection: Connection) -> bool:
        sent = self._clock()
        try:
            await self._ping(connection)
        except NotConnected:  # what we sent before is still unread
            await asyncio.sleep(self._ping_every)
            return False
        except NoAnswer:  # unless it stands in line behind a long list, or a flood of events
            return connection.heard > sent
        except Refused:
            pass
        return True

    async def _ping(self, connection: Connection) -> None:
        sent = self._clock()
        action = await self._answered(connection, "Ping", timeout=self._ping_every)
        pong = action.outcome()[0]
        self.round_trip = action.answered - sent
        self._compare_clocks(pong.get("Timestamp"), sent, action.answered)

    def _compare_clocks(self, theirs: str | None, sent: float, answered: float) -> None:
        """Take a new offset only where the old one cannot be right, so that it does not tremble."""
        try:
            stamp = float(theirs or "")
        except ValueError:
            return
        if not 0 <= stamp < LATEST:
            return
        offset = stamp - (sent + answered) / 2
        if abs(offset - self.clock_offset) > abs(answered - sent) / 2 + 0.005:
            self.clock_offset = offset


_ACTION = re.compile(r"[A-Za-z]+")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_OURS = ("action", "actionid")


def _check(action: str, headers: Headers) -> None:
    """Raise Unsendable for what would not arrive as it was meant; its text never holds a value."""
    if not isinstance(action, str) or not _ACTION.fullmatch(action):
        raise Unsendable(f"not the name of an action: {action!r}")
    if len(headers) + len(_OURS) > MOST_HEADERS:
        raise Unsendable(f"{action} with more than {MOST_HEADERS} headers")
    for header, value in headers.items():
        if not isinstance(header, str) or not _HEADER.fullmatch(header) or header.lower() in _OURS:
            raise Unsendable(f"{action} with a header named {header!r}")
        if problem := _problem_of(header, value):
            raise Unsendable(f"{header} of {action} {problem}")


def _problem_of(header: str, value: object) -> str | None:
    if not isinstance(value, str):
        return "is not text"
    if any(end in value for end in "\r\n\0"):
        return "holds a line end or NUL"
    try:
        length = len(f"{header}: {value}\r\n".encode())
    except UnicodeEncodeError:
        return "is not valid Unicode"
    return f"is longer than a line of {LONGEST_LINE} bytes" if length > LONGEST_LINE else None


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _or_drop(connection: Connection, work: Callable[[Connection], Coroutine[Any, Any, None]]) -> None:
    try:
        await work(connection)
    except Exception as trouble:
        connection.drop(trouble)


async def _stop(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
