"""What is deleted in the course of time: checkpoints that lie close together, what is too old of events, calls,
commands and the stream, and tokens, accounts and webhooks that nobody can use any more.

No figure depends on it: all figures are in the newest checkpoint and the events after it, which always stay.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, Connection, func, or_, tuple_
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import SQLModel, col, delete, insert, select

from acd.store.tables import (
    AccountRow,
    AgentTimeRow,
    CallRow,
    CheckpointRow,
    CommandRow,
    EnvelopeRow,
    EventRow,
    LogStartRow,
    TokenRow,
    WebhookRow,
)

HOUR = 3600.0
DAY = 24 * HOUR
ROWS = 2000  # of one transaction: some milliseconds, for which what is to be written waits
FEW = 500  # of one transaction, where rows lie scattered or have a kilobyte or more
CHECKPOINTS = 10  # of one transaction; each may have a megabyte


class Retention:
    """Deletes in steps of one short transaction each."""

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Connection]],
        keep_events_days: int,
        keep_calls_days: int,
        keep_commands_days: int,
        clock: Callable[[], float],
        *,
        keep_stream_hours: int,
    ) -> None:
        """`keep_..._days` 0: for ever; `keep_stream_hours`: at least 1. `clock`: seconds since 1970."""
        self._transaction = transaction
        self._keep_events = keep_events_days * DAY
        self._keep_calls = keep_calls_days * DAY
        self._keep_commands = keep_commands_days * DAY
        self._keep_stream = keep_stream_hours * HOUR
        self._clock = clock
        self._swept: dict[str, int] = {}  # handler -> no event up to this one is left

    def steps(self) -> Iterator[None]:
        """All that is due now; the next step is taken when the next item is asked for. Raises SQLAlchemyError."""
        now = self._clock()
        with self._transaction() as connection:
            handlers = list(connection.scalars(select(CheckpointRow.handler).distinct()))
        yield
        for handler in handlers:
            yield from self._thin(handler, now)
            if self._keep_events:
                yield from self._forget_events(handler, now - self._keep_events)
        yield from self._forget_envelopes(now)
        if self._keep_calls:
            yield from self._forget_by_handler(CallRow, self._forget_some_calls, now - self._keep_calls)
            yield from self._forget_by_handler(AgentTimeRow, self._forget_some_times, now - self._keep_calls)
        if self._keep_commands:
            old = col(CommandRow.at) < now - self._keep_commands
            yield from self._forget(CommandRow, col(CommandRow.id), old)
        yield from self._forget_what_is_over(now - DAY)

    def _forget_what_is_over(self, limit: float) -> Iterator[None]:
        over = or_(col(TokenRow.revoked) < limit, col(TokenRow.expires) < limit)
        yield from self._forget(TokenRow, col(TokenRow.id), over)
        removed = col(AccountRow.removed).is_(True)
        yield from self._forget(AccountRow, col(AccountRow.name), removed, col(AccountRow.changed) < limit)
        removed = col(WebhookRow.removed).is_(True)
        yield from self._forget(WebhookRow, col(WebhookRow.id), removed, col(WebhookRow.changed) < limit)

    def _forget(self, model: type[SQLModel], key: Mapped[str], *where: ColumnElement[bool]) -> Iterator[None]:
        """Rows of one table that meet these conditions."""
        gone = FEW
        while gone == FEW:
            some = select(key).where(*where).limit(FEW)
            with self._transaction() as connection:
                gone = connection.execute(delete(model).where(key.in_(some))).rowcount
            yield

    # Checkpoints ------------------------------------------------------------------------------------------

    def _thin(self, handler: str, now: float) -> Iterator[None]:
        yield from self._drop(handler, superfluous(self._checkpoints(handler), now))

    def _checkpoints(self, handler: str) -> list[tuple[int, float]]:
        with self._transaction() as connection:
            rows = connection.execute(
                select(CheckpointRow.seq, CheckpointRow.at)
                .where(CheckpointRow.handler == handler)
                .order_by(col(CheckpointRow.seq))
            )
            return [(row.seq, row.at) for row in rows]

    def _drop(self, handler: str, checkpoints: Sequence[int]) -> Iterator[None]:
        for start in range(0, len(checkpoints), CHECKPOINTS):
            these = checkpoints[start : start + CHECKPOINTS]
            with self._transaction() as connection:
                connection.execute(
                    delete(CheckpointRow).where(
                        col(CheckpointRow.handler) == handler, col(CheckpointRow.seq).in_(these)
                    )
                )
            yield

    # Events -----------------------------------------------------------------------------------------------

    def _forget_events(self, handler: str, limit: float) -> Iterator[None]:
        """The log then starts at the last checkpoint before `limit`, so that every later state can still be told."""
        checkpoints = self._checkpoints(handler)
        begin = log_start(checkpoints, limit)
        if begin is None or self._swept.get(handler) == begin[0]:
            return
        seq, at = begin
        with self._transaction() as connection:  # before anything goes, so that nobody replays a log with a hole
            connection.execute(delete(LogStartRow).where(col(LogStartRow.handler) == handler))
            connection.execute(insert(LogStartRow), [{"handler": handler, "seq": seq, "at": at}])
            first = connection.scalar(select(func.min(EventRow.seq)).where(col(EventRow.handler) == handler))
        yield
        yield from self._drop(handler, [older for older, _ in checkpoints if older < seq])
        done = max(self._swept.get(handler, 0), (first or seq + 1) - 1)
        while done < seq:
            done, before = min(done + ROWS, seq), done
            with self._transaction() as connection:
                connection.execute(
                    delete(EventRow).where(
                        col(EventRow.seq) > before, col(EventRow.seq) <= done, col(EventRow.handler) == handler
                    )
                )
            self._swept[handler] = done
            yield
        self._swept[handler] = seq

    # The ledger, and what agents did ----------------------------------------------------------------------

    def _forget_by_handler(
        self, model: type[CallRow] | type[AgentTimeRow], forget_some: Callable[[str, float], int], limit: float
    ) -> Iterator[None]:
        handler: str | None = ""
        while handler is not None:
            gone = forget_some(handler, limit)
            yield
            if not gone:
                with self._transaction() as connection:  # from one to the next by the index, without a look at each row
                    handler = connection.scalar(select(func.min(model.handler)).where(col(model.handler) > handler))

    def _forget_some_calls(self, handler: str, limit: float) -> int:
        old = select(CallRow.key).where(CallRow.handler == handler, col(CallRow.entered) < limit).limit(ROWS)
        with self._transaction() as connection:
            return connection.execute(
                delete(CallRow).where(col(CallRow.handler) == handler, col(CallRow.key).in_(old))
            ).rowcount

    def _forget_some_times(self, handler: str, limit: float) -> int:
        """What an agent did last before `limit` stays, however old: he did it until then."""
        later = aliased(AgentTimeRow)
        followed = (
            select(later.at)
            .where(
                later.handler == AgentTimeRow.handler,
                later.agent == AgentTimeRow.agent,
                col(later.at) > col(AgentTimeRow.at),
                col(later.at) <= limit,
            )
            .exists()
        )
        old = (
            select(AgentTimeRow.agent, AgentTimeRow.at)
            .where(AgentTimeRow.handler == handler, col(AgentTimeRow.at) < limit, followed)
            .limit(FEW)
        )
        row = tuple_(col(AgentTimeRow.agent), col(AgentTimeRow.at))
        with self._transaction() as connection:
            return connection.execute(
                delete(AgentTimeRow).where(col(AgentTimeRow.handler) == handler, row.in_(old))
            ).rowcount

    # The stream -------------------------------------------------------------------------------------------

    def _forget_envelopes(self, now: float) -> Iterator[None]:
        """From the oldest on, so that the log of the stream has no hole. The newest stays: it knows the last number."""
        begin, end, left = now - self._keep_stream, now + DAY, True  # later than that: a clock was wrong
        while left:
            with self._transaction() as connection:
                newest = connection.scalar(select(func.max(EnvelopeRow.seq)))
                oldest = connection.execute(
                    select(EnvelopeRow.seq, EnvelopeRow.at).order_by(col(EnvelopeRow.seq)).limit(FEW)
                ).all()
                old = [row.seq for row in oldest if not begin <= row.at <= end and row.seq != newest]
                if old:
                    connection.execute(delete(EnvelopeRow).where(col(EnvelopeRow.seq) <= old[-1]))
                left = bool(old)
            yield


def superfluous(checkpoints: Sequence[tuple[int, float]], now: float) -> list[int]:
    """Of (seq, at), oldest first: all but the newest and the first of each hour, or of each day where a day has passed.

    Days are UTC's.
    """
    seen: set[tuple[float, float]] = set()
    spare = []
    for seq, at in checkpoints[:-1]:
        span = DAY if at < now - DAY else HOUR
        slot = span, at // span
        if slot in seen:
            spare.append(seq)
        seen.add(slot)
    return spare


def log_start(checkpoints: Sequence[tuple[int, float]], limit: float) -> tuple[int, float] | None:
    """Of (seq, at), oldest first: the last one before the first that is younger than `limit`.

    One with an old time among young ones was made while a clock was wrong; what is before it is young.
    """
    begin = None
    for checkpoint in checkpoints:
        if checkpoint[1] > limit:
            break
        begin = checkpoint
    return begin
