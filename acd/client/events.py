"""Events as they come over the stream: each once, in order, whatever happens to the connection."""

import asyncio
import json
import logging
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Self

import aiohttp

from acd.client.connection import Connection
from acd.client.errors import ApiError, EventsLost, Unreachable
from acd.client.objects import (
    ACDGroup,
    Agent,
    AgentHandler,
    AgentSession,
    CallCenterPicture,
    Queue,
    picture_of,
)
from acd.client.sse import Frame, Frames, Unreadable
from acd.contract import TapiEvent
from acd.core import states as st

log = logging.getLogger(__name__)

BUFFER = 1000  # events that wait for the consumer here
SILENCE = 45.0  # seconds; acd says something every 15
FIRST_DELAY, LONGEST_DELAY = 0.2, 15.0  # seconds before the stream is opened again
LONGEST_WISH = 120.0  # seconds of Retry-After that are respected
FAULTS = 3  # times that the stream may be wrong at the same place
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses after which it is worth asking again


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every event tells: number, time, handler ("" for all), type, and what it is about as the API shows it."""

    seq: int
    at: datetime
    handler: str
    type: str
    subject: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AgentEvent(Envelope):
    """ITAgentEvent."""

    agent: Agent
    event: st.AgentEvent


@dataclass(frozen=True, slots=True)
class AgentSessionEvent(Envelope):
    """ITAgentSessionEvent."""

    session: AgentSession
    event: st.SessionEvent


@dataclass(frozen=True, slots=True)
class ACDGroupEvent(Envelope):
    """ITACDGroupEvent."""

    group: ACDGroup
    event: st.ACDGroupEvent


@dataclass(frozen=True, slots=True)
class QueueEvent(Envelope):
    """ITQueueEvent."""

    queue: Queue
    event: st.ACDQueueEvent


@dataclass(frozen=True, slots=True)
class AgentHandlerEvent(Envelope):
    """ITAgentHandlerEvent."""

    agent_handler: AgentHandler
    event: st.AgentHandlerEvent


@dataclass(frozen=True, slots=True)
class Event(Envelope):
    """An event beyond TAPI: of a call, statistics, the link, acd itself, a note, or of a type newer than this."""

    event: str


@dataclass(frozen=True, slots=True)
class Reset(Envelope):
    """What came before this is not to be had any more: `picture` is the truth now, and the next event follows it."""

    picture: CallCenterPicture


Told = AgentEvent | AgentSessionEvent | ACDGroupEvent | QueueEvent | AgentHandlerEvent | Event | Reset
TAPI: dict[str, tuple[Callable[..., Told], Callable[..., object], type[IntEnum]]] = {
    "agent": (AgentEvent, Agent, st.AgentEvent),
    "agent-session": (AgentSessionEvent, AgentSession, st.SessionEvent),
    "acd-group": (ACDGroupEvent, ACDGroup, st.ACDGroupEvent),
    "queue": (QueueEvent, Queue, st.ACDQueueEvent),
    "agent-handler": (AgentHandlerEvent, AgentHandler, st.AgentHandlerEvent),
}
BITS = {
    TapiEvent.AGENT: "agent",
    TapiEvent.AGENTSESSION: "agent-session",
    TapiEvent.ACDGROUP: "acd-group",
    TapiEvent.QUEUE: "queue",
    TapiEvent.AGENTHANDLER: "agent-handler",
}


def told(connection: Connection, envelope: Mapping[str, Any]) -> Told:
    """An envelope as an object; one that this version does not know is a plain Event.

    Raises KeyError, TypeError, ValueError for what is no envelope.
    """
    handler, kind, name = str(envelope["handler"]), str(envelope["type"]), str(envelope["event"])
    subject = envelope["subject"] or {}
    head = (int(envelope["seq"]), datetime.fromisoformat(envelope["at"]), handler, kind, subject)
    if kind == "reset":
        return Reset(*head, picture_of(connection, subject))
    if kind not in TAPI or name not in TAPI[kind][2].__members__:
        return Event(*head, name)
    event, of, enumerators = TAPI[kind]
    return event(*head, of(connection, handler, subject), enumerators[name])


class _Wrong(Exception):
    """The stream says what cannot be."""


class _Reader:
    """acd's side of a stream: keeps it open, and what came in a buffer, until it fails or is cancelled."""

    def __init__(
        self, connection: Connection, query: Mapping[str, str], after: int | None, silence: float, gapless: bool
    ) -> None:
        self._connection = connection
        self._query = query
        self._types = frozenset(query["type"].split(",")) if "type" in query else None
        self._gapless = gapless
        self._silence = silence
        self.after = after  # the last event that was received; None until acd has said where it begins
        self.received: deque[Told] = deque()
        self.room = asyncio.Event()
        self.news = asyncio.Event()  # something was received, or the stream was opened, or is over
        self.connected = False  # once at least
        self.failure: Exception | None = None
        self._breaks = self._faults = 0  # in a row, without a new event in between

    async def run(self) -> None:
        """Until acd refuses the stream, or what it sends is wrong again and again."""
        try:
            while True:
                wish = await self._once()
                await asyncio.sleep(self._delay(wish))
        except Exception as failure:  # the consumer is told, whatever it is
            self.failure = failure
            self.news.set()

    async def _once(self) -> float:
        """One connection. Returns the seconds for which acd wants to be left alone after it."""
        wish, began = 0.0, asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._silence):
                response = await self._open()
            async with response:
                await self._read(response)
        except ApiError as error:
            if error.status not in PASSING:
                raise
            wish = min(error.retry_after or 0.0, LONGEST_WISH)
            why: Exception = error
        except (Unreachable, aiohttp.ClientError, OSError) as error:  # also TimeoutError: silence
            why = error
        except (_Wrong, Unreadable, KeyError, TypeError, ValueError) as error:
            self._faults += 1
            if self._faults >= FAULTS:
                raise EventsLost(
                    f"The stream of events is wrong, {FAULTS} times after {self.after}: {error}"
                ) from error
            why = error
        log.info("the stream of events broke after event %s: %r", self.after, why)
        if asyncio.get_running_loop().time() - began > LONGEST_DELAY:
            self._breaks = 0
        return wish

    def _delay(self, wish: float) -> float:
        """Seconds until the next attempt: more each time, and not the same for all clients."""
        delay = min(FIRST_DELAY * 2 ** min(self._breaks, 10), LONGEST_DELAY)
        self._breaks += 1
        return float(max(wish, delay * random.uniform(0.5, 1.0)))  # noqa: S311 - no secret

    async def _open(self) -> aiohttp.ClientResponse:
        place = {} if self.after is None else {"after": str(self.after)}
        response = await self._connection.stream("events", query=({**self._query, **place}).items())
        if response.content_type != "text/event-stream":
            response.close()
            raise _Wrong(f"it is {response.content_type}, and no stream of events")
        return response

    async def _read(self, response: aiohttp.ClientResponse) -> None:
        self.connected = True
        self.news.set()
        frames = Frames()
        while True:
            async with asyncio.timeout(self._silence):
                chunk = await response.content.readany()
            if not chunk:
                raise aiohttp.ClientPayloadError("it ended")
            for frame in frames.feed(chunk):
                await self._take(frame)

    async def _take(self, frame: Frame) -> None:
        if frame.data is None:
            self._note(int(frame.id or ""))
            return
        event = told(self._connection, json.loads(frame.data))
        if not isinstance(event, Reset):
            if self.after is not None and event.seq <= self.after:
                return
            self._check(event.seq)
        if isinstance(event, Reset) or self._types is None or event.type in self._types:
            await self._keep(event)
        self.after = event.seq
        self._breaks = self._faults = 0

    async def _keep(self, event: Told) -> None:
        while len(self.received) >= BUFFER:
            self.room.clear()
            await self.room.wait()
        self.received.append(event)
        self.news.set()

    def _check(self, seq: int) -> None:
        if self._gapless and self.after is not None and seq != self.after + 1:
            raise _Wrong(f"{self.after} was followed by {seq}")

    def _note(self, seq: int) -> None:
        """A number without an event: so far acd has come, and nothing up to there was for this stream."""
        if self.after is None:
            self.after = seq
            self.news.set()
        elif seq > self.after:
            if self._gapless:
                raise _Wrong(f"{self.after} was followed by nothing up to {seq}")
            self.after = seq


class EventStream:
    """Events from now on, or from a number on: an async iterator, best held by `async with`.

    Each event comes once and in order. A connection that breaks, or says nothing for 45 s, is made again from the last
    event on; where acd does not have what follows any more, it tells a Reset. What the consumer has not taken yet waits
    in a bounded buffer, then at acd. A consumer that stops waiting (a timeout) misses nothing.
    """

    def __init__(
        self,
        connection: Connection,
        query: Mapping[str, str],
        after: int | None,
        silence: float,
        *,
        gapless: bool,
    ) -> None:
        """`gapless`: everything is wanted by somebody who may see everything, so every number has to come."""
        self._reader = _Reader(connection, query, after, silence, gapless)
        self._reading: asyncio.Task[None] | None = None
        self._closed = False
        self.seq = after  # of the last event that was taken: another stream goes on there with `after=`

    async def __aenter__(self) -> Self:
        """Whatever happens within the block is told, however late one begins to take it. Raises as `anext` does."""
        await self._until(lambda: self._reader.connected and self._reader.after is not None)
        self.seq = self._reader.after
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Told:
        """The next event. Raises EventsLost, and ApiError where acd refuses the stream, such as a revoked token."""
        await self._until(lambda: bool(self._reader.received))
        if self._closed:
            raise StopAsyncIteration
        event = self._reader.received.popleft()
        self._reader.room.set()
        self.seq = event.seq
        return event

    async def _until(self, true: Callable[[], bool]) -> None:
        """Returns also when the stream is closed; raises what it failed of."""
        if self._reading is None and not self._closed:
            self._reading = asyncio.create_task(self._reader.run())
        while not self._closed and not true():
            if self._reader.failure is not None:
                raise self._reader.failure
            self._reader.news.clear()
            await self._reader.news.wait()

    def close(self) -> None:
        """Ends the iteration at once, also where somebody waits for the next event."""
        self._closed = True
        self._reader.news.set()
        if self._reading is not None and not self._reading.get_loop().is_closed():
            self._reading.cancel()

    async def aclose(self) -> None:
        """The same; returns when the connection is closed."""
        self.close()
        if self._reading is not None:
            await asyncio.wait({self._reading})

    def __del__(self) -> None:
        self.close()
