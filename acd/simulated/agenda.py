"""What is due when, on a clock that is a number: the same for a past that runs at once and for the present."""

import asyncio
import heapq
import itertools
from collections.abc import Callable


class Agenda:
    """`now` moves in `advance` alone."""

    def __init__(self, now: float) -> None:
        self.now = now  # seconds since 1970
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self.listener: Callable[[], object] = lambda: None  # something was put down

    def at(self, when: float, what: Callable[[], object]) -> None:
        """To be done then, or as soon as possible when that is past."""
        heapq.heappush(self._due, (max(when, self.now), next(self._numbers), what))
        self.listener()

    def after(self, seconds: float, what: Callable[[], object]) -> None:
        """To be done so many seconds from now."""
        self.at(self.now + seconds, what)

    def next_due(self) -> float | None:
        """When something is due; None when nothing is."""
        return self._due[0][0] if self._due else None

    def advance(self, to: float) -> None:
        """Does what is due until then, each at its own time, and makes it the present."""
        while self._due and self._due[0][0] <= to:
            self.now, _, what = heapq.heappop(self._due)
            what()
        self.now = max(self.now, to)


class Clockwork:
    """Lets the world's agenda follow a clock, from `start` on; until then the world stands still."""

    def __init__(self, agenda: Agenda, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._agenda = agenda
        self._timer: asyncio.TimerHandle | None = None
        self._runs = self._is_busy = False

    def start(self) -> None:
        self._runs = True
        self._agenda.listener = self._arm
        self.catch_up()

    def stop(self) -> None:
        self._runs = False
        self._disarm()

    def catch_up(self) -> None:
        """What was due until now is done."""
        if self._runs and not self._is_busy:
            self._is_busy = True
            try:
                self._agenda.advance(self.clock())
            finally:
                self._is_busy = False
                self._arm()

    def _arm(self) -> None:
        if self._is_busy or not self._runs:
            return
        self._disarm()
        due = self._agenda.next_due()
        if due is not None:
            delay = max(0.0, due - self.clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self.catch_up)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
