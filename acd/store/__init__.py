"""What outlives the process: the append-only log of events, checkpoints of the state, the ledger, PIN hashes.

One thread writes, in batches, so that the event loop never waits for the disk. What cannot be written is kept
and tried again; the store says so through `problem`. Reports read through connections of their own.
"""

import asyncio
import concurrent.futures
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, bindparam, func
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col, select

from acd.core import events as ev
from acd.core.records import State, Visit
from acd.migrations import NewerDatabase, upgrade
from acd.store import event_log, writing
from acd.store.database import AdvisoryLock, FileLock, InUse, SameFile, engine_for, may_pass, owned, reason
from acd.store.event_log import STATE, Kept
from acd.store.leases import HOUSE, Leases, Node
from acd.store.retention import Retention
from acd.store.tables import (
    AgentTimeRow,
    CallRow,
    CheckpointRow,
    EnvelopeRow,
    EventRow,
    HeardRow,
    LogStartRow,
    PinRow,
    StreamRow,
    WriterRow,
)

__all__ = [
    "STATE",
    "BeforeTheLog",
    "CallRow",
    "CheckpointRow",
    "EventRow",
    "Heard",
    "InUse",
    "Kept",
    "NewerDatabase",
    "PinRow",
    "Store",
    "call_values",
]

log = logging.getLogger(__name__)
BATCH = 2000
GATHER = 0.005  # seconds for which a batch is gathered unless somebody waits for it: what a kill can cost of the log
CHECK_EVERY = 10.0  # seconds without anything to write, after which it is seen whether the database is still there
CLOSE_WITHIN = 10.0  # seconds for what waits to be written at the end
RETRY = 0.5  # seconds between two tries to write what could not be written
LAST_PART = 20_000  # events at the end of the log
MOST_ENVELOPES = 2000  # that are read at once
MOST_PARAMETERS = 500  # of one query
RETENTION_AFTER = 60.0  # seconds after the start, which has other things to do
RETENTION_EVERY = 3600.0  # seconds
PAUSE = 0.05  # seconds between two steps of it
MOST_WAITING = 200_000  # items kept in memory while the database is away; then what comes is given up
# tables whose rows belong to a handler, or to none; all others belong to who writes them
OF_HANDLERS = frozenset({"event", "call", "checkpoint", "heard", "agent_time", "pin", "envelope"})
OF_THE_HOUSE = frozenset({"token", "account", "webhook"})
# tables whose rows nothing else would bring back
ASIDE = frozenset({"call", "pin", "agent_time", "token", "account", "command", "webhook"})


class Heard(NamedTuple):
    """Until when Asterisk was heard, and inode and size of its log files then, where they can be read."""

    at: float
    queue_log: tuple[int, int] | None = None
    cel: tuple[int, int] | None = None


class Write(NamedTuple):
    """A row to be written. `fence`: the lease by which it was made, where it belongs to one."""

    table: str
    values: dict[str, Any]
    lease: tuple[str, int] | None


Row = TypeVar("Row", bound=SQLModel)


class BeforeTheLog(LookupError):
    """What was that long ago cannot be told: the events of that time were deleted."""


class Store:
    """The database behind an address such as sqlite:////var/lib/acd/acd.db."""

    def __init__(
        self,
        url: str,
        *,
        keep_events_days: int = 0,
        keep_calls_days: int = 0,
        keep_commands_days: int = 0,
        keep_stream_hours: int = 24,
        clock: Callable[[], float] = time.time,
        node: Node | None = None,
    ) -> None:
        """`keep_...`: older events, rows of the ledger, commands, envelopes are deleted; 0 days: never.

        `node`: who this is among several that use the same database; None: it has the database for itself.
        """
        self.url = url
        self.problem: str | None = None  # why nothing can be written at present
        self.given_up = 0  # changes that were not kept, since the start
        self.gaps: set[str] = set()  # handlers whose log lacks events, because the database was away for too long
        self._engine = engine_for(url)
        self._waiting: queue.SimpleQueue[Write | concurrent.futures.Future[None] | None] = queue.SimpleQueue()
        self._hurry = threading.Event()  # somebody waits until all is written
        self._aside: dict[tuple[str, ...], Write] = {}  # the newest version of each row that found no place
        self._aside_lock = threading.Lock()
        self._thread = threading.Thread(target=self._write_for_ever, name="store", daemon=True)
        self._file = SameFile(self._engine)
        self._node = node
        self._owned: FileLock | AdvisoryLock | Leases | None = None  # while it is open
        self._seq: dict[str, int] = {}  # handler -> number of its last event
        self._at: dict[str, float] = {}  # handler -> when its last appended event was
        self._clock = clock
        self._retention = Retention(
            self._transaction,
            keep_events_days,
            keep_calls_days,
            keep_commands_days,
            clock,
            keep_stream_hours=keep_stream_hours,
        )
        self._steps: Iterator[None] | None = None  # of the retention that is under way
        self._next_retention = time.monotonic() + RETENTION_AFTER
        self._stopping = False

    def open(self) -> None:
        """Brings the tables up to date and starts the writer. Raises InUse, NewerDatabase, SQLAlchemyError."""
        if self._node is not None and self._engine.dialect.name != "postgresql":
            raise ValueError("only a PostgreSQL database can be used by several nodes")
        self._owned = owned(self._engine) if self._node is None else Leases(self._engine, self._node)
        try:
            with self._owned.transaction() as connection:
                upgrade(connection)
                self._owned.claim(connection)
                writing.write(connection, "writer", [{"node": self._owned.node, "batch": ""}])
                self._seq = event_log.last_numbers(connection)
            self._file.check()
        except SQLAlchemyError:
            self._unlock()
            raise
        self._thread.start()

    def close(self) -> None:
        """Writes what waits, if the database lets it, and ends the writer."""
        self._stopping = True
        self._waiting.put(None)
        self._hurry.set()
        self._thread.join(timeout=CLOSE_WITHIN)
        if self._thread.is_alive():
            log.error("acd ends: the database takes nothing, and %d changes are lost", self.waiting)
        self._unlock()

    def _unlock(self) -> None:
        if self._owned is not None:
            self._owned.release()
        self._engine.dispose()

    def _transaction(self) -> AbstractContextManager[Connection]:
        assert self._owned is not None
        return self._owned.transaction()

    @property
    def leases(self) -> Leases | None:
        """Who leads what, where several nodes use the database."""
        return self._owned if isinstance(self._owned, Leases) else None

    def lead(self, handler: str, seq: int, fence: int) -> None:
        """This node goes on with a handler's log behind the event `seq`."""
        assert self.leases is not None
        self._seq[handler] = seq
        self.leases.begun(handler, fence)

    # Writing, from the event loop -------------------------------------------------------------------------

    def append(self, handler: str, happened: ev.Event) -> int:
        """Adds an event to the log and returns its sequence number; it is on disk a moment later.

        One that has to be given up takes no number: the log has none twice and none missing.
        """
        self._at[handler] = happened.at
        seq = self._seq.get(handler, 0) + 1
        values = {
            "seq": seq,
            "handler": handler,
            "at": happened.at,
            "kind": type(happened).__name__,
            "data": happened,  # made text by the writer
        }
        if self._put("event", values):
            self._seq[handler] = seq
        return self._seq.get(handler, 0)

    def keep_call(self, handler: str, visit: Visit) -> None:
        """Adds or renews a row of the ledger."""
        self._put("call", call_values(handler, visit))

    def keep_pin(self, handler: str, agent: str, hashed: str) -> None:
        """Adds or renews the hash of an agent's PIN."""
        self._put("pin", {"handler": handler, "agent": agent, "hash": hashed})

    def keep_agent_time(self, values: dict[str, Any]) -> None:
        """Adds or renews what an agent does from a moment on, by the columns of its table."""
        self._put("agent_time", values)

    def keep(self, row: SQLModel) -> None:
        """Adds or renews a row of a table that has no method of its own."""
        self._put(str(row.__tablename__), row.model_dump())

    def keep_envelope(self, values: dict[str, Any]) -> None:
        """Adds an envelope of the stream, by the columns of its table."""
        self._put("envelope", values)

    def keep_heard(self, handler: str, heard: Heard) -> None:
        """Renews the mark until which Asterisk was heard."""
        queue_log, cel = heard.queue_log or (None, None), heard.cel or (None, None)
        values = {"queue_log_inode": queue_log[0], "queue_log_offset": queue_log[1]}
        values |= {"cel_inode": cel[0], "cel_offset": cel[1]}
        self._put("heard", {"handler": handler, "at": heard.at, **values})

    def last(self, handler: str) -> tuple[int, float]:
        """The number of a handler's last event, and when it was."""
        return self._seq.get(handler, 0), self._at.get(handler, self._clock())

    def checkpoint(self, handler: str, seq: int, at: float, state: str) -> None:
        """Keeps a state, as JSON: as it was after the event of that number, and that time."""
        self._put("checkpoint", {"handler": handler, "seq": seq, "at": at, "state": state})

    async def written(self) -> None:
        """Returns when all that was handed over before is on disk. Raises queue.Full when too much waits already."""
        if self._is_full:
            raise queue.Full
        done: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._waiting.put(done)
        self._hurry.set()
        await asyncio.wrap_future(done)

    @property
    def waiting(self) -> int:
        """How many writes wait for the database."""
        return self._waiting.qsize()

    @property
    def _is_full(self) -> bool:
        return self._waiting.qsize() >= MOST_WAITING

    def _put(self, table: str, values: dict[str, Any]) -> bool:
        """False when it has to be given up: a later checkpoint stands in for events, but rows are kept aside."""
        write = Write(table, values, self._lease(table, values))
        if not self._is_full:
            self._waiting.put(write)
            return True
        if not self.gaps:
            log.error("The database is away for too long: events are no longer kept until it is back")
        if "handler" in values:
            self.gaps.add(values["handler"])
        if table in ASIDE and len(self._aside) < MOST_WAITING:
            with self._aside_lock:
                self._aside[table, *writing.key(table, values)] = write
        else:
            self.given_up += 1
        return False

    def _lease(self, table: str, values: dict[str, Any]) -> tuple[str, int] | None:
        name = values["handler"] if table in OF_HANDLERS else HOUSE if table in OF_THE_HOUSE else None
        return None if name is None or self._owned is None else (name, self._owned.fence(name))

    # Reading ----------------------------------------------------------------------------------------------

    def load(self, handler: str) -> tuple[State, list[ev.Event]]:
        """The newest checkpoint of a handler and the events after it."""
        kept = self.kept(handler)
        return kept.state, [happened for _, happened in kept.events]

    def kept(self, handler: str) -> Kept:
        """The same, with numbers."""
        with self._engine.connect() as connection:
            seq, state = event_log.checkpoint(connection, handler)
            return Kept(state, *event_log.numbered(connection, handler, seq))

    def events(self, handler: str, after: int) -> tuple[list[tuple[int, ev.Event]], int]:
        """A handler's events behind a number, with theirs, and the number of the last one."""
        with self._engine.connect() as connection:
            return event_log.numbered(connection, handler, after)

    def envelopes(self, after: int) -> list[EnvelopeRow]:
        """The next ones of the stream."""
        return self.rows(EnvelopeRow, col(EnvelopeRow.seq) > after, by=[col(EnvelopeRow.seq)], limit=MOST_ENVELOPES)

    def stream_number(self) -> int:
        """That of the last envelope, where several nodes write them."""
        with self._engine.connect() as connection:
            return connection.scalar(select(StreamRow.seq)) or 0

    def load_at(self, handler: str, at: float) -> tuple[State, list[ev.Event]]:
        """A checkpoint and the events after it that give the state of a handler as it was at a time.

        `at`: seconds since 1970 on Asterisk's clock. What was read afterwards of a time when nobody listened stands in
        the log behind what was heard, up to the picture that followed; it counts as well. Raises BeforeTheLog.
        """
        with self._engine.connect() as connection:
            seq, state = event_log.checkpoint(connection, handler, at)
            next_picture = connection.scalar(
                select(func.min(EventRow.seq)).where(
                    col(EventRow.handler) == handler,
                    col(EventRow.seq) > seq,
                    col(EventRow.at) > at,
                    col(EventRow.kind) == ev.PictureTaken.__name__,
                )
            )
            events = event_log.events(connection, handler, after=seq, before=next_picture, until=at)
            # asked last, because events may have been deleted meanwhile
            start = connection.execute(
                select(LogStartRow.seq, LogStartRow.at).where(LogStartRow.handler == handler)
            ).first()
        if start is not None and seq < start.seq:
            since = datetime.fromtimestamp(start.at, UTC).isoformat(timespec="seconds")
            raise BeforeTheLog(f"the log of {handler} reaches back to {since}, what was before was deleted")
        return state, events

    def heard(self, handler: str) -> Heard | None:
        """The mark until which Asterisk was heard; None before the first time."""
        with self._engine.connect() as connection:
            query = select(HeardRow).where(HeardRow.handler == handler)
            row = connection.execute(_columns(query, HeardRow)).first()
        if row is None:
            return None
        return Heard(
            row.at,
            None if row.queue_log_inode is None else (row.queue_log_inode, row.queue_log_offset),
            None if row.cel_inode is None else (row.cel_inode, row.cel_offset),
        )

    def since(self, handler: str, kind: type[ev.Event], at: float) -> list[ev.Event]:
        """The events of a kind that the log's last part holds of the time since then."""
        newest = (
            select(EventRow.kind, EventRow.data, EventRow.at)
            .where(EventRow.handler == handler)
            .order_by(col(EventRow.seq).desc())
            .limit(LAST_PART)
            .subquery()
        )
        query = select(newest.c.kind, newest.c.data).where(newest.c.kind == kind.__name__, newest.c.at >= at)
        with self._engine.connect() as connection:
            found = [event_log.decode(row.kind, row.data) for row in connection.execute(query)]
        return [happened for happened in found if happened is not None]

    def rows_of(self, handler: str, calls: Collection[str]) -> list[dict[str, Any]]:
        """The rows of these calls, by entry time."""
        rows: list[dict[str, Any]] = []
        some = sorted(calls)
        with self._engine.connect() as connection:
            for first in range(0, len(some), MOST_PARAMETERS):
                query = select(CallRow).where(
                    CallRow.handler == handler, col(CallRow.call).in_(some[first : first + MOST_PARAMETERS])
                )
                rows += [dict(row._mapping) for row in connection.execute(_columns(query))]
        return sorted(rows, key=lambda row: row["entered"])

    def rows(self, model: type[Row], *where: Any, by: Sequence[Any] = (), limit: int | None = None) -> list[Row]:
        """The rows of a table that meet the conditions, in the order of these columns."""
        query = select(model).where(*where).order_by(*by).limit(limit)
        with self._engine.connect() as connection:
            return [model(**row._mapping) for row in connection.execute(_columns(query, model))]

    def last_agent_times(self, handler: str) -> list[tuple[str, tuple[str, str, bool]]]:
        """What each agent of a handler did last: the agent, and state, reason, wrap_up."""
        with self._engine.connect() as connection:
            found = connection.execute(LAST_AGENT_TIMES, {"handler": handler})
            return [(agent, (state, reason, wrap_up)) for agent, state, reason, wrap_up in found]

    def pins(self, handler: str) -> dict[str, str]:
        """The PIN hashes of a handler's agents."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(PinRow.agent, PinRow.hash).where(PinRow.handler == handler))
            return {row.agent: row.hash for row in rows}

    def calls(
        self,
        handler: str,
        *,
        start: float,
        end: float,
        queues: Collection[str] | None = None,
        agent: str | None = None,
        call: str | None = None,
        after: tuple[float, str] | None = None,
        limit: int = 1000,
    ) -> list[dict[str, Any]]:
        """Rows of the ledger by entry time, start <= entered < end, behind the row `after` (entered, key)."""
        if after is not None:
            start = max(start, after[0])  # so that the index leads to the page, however late it is
        query = select(CallRow).where(
            CallRow.handler == handler, col(CallRow.entered) >= start, col(CallRow.entered) < end
        )
        if queues is not None:
            query = query.where(col(CallRow.queue).in_(sorted(queues)))
        if call is not None:
            query = query.where(CallRow.call == call)
        if agent is not None:
            query = query.where(CallRow.agent == agent)
        if after is not None:
            entered, key = after
            query = query.where(
                (col(CallRow.entered) > entered) | ((col(CallRow.entered) == entered) & (col(CallRow.key) > key))
            )
        query = query.order_by(col(CallRow.entered), col(CallRow.key)).limit(limit)
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(_columns(query))]

    # The writer -------------------------------------------------------------------------------------------

    def _write_for_ever(self) -> None:
        ending = False
        while not ending:
            batch = self._gathered()
            ending = None in batch
            self._write_until_done([item for item in batch if isinstance(item, Write)])
            for item in batch:
                # whoever waited may have given up
                if isinstance(item, concurrent.futures.Future) and item.set_running_or_notify_cancel():
                    item.set_result(None)
            self._delete_a_little()

    def _gathered(self) -> list[Write | concurrent.futures.Future[None] | None]:
        """What waits, or nothing when it is time for something else."""
        due = PAUSE if self._steps is not None else self._next_retention - time.monotonic()
        try:
            batch = [self._waiting.get(timeout=min(max(PAUSE, due), CHECK_EVERY))]
        except queue.Empty:
            return []
        if isinstance(batch[0], Write):
            self._hurry.wait(GATHER)  # what comes next is written with it
        self._hurry.clear()  # before the rest is taken: whoever waits is in this batch, or hurries the next one
        while len(batch) < BATCH and not self._waiting.empty():
            batch.append(self._waiting.get())
        if self._aside and self._waiting.empty():  # behind the older versions of the same rows
            with self._aside_lock:
                batch += self._aside.values()
                self._aside.clear()
        return batch

    def _delete_a_little(self) -> None:
        """One step of what is done every hour, so that what is to be written meanwhile need not wait for all of it."""
        if self._owned is None or not self._owned.tidies:
            self._steps = None
            return
        if self._steps is None:
            if time.monotonic() < self._next_retention:
                return
            self._steps = self._retention.steps()
            self._next_retention = time.monotonic() + RETENTION_EVERY
        try:
            next(self._steps)
        except StopIteration:
            self._steps = None
        except Exception as error:  # nothing of it may end the writer
            log.warning("What is too old cannot be deleted at present: %s", reason(error))
            self._steps = None

    def _write_until_done(self, writes: list[Write]) -> None:
        batch, again = secrets.token_hex(8), False
        while True:
            try:
                self._write(writes, batch, again)
            except Exception as error:
                if not may_pass(error):
                    self._write_one_by_one(writes, error)
                    return
                if self.problem != reason(error):
                    log.error("The database cannot be written: %s", reason(error))
                self.problem = reason(error)
                if self._stopping:
                    log.error("acd ends: %d changes could not be written and are lost", len(writes) + self.waiting)
                    return
                again = True
                time.sleep(RETRY)
            else:
                if self.problem is not None:
                    log.info("The database can be written again")
                self.problem = None
                return

    def _write_one_by_one(self, writes: list[Write], error: Exception) -> None:
        """One of them can never be written; the others are, and that one is told."""
        if len(writes) == 1:
            table, values, _ = writes[0]
            shown = {name: value for name, value in values.items() if table == "event" or name in ("handler", "key")}
            # without the error's other lines, which may show what `shown` does not
            log.error("A row of %s cannot be written and is given up, %s: %.500r", table, reason(error), shown)
            return
        for write in writes:
            self._write_until_done([write])

    def _write(self, writes: list[Write], batch: str, again: bool) -> None:
        """`batch`: its mark. `again`: it failed before, and perhaps only the answer was lost."""
        assert self._owned is not None
        if not writes:
            self._owned.check()
            return
        self._file.check()
        with self._owned.transaction() as connection:
            if again and connection.scalar(select(WriterRow.batch).where(WriterRow.node == self._owned.node)) == batch:
                return
            tables = self._admitted(connection, writes)
            if "envelope" in tables:
                tables["envelope"] = self._owned.numbered(connection, tables["envelope"])
            for table, new in tables.items():
                writing.write(connection, table, new)
            writing.write(connection, "writer", [{"node": self._owned.node, "batch": batch}])
            self._owned.tell(connection, tables)

    def _admitted(self, connection: Connection, writes: list[Write]) -> dict[str, list[dict[str, Any]]]:
        """The rows by table, without those that another node has to write now."""
        assert self._owned is not None
        leases = {lease for _, _, lease in writes if lease is not None}
        held = {None, *self._owned.admitted(connection, leases)}
        tables: dict[str, list[dict[str, Any]]] = {}
        for table, values, lease in writes:
            if lease in held:
                tables.setdefault(table, []).append(values)
        lost = sum(lease not in held for _, _, lease in writes)
        if lost:
            log.warning("%d changes are not written: another node has taken over meanwhile", lost)
        return tables


def _last_agent_times() -> Any:
    """From one agent to the next by the index: how many rows each of them has does not matter."""
    row, newer = AgentTimeRow, aliased(AgentTimeRow)
    of_handler = row.handler == bindparam("handler")
    agents = select(func.min(row.agent).label("agent")).where(of_handler).cte("agents", recursive=True)
    following = select(func.min(row.agent)).where(of_handler, col(row.agent) > agents.c.agent).scalar_subquery()
    agents = agents.union_all(select(following).where(agents.c.agent.is_not(None)))
    newest = select(func.max(newer.at)).where(newer.handler == bindparam("handler"), newer.agent == agents.c.agent)
    return (
        select(row.agent, row.state, row.reason, row.wrap_up)
        .join(agents, col(row.agent) == agents.c.agent)
        .where(of_handler, row.at == newest.scalar_subquery())
    )


LAST_AGENT_TIMES = _last_agent_times()


def call_values(handler: str, visit: Visit) -> dict[str, Any]:
    """A visit as a row of the ledger."""
    return {
        "handler": handler,
        "key": visit.key,
        "call": visit.call,
        "queue": visit.queue,
        "caller": visit.caller,
        "agent": visit.agent,
        "session": visit.session,
        "entered": visit.entered,
        "answered": visit.answered,
        "ended": visit.ended,
        "ring_time": visit.ring,
        "wait_time": visit.wait,
        "talk_time": visit.talk,
        "hold_time": visit.hold,
        "wrap_up_time": visit.wrap_up,
        "outcome": visit.outcome.value if visit.outcome else None,
        "disposition": visit.disposition,
        "estimated": visit.estimated,
    }


def _columns(query: Any, model: type[SQLModel] = CallRow) -> Any:
    return query.with_only_columns(*model.__table__.columns)  # type: ignore[attr-defined]
