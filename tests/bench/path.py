"""The whole path of an event: bytes -> message -> event -> state and figures -> log lines -> the store.

The bytes are fed to `Connection.data_received` as reads of a socket would bring them. Each stage is the one before it
and one step more, so what a step costs is the difference. Time is the stream's: where a wrap-up is over, the reading
stops and TimePassed is observed, as the service's timer would. Orders go to a link that answers at once; what it costs
to send them stands in the part on memory. At the end of each round every figure is compared with what was sent.
"""

import asyncio
import gc
import logging
import os
import queue
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

from acd import logs
from acd.asterisk import translate
from acd.asterisk.link import Connection, Login, Stats
from acd.asterisk.message import Blocks, Message
from acd.core import events as ev
from acd.core.center import Center
from acd.core.records import State, Visit
from acd.core.states import AgentState, SessionState
from acd.core.views import agent_view, queue_view
from acd.service import Service
from acd.store import Kept, Store
from tests.bench.measure import Report, summary
from tests.bench.stream import CallCenter, Size, Step, Truth

SIZE = Size(agents=200, queues=4, queues_each=1)
CALLS_EACH = 10
ROUNDS = 5
READ = 16 * 1024  # bytes, the most that one read of the socket brings
NEVER = 10**9  # a measurement period that does not end within the stream


class Piece(NamedTuple):
    """What one read brings; an empty one means that a wrap-up is over."""

    at: float
    data: bytes


class Unopened(Store):
    """A store in front of which rows are made ready, and nobody writes them."""

    def __init__(self) -> None:
        super().__init__("sqlite://")

    def kept(self, _handler: str) -> Kept:
        return Kept(State(), [], 0)

    def heard(self, _handler: str) -> None:
        return None

    def last_agent_times(self, _handler: str) -> list[tuple[str, tuple[str, str, bool]]]:
        return []

    def forget(self) -> None:
        """Drops the rows that wait."""
        self._waiting = queue.SimpleQueue()


class NoStore(Unopened):
    """A store that keeps nothing."""

    def append(self, _handler: str, _event: ev.Event) -> int:
        return 0

    def keep_call(self, _handler: str, _visit: Visit) -> None:
        pass

    def checkpoint(self, _handler: str, _seq: int, _at: float, _state: str) -> None:
        pass

    async def written(self) -> None:
        pass


class Clock:
    """Time as the stream tells it."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def _answered_at_once(*_: Any, **__: Any) -> None:
    pass


class Floor:
    """A service with all its agents logged on and ready, and a connection that reads for it."""

    def __init__(self, world: CallCenter, store: Store) -> None:
        self.clock = Clock(world.start)
        login = Login("127.0.0.1", 5038, "acd", "unused")
        self.service = Service("main", login, store, registered(world), clock=self.clock)
        self.service.link.send = _answered_at_once  # type: ignore[method-assign, assignment]
        for event in staffing(world):
            self.service.observe(event)
        assert all(agent.state is AgentState.READY for agent in self.service.center.state.agents.values())


def staffing(world: CallCenter) -> Iterator[ev.Event]:
    """All agents log on and are ready; then Asterisk shows them so."""
    at = world.start
    for agent in world.agents:
        session = f"session-{agent.number}"
        yield ev.AgentCreated(at, agent.number, agent.number, agent.name)
        yield ev.SessionCreated(at, session, agent.number, agent.group, agent.phone)
        yield ev.AgentStateAsked(at, agent.number, AgentState.READY, "")
        yield ev.SessionStateAsked(at, session, SessionState.READY, "")
    members = [
        ev.SeenMember(queue, agent.phone, agent.name, False, "", 1, True, 0.0)
        for agent in world.agents
        for queue in agent.queues
    ]
    yield ev.PictureTaken(at + 1, at - 100, world.queues, members, [], [], {})


def registered(world: CallCenter) -> ev.Registrations:
    """What the settings say."""
    wrap_up = world.size.wrap_up
    return ev.Registrations(world.start, dict.fromkeys(world.queues, wrap_up), world.groups, wrap_up, NEVER)


def _connection(hand_over: Callable[[Message, float], None], clock: Clock) -> Connection:
    connection = Connection(translate.TRANSLATORS.keys(), hand_over, Stats(), clock=clock)
    connection.connection_made(SimpleNamespace())
    connection.go_live()
    return connection


Feed = Callable[[bytes], object]
Pass = Callable[[ev.TimePassed], object]


class Stage(NamedTuple):
    """How the bytes and the time go in, and the center to be checked afterwards."""

    feed: Feed
    time_passed: Pass
    clock: Clock
    center: Center | None = None
    after: Callable[[], object] = lambda: None  # each read
    end: Callable[[], Awaitable[object]] | None = None


def _split(world: CallCenter) -> Stage:
    return Stage(Blocks(1 << 20).feed, lambda _: None, Clock(world.start))


def _read(world: CallCenter) -> Stage:
    clock = Clock(world.start)
    return Stage(_connection(lambda *_: None, clock).data_received, lambda _: None, clock)


def _translate(world: CallCenter) -> Stage:
    clock = Clock(world.start)
    return Stage(_connection(translate.to_event, clock).data_received, lambda _: None, clock)  # type: ignore[arg-type]


def _core(world: CallCenter) -> Stage:
    floor = Floor(world, NoStore())
    center = floor.service.center

    def hear(message: Message, received: float) -> None:
        event = translate.to_event(message, received)
        if event is not None and center.concerns(event):
            center.apply(event)

    return Stage(_connection(hear, floor.clock).data_received, center.apply, floor.clock, center)


def _service(world: CallCenter) -> Stage:
    return _stage_of(Floor(world, NoStore()))


def _appended(world: CallCenter) -> Stage:
    store = Unopened()
    return _stage_of(Floor(world, store))._replace(after=store.forget)


def _stage_of(floor: Floor) -> Stage:
    service = floor.service
    return Stage(_connection(service._hear, floor.clock).data_received, service.observe, floor.clock, service.center)


def _written(world: CallCenter) -> Stage:
    folder = tempfile.TemporaryDirectory()
    store = Store(f"sqlite:///{folder.name}/bench.db")
    store.open()

    async def end() -> None:
        await store.written()
        store.close()
        folder.cleanup()

    return _stage_of(Floor(world, store))._replace(end=end)


STAGES: dict[str, tuple[Callable[[CallCenter], Stage], int]] = {
    "split into blocks": (_split, logging.WARNING),
    "+ read: choose, decode": (_read, logging.WARNING),
    "+ translate: message -> event": (_translate, logging.WARNING),
    "+ core: state and figures": (_core, logging.WARNING),
    "+ service: orders, timer": (_service, logging.WARNING),
    "+ log lines (to the null device)": (_service, logging.INFO),
    "+ store: rows made ready": (_appended, logging.INFO),
    "+ store: rows on disk": (_written, logging.INFO),
}
FIGURES = "+ core: state and figures"
WHOLE = "+ service: orders, timer"
ON_DISK = "+ store: rows on disk"


def pieces(steps: Iterator[Step], most: int = READ) -> Iterator[Piece]:
    """The steps as reads of a socket: nothing is read across the end of a wrap-up."""
    waiting: list[bytes] = []
    at, size = 0.0, 0
    for step in steps:
        if waiting and (not step.data or size + len(step.data) > most):
            yield Piece(at, b"".join(waiting))
            waiting, size = [], 0
        at = step.at
        if step.data:
            waiting.append(step.data)
            size += len(step.data)
        else:
            yield Piece(at, b"")
    if waiting:
        yield Piece(at, b"".join(waiting))


class Figures(NamedTuple):
    cpu: float
    wall: float


async def one_round(make: Callable[[CallCenter], Stage], world: CallCenter, stream: list[Piece]) -> Figures:
    stage = make(world)
    await asyncio.sleep(0)
    gc.collect()
    began, began_cpu = time.perf_counter(), time.process_time()
    for at, data in stream:
        stage.clock.now = at
        if data:
            stage.feed(data)
        else:
            stage.time_passed(ev.TimePassed(at))
        stage.after()
        await asyncio.sleep(0)  # as between two reads: tasks run, timers are looked at
    if stage.end is not None:
        await stage.end()
    figures = Figures(time.process_time() - began_cpu, time.perf_counter() - began)
    if stage.center is not None:
        check(stage.center, world.truth, stage.clock.now)
    return figures


def check(center: Center, truth: Truth, now: float) -> None:
    """Every figure is what was sent, and nothing is left over."""
    for number, sent in truth.agents.items():
        agent = agent_view(center, center.agent(number), now)
        assert agent.number_of_acd_calls == sent["calls"], f"calls of {number}: {agent.number_of_acd_calls}, not {sent}"
        _close(agent.total_acd_talk_time_exact, sent["talk"], f"talk time of {number}")
        _close(agent.total_wrap_up_time_exact, sent["wrap_up"], f"wrap-up time of {number}")
        assert agent.state is AgentState.READY, f"{number} is {agent.state.name} at the end"
    for name, sent in truth.queues.items():
        queue = queue_view(center, name, now)
        told = (queue.total_calls_queued, queue.total_calls_answered, queue.total_calls_abandoned)
        assert told == (sent["queued"], sent["answered"], sent["abandoned"]), f"calls of {name}: {told}, not {sent}"
        _close(queue.average_wait_time_exact, sent["waited"] / sent["queued"], f"average wait of {name}")
    state = center.state
    assert not (state.visits or state.calls or state.legs or state.ringing), "something of the calls is left over"


def _close(told: float, sent: float, what: str) -> None:
    assert abs(told - sent) < 0.001, f"{what}: {told}, not {sent}"


@contextmanager
def logging_at(level: int) -> Iterator[None]:
    """Log lines of this level, formatted as in production, to the null device."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        handler = logging.StreamHandler(nowhere)
        handler.setFormatter(logs.Text())
        logging.basicConfig(level=level, handlers=[handler], force=True)
        try:
            yield
        finally:
            logging.basicConfig(level=logging.WARNING, force=True)


def _count(world: CallCenter, stream: list[Piece]) -> dict[str, int]:
    """How many messages of the stream become what."""

    async def count() -> dict[str, int]:
        floor = Floor(world, NoStore())
        center = floor.service.center
        counts = dict.fromkeys(("wanted", "events", "concerning"), 0)

        def hear(message: Message, received: float) -> None:
            counts["wanted"] += 1
            event = translate.to_event(message, received)
            counts["events"] += event is not None
            if event is not None and center.concerns(event):
                counts["concerning"] += 1
                center.apply(event)

        connection = _connection(hear, floor.clock)
        for at, data in stream:
            floor.clock.now = at
            connection.data_received(data) if data else center.apply(ev.TimePassed(at))
        return counts

    return asyncio.run(count())


def run(report: Report) -> None:
    world = CallCenter(SIZE)
    stream = list(pieces(world.calls(CALLS_EACH)))
    messages, calls = world.truth.messages, world.truth.calls
    counts = _count(world, stream)
    report.head("The whole path: from bytes to state and figures")
    report.line(
        "the stream, as asterisk-conf's event filter lets it through",
        f"{SIZE.agents} agents, {calls:,} calls, {messages:,} messages ({messages / calls:.1f} a call)",
    )
    report.line(
        "of these",
        f"{counts['wanted']:,} wanted by the prefilter, {counts['events']:,} events, "
        f"{counts['concerning']:,} that concern callers or agents",
    )
    cpu: dict[str, list[float]] = {name: [] for name in STAGES}
    wall: list[float] = []
    for _ in range(ROUNDS):
        for name, (make, level) in STAGES.items():
            with logging_at(level):
                figures = asyncio.run(one_round(make, world, stream))
            cpu[name].append(figures.cpu)
            if name == ON_DISK:
                wall.append(figures.wall)
    _tell(report, cpu, wall, messages, counts)


def _tell(
    report: Report, cpu: dict[str, list[float]], wall: list[float], messages: int, counts: dict[str, int]
) -> None:
    whole = statistics.median(cpu[WHOLE])
    before = 0.0
    for name, seconds in cpu.items():
        middle = statistics.median(seconds)
        each = [messages / second for second in seconds]
        share = f"{(middle - before) / whole:4.0%} of the path" if middle <= whole or name == WHOLE else ""
        report.line(
            name, f"{summary(each)} messages/s, this step {1e6 * (middle - before) / messages:5.2f} us/message {share}"
        )
        before = middle
    report.line(
        "rows on disk, by the clock (the writer is a thread)", f"{summary([messages / s for s in wall])} messages/s"
    )
    for counted in ("wanted", "events", "concerning"):
        text = summary([counts[counted] / second for second in cpu[WHOLE]])
        report.line(f"the path without log and store, {counted} only", f"{text} a second")
    moved = messages / statistics.median(cpu[FIGURES])
    report.at_least("message -> event -> state and figures, messages/s", moved, 100_000, ",.0f")
