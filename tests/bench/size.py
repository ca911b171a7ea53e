"""Ten thousand agents on one machine: start, reconnect, memory, requests, and for how long the event loop is held.

The agents' state is made in one go and put into the database as a checkpoint; a new acd (service, store, API) loads it
and links to an Asterisk in another process that lists all agents as members of their queues. Who asks is a process of
its own as well. ACD_BENCH_SIZES: other numbers of agents. ACD_BENCH_PLOT: where the picture is written.
"""

import asyncio
import gc
import itertools
import logging
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from acd.asterisk.link import Login
from acd.browser_phones import BrowserPhones
from acd.checkpoints import Checkpoints
from acd.clock import moment
from acd.commands import Commands, SupervisorCommands
from acd.core import events as ev
from acd.core.center import Center
from acd.pins import PinGuard
from acd.serve import without_garbage_collection
from acd.service import Service
from acd.store import Store
from acd.web.app import make_app
from acd.web.requests import Handler
from acd.web.server import Runner
from tests.bench.measure import Report, summary
from tests.bench.path import FIGURES, STAGES, WHOLE, logging_at, one_round, pieces, registered, staffing
from tests.bench.plot import Line, write_plot
from tests.bench.reports import START, call_rows, insert, resident, time_rows
from tests.bench.server import Asterisk, Drop, Paced, asterisk
from tests.bench.stream import CallCenter, Size
from tests.bench.web import HOST, TOKEN, H, Visitors
from tests.helpers import until

SIZES = [int(each) for each in os.environ.get("ACD_BENCH_SIZES", "100,1000,10000").split(",")]
PLOT = os.environ.get("ACD_BENCH_PLOT", "")
ROUNDS = 3
RATE = 1000.0  # messages a second
SECONDS = 10
WRITTEN = 200_000  # events
AT_ONCE = 20_000
PATH = ["+ translate: message -> event", FIGURES, WHOLE]
TICK = 0.001  # seconds between two looks at the event loop
CALLS_EACH = 10  # rows of the ledger for each agent, all of one day
DAY = f"from={moment(START)}&to={moment(START + 86400)}"


def size_of(agents: int) -> Size:
    """One queue for every twenty agents, each of whom serves five."""
    return Size(agents=agents, queues=max(5, agents // 20), queues_each=5, wrap_up=0.0, no_answer_every=20)


@dataclass(slots=True)
class Gaps:
    """The longest time for which the event loop did not turn: by the clock, and by what its thread computed in it."""

    by_clock: float = 0.0
    by_processor: float = 0.0

    def __str__(self) -> str:
        return f"{1000 * self.by_clock:.0f} ms by the clock, {1000 * self.by_processor:.0f} ms of processor"


@asynccontextmanager
async def watched() -> AsyncIterator[Gaps]:
    gaps = Gaps()
    task = asyncio.create_task(_watch(gaps))
    await asyncio.sleep(0)
    try:
        yield gaps
    finally:
        await asyncio.sleep(2 * TICK)
        task.cancel()


async def _watch(gaps: Gaps) -> None:
    while True:
        clock, processor = time.monotonic(), time.thread_time()
        await asyncio.sleep(TICK)
        gaps.by_clock = max(gaps.by_clock, time.monotonic() - clock - TICK)
        gaps.by_processor = max(gaps.by_processor, time.thread_time() - processor)


class Cost(NamedTuple):
    """Seconds."""

    clock: float
    processor: float


@dataclass(slots=True)
class Taken:
    """What one size came to, by what was measured."""

    costs: dict[str, list[Cost]] = field(default_factory=dict)
    gaps: dict[str, Gaps] = field(default_factory=dict)
    memory: float = 0.0  # kilobytes an agent

    @asynccontextmanager
    async def taking(self, what: str) -> AsyncIterator[None]:
        async with watched() as gaps:
            clock, processor = time.monotonic(), time.process_time()
            yield
            cost = Cost(time.monotonic() - clock, time.process_time() - processor)
        self.costs.setdefault(what, []).append(cost)
        known = self.gaps.setdefault(what, gaps)
        known.by_clock = max(known.by_clock, gaps.by_clock)
        known.by_processor = max(known.by_processor, gaps.by_processor)


def _prepare(url: str, world: CallCenter) -> None:
    """A database with the state of all agents, and the ledger of a day."""
    center = Center()
    for event in itertools.chain([registered(world), ev.LinkHeard(world.start)], staffing(world)):
        center.apply(event)
    store = Store(url)
    store.open()
    Checkpoints("main", store).keep(center.state)
    store.close()
    _ledger(Path(url.removeprefix("sqlite:///")), len(world.agents))


def _ledger(path: Path, agents: int) -> None:
    calls = CALLS_EACH * agents
    insert(path, call_rows(random.Random(1), 1, calls, agents), time_rows(random.Random(2), 1, calls, agents))


@asynccontextmanager
async def _started(server: Asterisk, store: Store, taken: Taken) -> AsyncIterator[tuple[Service, str]]:
    """acd with its API, as `acd serve` makes it."""
    clock, processor = time.monotonic(), time.process_time()
    store.open()
    with without_garbage_collection():
        login = Login("127.0.0.1", server.port, "acd", "unused")
        service = Service("main", login, store, registered(server.world))
        commands = Commands(service, PinGuard({}, {}), store, ["*"])
        handler = Handler(commands, SupervisorCommands(service, "acd-queue", 20.0), store, BrowserPhones("", None))
        app = make_app({"main": handler}, store, TOKEN)
    runner = Runner(app)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    taken.costs["start"] = [Cost(time.monotonic() - clock, time.process_time() - processor)]
    running = asyncio.create_task(service.run())
    try:
        async with taken.taking("the picture after the start"):
            await until(lambda: service.link.linked, seconds=60, what="linked")
        yield service, f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await service.close()
        await running
        store.close()


async def _asked(taken: Taken, url: str) -> None:
    """What is dear to answer, one request after the other; each answer's cost is acd's own."""
    for what, path in (
        ("all agents", f"{H}/agents"),
        ("the whole picture", "/api/v1/picture"),
        ("a report by agent", f"{H}/reports/agents?{DAY}"),
        ("a report by queue", f"{H}/reports/queues?{DAY}"),
    ):
        for _ in range(ROUNDS):
            async with Visitors(url, "pages", path=path) as visitors, taken.taking(what):
                await visitors.end()


async def _streamed(server: Asterisk, service: Service, taken: Taken, url: str) -> None:
    """Messages at a steady pace with one subscriber, and a checkpoint in their midst."""
    for what in ("messages", "messages and a checkpoint"):
        before = service.link.stats.wanted
        async with Visitors(url, "listen", times=1) as visitors:
            assert await visitors.line() == "listening"
            async with taken.taking(what):
                server.pipe.send(Paced(int(RATE * SECONDS), RATE, 1))
                if "checkpoint" in what:
                    await asyncio.sleep(SECONDS / 2)
                    service._checkpoints._begin(service.center.state)
                written = await asyncio.to_thread(server.pipe.recv)
                await until(lambda: service.link.stats.wanted >= before + len(written), seconds=120, what="all taken")  # noqa: B023
            await visitors.end()


async def _reset(taken: Taken, url: str) -> None:
    """Subscribers who must all begin anew at once."""
    async with Visitors(url, "begin_anew", times=20) as visitors, taken.taking("a reset of 20 subscribers"):
        await visitors.end()


async def _reconnected(server: Asterisk, service: Service, taken: Taken) -> None:
    for _ in range(ROUNDS):
        # a link that is lost again at once waits longer each time before the next try
        await until(lambda: not service.link._tries, seconds=60, what="the link has held")
        async with taken.taking("a reconnect, from the loss to the picture"):
            server.pipe.send(Drop())
            await until(lambda: not service.link.linked, seconds=60, what="lost")
            await until(lambda: service.link.linked, seconds=60, what="linked again")


async def _measured(server: Asterisk, folder: str) -> Taken:
    taken = Taken()
    url = f"sqlite:///{folder}/bench.db"
    _prepare(url, server.world)
    gc.collect()
    before = resident()
    async with _started(server, Store(url), taken) as (service, address):
        taken.memory = 1000 * (resident() - before) / len(server.world.agents)
        assert all(agent.state.name == "READY" for agent in service.center.state.agents.values())
        await _asked(taken, address)
        await _streamed(server, service, taken, address)
        await _reset(taken, address)
        await _reconnected(server, service, taken)
    return taken


async def _written(folder: str) -> Cost:
    """So many events into the log on disk, as fast as they are taken; both threads."""
    store = Store(f"sqlite:///{folder}/writer.db")
    store.open()
    clock, processor = time.monotonic(), time.process_time()
    for first in range(0, WRITTEN, AT_ONCE):
        for number in range(first, first + AT_ONCE):
            store.append("main", ev.BridgeEntered(1.8e9 + number, f"1800000000.{number}", "bridge", None))
        await store.written()
    cost = Cost(time.monotonic() - clock, time.process_time() - processor)
    store.close()
    return cost


def _path(report: Report) -> None:
    """Messages to state and figures, at the largest size; the figures are compared with what was sent."""
    world = CallCenter(replace(size_of(SIZES[-1]), wrap_up=10.0))
    stream = list(pieces(world.calls(1)))
    messages = world.truth.messages
    costs: dict[str, list[float]] = {name: [] for name in PATH}
    for _ in range(ROUNDS):
        for name in PATH:
            make, level = STAGES[name]
            with logging_at(level):
                costs[name].append(asyncio.run(one_round(make, world, stream)).cpu)
    report.head(f"The path with {SIZES[-1]:,} agents: {messages:,} messages of {world.truth.calls:,} calls")
    for name, seconds in costs.items():
        report.line(name, f"{summary([messages / each for each in seconds])} messages/s of processor")
    report.at_least(
        "message -> event -> state and figures, messages/s", messages / min(costs[FIGURES]), 100_000, ",.0f"
    )


def _writer(report: Report) -> None:
    report.head(f"The log: {WRITTEN:,} events to SQLite")
    with tempfile.TemporaryDirectory() as folder:
        costs = [asyncio.run(_written(folder)) for _ in range(ROUNDS)]
    clock, processor = ([WRITTEN / each for each in side] for side in zip(*costs, strict=True))
    report.line("events on disk", f"{summary(clock)} a second by the clock, {summary(processor)} of processor")
    report.at_least("SQLite writer, events/s of processor", statistics.median(processor), 20_000, ",.0f")


def run(report: Report) -> None:
    by_size: dict[int, Taken] = {}
    for agents in SIZES:
        report.head(f"{agents:,} agents, {size_of(agents).queues:,} queues, five queues for each agent")
        with (
            asterisk(size_of(agents), staffed=True) as server,
            tempfile.TemporaryDirectory() as folder,
            logging_at(logging.WARNING),
        ):
            taken = by_size[agents] = asyncio.run(_measured(server, folder))
        gc.unfreeze()
        _tell(report, taken)
    _judge(report, by_size[SIZES[-1]])
    if PLOT:
        write_plot(Path(PLOT), _lines(by_size))
    _writer(report)
    _path(report)


def _tell(report: Report, taken: Taken) -> None:
    report.line("memory, kB an agent", f"{taken.memory:.1f}")
    for what, costs in taken.costs.items():
        clock, processor = (summary([1000 * each for each in side]) for side in zip(*costs, strict=True))
        gaps = f"; loop held {taken.gaps[what]}" if what in taken.gaps else ""
        report.line(what, f"{clock} ms, {processor} ms of processor{gaps}")


def _judge(report: Report, taken: Taken) -> None:
    worst = max(taken.gaps.values(), key=lambda gaps: gaps.by_processor)
    report.at_most("memory, kB an agent", taken.memory, 20)
    report.at_most("start, s", taken.costs["start"][0].clock, 2, ".2f")
    reconnects = [each.clock for each in taken.costs["a reconnect, from the loss to the picture"]]
    report.at_most("reconnect with its picture, s", statistics.median(reconnects), 2, ".2f")
    report.at_most("the event loop held, ms by the clock", 1000 * max(g.by_clock for g in taken.gaps.values()), 50)
    report.at_most("the event loop held, ms of processor", 1000 * worst.by_processor, 50)


PLOTTED = ("all agents", "the whole picture", "a report by agent", "a report by queue", "messages")


def _lines(by_size: dict[int, Taken]) -> list[Line]:
    return [
        Line(what, [(n, 1000 * statistics.median(c.processor for c in t.costs[what])) for n, t in by_size.items()])
        for what in PLOTTED
    ]
