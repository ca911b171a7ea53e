"""What is deleted in the course of time: checkpoints that lie close together, events, calls and commands that are too
old, and tokens and sessions that let nobody in any more.

No figure depends on it: all figures are in the newest checkpoint and the events after it, which always stay.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, Connection, func, or_
from sqlmodel import col, delete, insert, select

from acd.store.tables import CallRow, CheckpointRow, CommandRow, EventRow, LogStartRow, TokenRow

HOUR = 3600.0
DAY = 24 * HOUR
ROWS = 2000  # of one transaction: some milliseconds, for which what is to be written waits
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
    ) -> None:
        """`keep_..._days` 0: for ever. `clock`: seconds since 1970."""
        self._transaction = transaction
        self._keep_events = keep_events_days * DAY
        self._keep_calls = keep_calls_days * DAY
        self._keep_commands = keep_commands_days * DAY
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
        if self._keep_calls:
            yield from self._forget_calls(now - self._keep_calls)
        if self._keep_commands:
            yield from self._forget_rows(CommandRow, col(CommandRow.at) < now - self._keep_commands)
        over = or_(col(TokenRow.revoked) < now - DAY, col(TokenRow.expires) < now - DAY)
        yield from self._forget_rows(TokenRow, over)

    def _forget_rows(self, model: type[CommandRow] | type[TokenRow], old: ColumnElement[bool]) -> Iterator[None]:
        gone = ROWS
        while gone == ROWS:
            some = select(model.id).where(old).limit(ROWS)
            with self._transaction() as connection:
                gone = connection.execute(delete(model).where(col(model.id).in_(some))).rowcount
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
            first = connection.scalar(select(func.min(EventRow.seq)))
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

    # The ledger -------------------------------------------------------------------------------------------

    def _forget_calls(self, limit: float) -> Iterator[None]:
        handler: str | None = ""
        while handler is not None:
            gone = self._forget_some_calls(handler, limit)
            yield
            if gone < ROWS:
                with self._transaction() as connection:  # from one to the next by the index, without a look at each row
                    handler = connection.scalar(select(func.min(CallRow.handler)).where(col(CallRow.handler) > handler))

    def _forget_some_calls(self, handler: str, limit: float) -> int:
        old = select(CallRow.key).where(CallRow.handler == handler, col(CallRow.entered) < limit).limit(ROWS)
        with self._transaction() as connection:
            return connection.execute(
                delete(CallRow).where(col(CallRow.handler) == handler, col(CallRow.key).in_(old))
            ).rowcount


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
