"""The log of events as it stands in the database: checkpoints, events, numbers."""

import json
import logging
from collections.abc import Callable
from typing import NamedTuple

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import Connection, func
from sqlmodel import col, select

from acd.core import events as ev
from acd.core.records import State
from acd.store.tables import CheckpointRow, EventRow, LogStartRow

log = logging.getLogger(__name__)
STATE = TypeAdapter(State)
TEXT_AT_ONCE = 1000  # members of a picture that are made text in one go


class Kept(NamedTuple):
    """What the log tells of a handler: a checkpoint, the events after it with their numbers, and the last of these."""

    state: State
    events: list[tuple[int, ev.Event]]
    seq: int


def last_numbers(connection: Connection) -> dict[str, int]:
    """The highest number that an event of each handler ever had; the events may have been given up or deleted."""
    numbers: dict[str, int] = {}
    for model in (EventRow, CheckpointRow, LogStartRow):
        last = func.max(model.seq)
        # from one handler to the next by the index, without a look at each row
        handler = connection.scalar(select(func.min(model.handler)))
        while handler is not None:
            seq = connection.scalar(select(last).where(col(model.handler) == handler)) or 0
            numbers[handler] = max(numbers.get(handler, 0), seq)
            handler = connection.scalar(select(func.min(model.handler)).where(col(model.handler) > handler))
    return numbers


def checkpoint(connection: Connection, handler: str, at: float | None = None) -> tuple[int, State]:
    """The newest checkpoint of all, or of those up to a time: its number and state; of none 0 and an empty state."""
    query = select(CheckpointRow.seq, CheckpointRow.state).where(CheckpointRow.handler == handler)
    if at is not None:
        query = query.where(CheckpointRow.at <= at)
    found = connection.execute(query.order_by(col(CheckpointRow.seq).desc()).limit(1)).first()
    return (found.seq, STATE.validate_json(found.state)) if found else (0, State())


def events(
    connection: Connection, handler: str, after: int, before: int | None = None, until: float | None = None
) -> list[ev.Event]:
    """A handler's events between two numbers, those up to a time alone, in their order."""
    query = select(EventRow.kind, EventRow.data).where(EventRow.handler == handler, col(EventRow.seq) > after)
    if before is not None:
        query = query.where(col(EventRow.seq) < before)
    if until is not None:
        query = query.where(col(EventRow.at) <= until)
    known = (decode(row.kind, row.data) for row in connection.execute(query.order_by(col(EventRow.seq))))
    return [happened for happened in known if happened is not None]


def numbered(connection: Connection, handler: str, after: int) -> tuple[list[tuple[int, ev.Event]], int]:
    """A handler's events behind a number, with theirs, and the last number."""
    query = (
        select(EventRow.seq, EventRow.kind, EventRow.data)
        .where(EventRow.handler == handler, col(EventRow.seq) > after)
        .order_by(col(EventRow.seq))
    )
    rows = connection.execute(query).all()
    known = ((row.seq, decode(row.kind, row.data)) for row in rows)
    return [(seq, happened) for seq, happened in known if happened is not None], rows[-1].seq if rows else after


def encode(happened: ev.Event) -> str:
    """An event for the log. A picture in pieces: 50,000 members in one go would hold Python's lock for 0.1 s."""
    if not isinstance(happened, ev.PictureTaken):
        return to_json(happened).decode()
    return f"[{', '.join(map(_in_pieces, happened))}]"


def _in_pieces(field: object) -> str:
    if not isinstance(field, list):
        return json.dumps(field)
    pieces = (json.dumps(field[first : first + TEXT_AT_ONCE])[1:-1] for first in range(0, len(field), TEXT_AT_ONCE))
    return f"[{', '.join(pieces)}]"


def decode(kind: str, data: str) -> ev.Event | None:
    """An event of the log; None for a kind that only a newer acd knows."""
    if kind not in ev.KINDS:
        log.error("The log has an event of an unknown kind, it is passed over: %s", kind)
        return None
    values = json.loads(data)
    if kind == "PictureTaken":
        at, booted, queues, members, callers, channels, devices = values
        return ev.PictureTaken(
            at,
            booted,
            queues,
            [ev.SeenMember(*member) for member in members],
            [ev.SeenCaller(*caller) for caller in callers],
            [ev.SeenChannel(*channel) for channel in channels],
            devices,
        )
    make: Callable[..., ev.Event] = ev.KINDS[kind]
    return make(*values)
