"""What is due when, on a clock that is a number: the same for a past that runs at once and for the present."""

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
