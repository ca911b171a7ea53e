"""How far one handler may be ahead of the database: who brings too much waits for it, so that nobody else has to."""

import asyncio
from collections.abc import Callable

from acd.store import Store

AHEAD = 1000  # writes of one handler that may wait for the database while Asterisk is read on
AT_MOST = 1.0  # seconds until a little is read all the same: perhaps it is the database that stands still
LOOK_EVERY = 0.1  # seconds


class Pace:
    """Counts what a handler hands over, and stops its Asterisk for a moment where that is too much."""

    def __init__(self, store: Store, hold: Callable[[bool], None]) -> None:
        """`hold`: called with True when nothing more is to be read, and with False when it may go on."""
        self._store = store
        self._hold = hold
        self._ahead = 0
        self._asking: asyncio.Task[None] | None = None
        self._end: asyncio.TimerHandle | None = None  # of the present stop

    def wrote(self, count: int) -> None:
        """So much was handed over."""
        self._ahead += count

    @property
    def is_ahead(self) -> bool:
        """More waits than may, though it could be written."""
        return self._ahead > AHEAD and self._store.problem is None

    def look(self) -> None:
        """Asks in time how far the database is, and stops the reading where that is not enough."""
        if self._asking is None and self._ahead > AHEAD // 2:
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        if self._end is None and self.is_ahead:
            self._hold(True)
            self._end = asyncio.get_running_loop().call_later(AT_MOST, self._go_on)

    async def caught_up(self) -> None:
        """Returns when all that was handed over is in the database, or it cannot be written at present."""
        ahead = self._ahead
        done = asyncio.ensure_future(self._store.written())
        while not done.done() and self._store.problem is None:
            await asyncio.wait([done], timeout=LOOK_EVERY)
        done.cancel()
        await asyncio.gather(done, return_exceptions=True)
        self._ahead -= ahead

    def close(self) -> None:
        """Nothing more is asked or stopped."""
        if self._asking is not None:
            self._asking.cancel()
        if self._end is not None:
            self._end.cancel()

    async def _ask(self) -> None:
        await self.caught_up()
        self._asking = None
        if self._end is not None and not self.is_ahead:
            self._end.cancel()
            self._go_on()

    def _go_on(self) -> None:
        self._end = None
        self._hold(False)
