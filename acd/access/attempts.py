"""How often somebody failed: too often within a time, and he has to wait."""

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from acd.access.refusals import TooManyAttempts
from acd.core.refusals import Refusal

MOST_KEYS = 10_000  # that are remembered; an attacker can make up as many as he likes
Proven = TypeVar("Proven")


class Attempts:
    """Counts attempts by key (an agent's id, a network address) until they succeed."""

    def __init__(self, most: int, within: float, clock: Callable[[], float] = time.monotonic) -> None:
        """So many attempts within so many seconds; then none for as long again."""
        self._most = most
        self._within = within
        self._clock = clock
        self._begun: dict[str, list[float]] = {}

    def wait(self, key: str) -> float:
        """Seconds until the next attempt is allowed; 0: now."""
        begun = self._recent(key)
        return 0.0 if len(begun) < self._most else max(0.0, begun[-1] + self._within - self._clock())

    def begin(self, key: str) -> None:
        """Counted before it is known how it ends, so that many at once do not get more than one after the other."""
        begun = self._recent(key)
        if key not in self._begun and len(self._begun) >= MOST_KEYS:
            self._forget_old()
        self._begun[key] = [*begun[-self._most :], self._clock()]

    def succeeded(self, key: str) -> None:
        """Nothing is held against him any more."""
        self._begun.pop(key, None)

    def _recent(self, key: str) -> list[float]:
        return [at for at in self._begun.get(key, ()) if at > self._clock() - self._within]

    def _forget_old(self) -> None:
        self._begun = {key: recent for key in self._begun if (recent := self._recent(key))}
        while len(self._begun) >= MOST_KEYS:
            del self._begun[next(iter(self._begun))]


class Door:
    """Where people prove who they are: one after the other, and not too often from one place.

    One after the other, because a hundred at once would otherwise all be looked at before the first has failed.
    """

    def __init__(self, most: int, within: float, clock: Callable[[], float] = time.monotonic) -> None:
        """So many failures from one place within so many seconds; those who succeed are not counted."""
        self._failures = Attempts(most, within, clock)
        self._one = asyncio.Lock()

    async def enter(self, source: str, prove: Callable[[], Awaitable[Proven]]) -> Proven:
        """What `prove` returns. Raises its refusal, or TooManyAttempts without asking it."""
        place = place_of(source)
        async with self._one:
            wait = self._failures.wait(place)
            if wait > 0:
                raise TooManyAttempts(wait)
            try:
                return await prove()
            except Refusal:
                self._failures.begin(place)
                raise


def place_of(source: str) -> str:
    """Whom an address belongs to: in IPv6 one customer has a whole /64 of them."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    return source if address.version == 4 else str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
