"""The stream: every change as an envelope with a number, for any number of subscribers, each at his own pace.

There is one buffer, and a subscriber is a place in it: who is slow holds nobody up and costs no memory. Who is
further back reads from the log in the database; who asks for what is gone from there as well begins anew.
"""

import asyncio
import contextlib
import json
import logging
import queue
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from pydantic_core import to_json
from sqlmodel import col

from acd.clock import moment
from acd.store import Store
from acd.store.leases import numbered
from acd.store.tables import EnvelopeRow

log = logging.getLogger(__name__)

KEPT = 5_000  # envelopes in memory: some megabytes
AT_ONCE = 500  # of the log, or of the buffer, in one piece
WRITTEN_WITHIN = 2.0  # seconds for the newest envelopes to reach the log before it is read
PAUSE = 0.002  # seconds between two rounds at least,
EACH = 0.00015  # and for each subscriber: what it costs to write to him must leave the calls their time
AFTER_A_CRASH = 1_000_000  # numbers that are left out, because some of them may have been told and not kept
OWN = "acd"  # the type of the feed's own envelopes
ENDING = "ENDING"
ENDED = "ENDED"  # the last envelope of a run that ended in good order


class Envelope(NamedTuple):
    """One message. `agents`, `queues`, `groups`: those whom it concerns; `text`: as JSON, as subscribers get it."""

    seq: int
    handler: str
    type: str
    event: str
    agents: Sequence[str]
    queues: Sequence[str]
    groups: Sequence[str]
    text: str

    def numbered(self, seq: int) -> "Envelope":
        """The same with this number."""
        return Envelope(seq, *self[1:-1], text=numbered(self.text, seq))


class Filter(NamedTuple):
    """What a subscriber wants to hear of; None: of all."""

    types: Collection[str] | None = None
    queues: Collection[str] | None = None
    agents: Collection[str] | None = None
    groups: Collection[str] | None = None


def passing(only: Filter) -> Callable[[Envelope], bool]:
    """Whether an envelope is what he wants to hear. That of the feed itself everybody hears."""
    types, queues, agents, groups = (None if names is None else frozenset(names) for names in only)

    def passes(envelope: Envelope) -> bool:
        return envelope.type == OWN or (
            (types is None or envelope.type in types)
            and (queues is None or not queues.isdisjoint(envelope.queues))
            and (agents is None or not agents.isdisjoint(envelope.agents))
            and (groups is None or not groups.isdisjoint(envelope.groups))
        )

    return passes


class Gone(LookupError):
    """What comes after this number cannot be told any more."""


@dataclass(slots=True)
class Stats:
    """For the metrics."""

    subscribers: int = 0
    published: int = 0
    resets: int = 0
    closed_slow: int = 0


class Feed:
    """The hub between the changes of all handlers and the subscribers."""

    def __init__(self, store: Store) -> None:
        self.stats = Stats()
        self._store = store
        self._buffer: deque[Envelope] = deque(maxlen=KEPT)
        self._waiting: set[asyncio.Future[bool]] = set()
        self._round: asyncio.TimerHandle | None = None
        self._round_at = 0.0
        self._closed = False
        last = store.rows(EnvelopeRow, by=[col(EnvelopeRow.seq).desc()], limit=1)
        ended_well = not last or (last[0].type, last[0].event) == (OWN, ENDED)
        self.seq = (last[0].seq if last else 0) + (0 if ended_well else AFTER_A_CRASH)
        self._oldest = 0 if ended_well else self.seq  # what was before this number is no longer known for certain

    def publish(
        self,
        handler: str,
        at: float,
        type: str,
        event: str,
        subject: Any,
        *,
        agents: Collection[str] = (),
        queues: Collection[str] = (),
        groups: Collection[str] = (),
    ) -> None:
        """Numbers a change, keeps it, and tells it in the next round."""
        self.stats.published += 1
        head = {"at": moment(at), "handler": handler, "type": type, "event": event, "subject": subject}
        of = tuple(agents), tuple(queues), tuple(groups)
        self._keep(Envelope(0, handler, type, event, *of, to_json(head).decode()))

    def _keep(self, envelope: Envelope) -> None:
        self.seq += 1
        told = envelope.numbered(self.seq)
        self._store.keep_envelope(_row(told, time.time()))
        self._tell(told)

    def _tell(self, envelope: Envelope) -> None:
        self._buffer.append(envelope)
        if self._waiting and self._round is None:
            loop = asyncio.get_running_loop()
            pause = max(PAUSE, EACH * len(self._waiting))
            self._round = loop.call_at(max(loop.time(), self._round_at + pause), self._wake)

    def _wake(self) -> None:
        self._round = None
        self._round_at = asyncio.get_running_loop().time()
        waiting, self._waiting = self._waiting, set()
        for each in waiting:
            _settle(each, True)

    async def after(self, seq: int, patience: float) -> Sequence[Envelope]:
        """The envelopes after this number, some of them at least; none when nothing comes for so many seconds.

        Raises Gone, and Closed when the feed has ended.
        """
        if seq > self.seq or seq < self._oldest:
            raise Gone(seq)
        if seq == self.seq and not await self._news(patience):
            return ()
        first = self._buffer[0].seq if self._buffer else self.seq + 1
        if seq + 1 < first:
            return await self._from_log(seq)
        return list(islice(self._buffer, seq + 1 - first, seq + 1 - first + AT_ONCE))

    async def _news(self, patience: float) -> bool:
        if self._closed:
            raise Closed()
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiting.add(waiter)
        silence = loop.call_later(patience, _settle, waiter, False)
        try:
            return await waiter
        finally:
            silence.cancel()
            self._waiting.discard(waiter)

    async def _from_log(self, seq: int) -> Sequence[Envelope]:
        with contextlib.suppress(TimeoutError, queue.Full):  # then it is as with what was never written
            async with asyncio.timeout(WRITTEN_WITHIN):
                await self._store.written()
        newer = col(EnvelopeRow.seq) > seq
        order = [col(EnvelopeRow.seq)]
        rows = await asyncio.to_thread(self._store.rows, EnvelopeRow, newer, by=order, limit=AT_ONCE)
        whole = [row for place, row in enumerate(rows, seq + 1) if row.seq == place]
        if not whole:  # deleted, or never written because the database was away for too long
            raise Gone(seq)
        return [envelope_of(row) for row in whole]

    def end_subscriptions(self) -> None:
        """Every subscriber hears that acd is about to end, and then nothing more; he can resume later."""
        if not self._closed:
            self.publish("", time.time(), OWN, ENDING, None)
            self._closed = True
            self._wake()

    def close(self) -> None:
        """The last number is given: with it in the log, the next run goes on behind it."""
        self.publish("", time.time(), OWN, ENDED, None)


class SharedFeed(Feed):
    """The hub of one node among several: whatever any of them publishes is told when it stands in the database.

    There all get their numbers, so that a subscriber can go on at any node.
    """

    def __init__(self, store: Store, catch_up: Callable[[], Awaitable[None]]) -> None:
        """`catch_up`: returns when all that stands in the database now was taken in."""
        super().__init__(store)
        self.seq, self._oldest = store.stream_number(), 0
        self._catch_up = catch_up

    def _keep(self, envelope: Envelope) -> None:
        self._store.keep_envelope(_row(envelope, time.time()))

    def take(self, envelopes: Iterable[Envelope]) -> None:
        """Tells what any node has published, in the order of its numbers."""
        for envelope in envelopes:
            if envelope.seq != self.seq + 1:  # this node was away for longer than envelopes are kept
                self._buffer.clear()
                self._oldest = envelope.seq - 1
            self.seq = envelope.seq
            self._tell(envelope)

    async def after(self, seq: int, patience: float) -> Sequence[Envelope]:
        """As the feed of one node; another may have told more than this one knows of by now."""
        if seq > self.seq:
            await self._catch_up()
        return await super().after(seq, patience)

    def end_subscriptions(self) -> None:
        """Nothing is said: at another node the stream goes on."""
        self._closed = True
        self._wake()

    def close(self) -> None:
        """Other nodes go on."""


def _settle(waiter: asyncio.Future[bool], news: bool) -> None:
    if not waiter.done():
        waiter.set_result(news)


class Closed(Exception):
    """The feed has ended; nothing more will come."""


async def follow(
    feed: Feed, after: int, wanted: Callable[[Envelope], bool], patience: float, most_behind: int = KEPT
) -> AsyncGenerator[tuple[int, list[Envelope]]]:
    """What a subscriber gets, piece by piece: how far he is now, and the envelopes that he wants.

    A piece without envelopes comes when nothing was told for `patience` seconds: he is still there, and so are we.
    Ends with the feed, and for a subscriber who, once he was up to date, falls `most_behind` envelopes back: he is
    too slow, and can resume. Raises Gone.
    """
    feed.stats.subscribers += 1
    live = False
    try:
        while True:
            try:
                found = await feed.after(after, patience)
            except Closed:
                return
            after = found[-1].seq if found else after  # not feed.seq: something may have come that was not told yet
            live = live or after == feed.seq
            yield after, [each for each in found if wanted(each)]
            behind = feed.seq - after
            if live and behind >= most_behind:
                feed.stats.closed_slow += 1
                log.warning("A subscriber is %d envelopes behind and is closed", behind)
                return
    finally:
        feed.stats.subscribers -= 1


async def follow_on(
    feed: Feed,
    after: int,
    wanted: Callable[[Envelope], bool],
    *,
    patience: float,
    reset: Callable[[], Awaitable[Envelope]],
    most_behind: int = KEPT,
) -> AsyncGenerator[tuple[int, list[Envelope]]]:
    """As `follow`, but for one who asks for what is gone there is a `reset`, and he goes on behind that."""
    while True:
        try:
            async with contextlib.aclosing(follow(feed, after, wanted, patience, most_behind)) as pieces:
                async for place, found in pieces:
                    after = place
                    yield place, found
            return
        except Gone:
            feed.stats.resets += 1
            envelope = await reset()
            after = envelope.seq
            yield after, [envelope]


def _row(envelope: Envelope, at: float) -> dict[str, Any]:
    return {
        "seq": envelope.seq,
        "at": at,
        "handler": envelope.handler,
        "type": envelope.type,
        "event": envelope.event,
        "agents": to_json(envelope.agents).decode(),
        "queues": to_json(envelope.queues).decode(),
        "groups": to_json(envelope.groups).decode(),
        "text": envelope.text,
    }


def envelope_of(row: EnvelopeRow) -> Envelope:
    """As it stands in the log."""
    agents, queues, groups = (json.loads(text) for text in (row.agents, row.queues, row.groups))
    return Envelope(row.seq, row.handler, row.type, row.event, agents, queues, groups, row.text)
