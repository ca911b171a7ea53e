"""From a database on disk to a center at work: a log of a million events, a state of 1,000 agents.

The events are the core's own, of agents who take one call after another. The log ends one event before the next
checkpoint would be due, so that a start has the most to replay. At the end the state is compared with the one that
the events were made with.
"""

import itertools
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from acd.checkpoints import EVERY, Checkpoints
from acd.core import events as ev
from acd.core.center import Center
from acd.core.effects import Effect
from acd.core.records import State
from acd.store import STATE, Store
from tests.bench.measure import Report, summary
from tests.core.desk import Desk

AGENTS = 1000
QUEUES = 20
EVENTS = 1_000_000
TALK, BETWEEN = 30.0, 12.0  # seconds
AT_ONCE = 50_000  # events that may wait for the disk
ROUNDS = 7


class Full(Exception):
    """A million events are in the log, and the most behind the last checkpoint."""


class LoggedDesk(Desk):
    """A desk that puts all that happens into the log, as a service does. Raises Full."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.events = 0
        self._checkpoints = 0
        self._nested = False
        super().__init__(queues=[f"queue{number}" for number in range(QUEUES)])

    def apply(self, event: ev.Event | None) -> Sequence[Effect]:
        if event is None:
            return ()
        self.store.append("main", event)
        self.events += 1
        outermost, self._nested = not self._nested, True  # what follows from an event is applied within it
        effects = super().apply(event)
        if outermost:
            self._nested = False
            if self.events >= EVENTS and self.events % EVERY >= EVERY - 50:
                raise Full
            if self.events // EVERY > self._checkpoints:
                self._checkpoints += 1
                Checkpoints("main", self.store).keep(self.center.state)
        return effects

    def pause(self, phone: str, paused: bool, reason: str = "", queue: str | None = None) -> None:
        """As ordered, without a search among all members."""
        self.apply(ev.MemberPaused(self.now, queue or "", phone, paused, reason))


class Start(NamedTuple):
    """Seconds."""

    opened: float
    loaded: float
    replayed: float
    tail: int

    @property
    def whole(self) -> float:
        return self.opened + self.loaded + self.replayed


def _filled(url: str) -> tuple[State, int]:
    """Agents log on, and take calls until the log is full."""
    store = Store(url)
    store.open()
    desk = LoggedDesk(store)
    for number in range(AGENTS):
        desk.agent(str(10000 + number), f"PJSIP/{10000 + number}", groups=[f"queue{number % QUEUES}"])
    try:
        _work(desk)
    except Full:
        store.close()
    return desk.center.state, desk.events


def _work(desk: LoggedDesk) -> None:
    for first in itertools.count(1, AGENTS):
        for number in range(AGENTS):
            desk.take(f"c{first + number}", f"PJSIP/{10000 + number}", f"queue{number % QUEUES}")
            desk.after(TALK / AGENTS)
        for number in range(AGENTS):
            desk.hang_up(f"c{first + number}")
            desk.after(BETWEEN / AGENTS)
        for kept in (desk.visits, desk.moves, desk.orders):
            kept.clear()
        while desk.store.waiting > AT_ONCE:
            time.sleep(0.01)


def _started(url: str, expected: object) -> Start:
    began = time.perf_counter()
    store = Store(url)
    store.open()
    opened = time.perf_counter()
    state, tail = store.load("main")
    loaded = time.perf_counter()
    center = Center(state)
    for event in tail:
        center.apply(event)
    replayed = time.perf_counter()
    store.close()
    assert STATE.dump_python(center.state) == expected, "the state is not the one that the events were made with"
    return Start(opened - began, loaded - opened, replayed - loaded, len(tail))


def run(report: Report) -> None:
    report.head(f"Start: a log of {EVENTS:,} events, a state of {AGENTS:,} agents, SQLite")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "bench.db"
        measure(report, f"sqlite:///{path}")
        report.line("the file", f"{path.stat().st_size / 1e6:,.0f} MB")


def measure(report: Report, url: str) -> None:
    """An empty database is filled, then opened several times."""
    state, events = _filled(url)
    expected = STATE.dump_python(state)
    starts = [_started(url, expected) for _ in range(ROUNDS)]
    report.line("events, of them behind the last checkpoint", f"{events:,}, {starts[0].tail:,}")
    report.line("a checkpoint", f"{len(STATE.dump_json(state)) / 1e6:.2f} MB")
    for what, seconds in (
        ("open: lock, tables, last number", [start.opened for start in starts]),
        ("load: checkpoint and events", [start.loaded for start in starts]),
        ("replay", [start.replayed for start in starts]),
        ("together", [start.whole for start in starts]),
    ):
        report.line(what, f"{summary([1000 * each for each in seconds])} ms")
    report.at_most("start with a million events, s (the longest)", max(start.whole for start in starts), 2, ".2f")
