"""Somebody who reads the API all the time, and what he must never be told."""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.audit import Span, within
from tests.e2e.desk import Api

EVERY = 0.25
QUICK = 1.0  # seconds within which a read is answered
PATHS = ("", "/agents", "//readyz")
OK, UNAVAILABLE = 200, 503


@dataclass(frozen=True, slots=True)
class Read:
    """One answer. `status` 0: there was none. `says`: linked, or how many agents are shown in a known state."""

    at: float
    path: str
    status: int
    seconds: float
    says: Any


@dataclass
class Reader:
    """Reads within the block. The spans say when what must (not) be answered."""

    api: Api
    reads: list[Read] = field(default_factory=list)
    gone: list[Span] = field(default_factory=list)  # acd is down: no answer will do
    dark: list[Span] = field(default_factory=list)  # Asterisk cannot be seen, and acd had time to notice it
    mute: list[Span] = field(default_factory=list)  # the store cannot be written, and acd had time to notice it

    @contextlib.asynccontextmanager
    async def reading(self) -> Any:
        tasks = [asyncio.create_task(self._read(path)) for path in PATHS]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, path: str) -> None:
        while True:
            began = time.time()
            status, says = 0, None
            try:
                async with asyncio.timeout(5):
                    answer = await self.api.ask("GET", path)
                status, says = answer.status, _gist(path, answer.body)
            except (aiohttp.ClientError, TimeoutError, ValueError):
                pass
            took = time.time() - began
            self.reads.append(Read(began, path, status, took, says))
            await asyncio.sleep(max(0.0, EVERY - took))

    def faults(self) -> list[str]:
        """What was answered and should not have been."""
        answered = [read for read in self.reads if not within(read.at, self.gone, margin=0.1)]
        faults = [
            *(f"no quick answer to {_shown(read)}" for read in answered if read.status == 0 or read.seconds > QUICK),
            *(f"not a proper answer to {_shown(read)}" for read in answered if not _proper(read)),
            *(
                f"an old state shown as new: {_shown(read)}"
                for read in self._within(answered, self.dark)
                if _sees(read)
            ),
            *(
                f"ready, and cannot write: {_shown(read)}"
                for read in self._within(answered, self.mute)
                if read.path == "//readyz" and read.status == OK
            ),
        ]
        return sorted(faults)

    @staticmethod
    def _within(reads: Sequence[Read], spans: Sequence[Span]) -> Iterator[Read]:
        return (r for r in reads if any(first <= r.at and r.at + r.seconds <= last for first, last in spans))


def _gist(path: str, body: Any) -> Any:
    if path == "":
        return body.get("linked")
    if path == "/agents":
        return sum(one["state"] != "UNKNOWN" for one in body.get("items", ()))
    return None


def _proper(read: Read) -> bool:
    allowed = (OK, UNAVAILABLE) if read.path == "//readyz" else (OK,)
    return read.status in (0, *allowed)


def _sees(read: Read) -> bool:
    """He shows Asterisk as if he saw it."""
    return read.status == OK and (read.path == "//readyz" or bool(read.says))


def _shown(read: Read) -> str:
    return f"GET {read.path or 'the handler'}: {read.status} {read.says} after {read.seconds:.2f} s at {read.at:.2f}"
