"""From Asterisk's write to the state moved: a whole service with link, log lines and store, against a bare reader.

The writer is another process; both read the same monotonic clock. The reader only counts the messages.
"""

import asyncio
import logging
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager

from acd.asterisk.link import Login
from acd.asterisk.message import Message
from acd.core import events as ev
from acd.core.states import AgentState, SessionState
from acd.service import Service
from acd.store import Store
from tests.bench.measure import Report, percentile, summary
from tests.bench.path import NEVER, logging_at
from tests.bench.server import Asterisk, Paced, asterisk
from tests.bench.stream import Agent, Size
from tests.helpers import until

SIZE = Size(agents=100, queues=4, queues_each=1, wrap_up=0.0)
ROUNDS = 3
RATE = 1400.0
PACES = {"single messages": Paced(2800, RATE, 1), "bursts of 50": Paced(2800, RATE, 50)}


class Timed(Service):
    """A service that notes when each event had moved the state."""

    moved: list[float] = []  # noqa: RUF012 (one service at a time)

    def _hear(self, message: Message, received: float) -> None:
        super()._hear(message, received)
        self.moved.append(time.monotonic())


class Bare(asyncio.Protocol):
    """Splits what it reads, and notes the time of each block."""

    def __init__(self, moved: list[float]) -> None:
        self._moved = moved
        self._tail = b""

    def data_received(self, data: bytes) -> None:
        *blocks, self._tail = (self._tail + data).split(b"\r\n\r\n")
        for _ in blocks:
            self._moved.append(time.monotonic())


async def log_on(service: Service, agent: Agent) -> None:
    """An agent logs on and becomes ready, each step confirmed by Asterisk."""
    center, session = service.center, f"session-{agent.number}"
    await service.command(center.create_agent(service.now(), agent.number, agent.name), lambda: True)
    asked = center.create_session(service.now(), session, agent.number, agent.group, agent.phone)
    await service.command(asked, lambda: center.state.sessions[session].joined)
    await service.command(center.ask_agent_state(service.now(), agent.number, AgentState.READY, ""), lambda: True)
    ready = center.ask_session_state(service.now(), session, SessionState.READY, "")
    await service.command(ready, lambda: center.agent(agent.number).state is AgentState.READY)


@asynccontextmanager
async def staffed(server: Asterisk, store: Store) -> AsyncIterator[Service]:
    """A service linked to the server with all agents ready."""
    world = server.world
    registrations = ev.Registrations(
        time.time(), dict.fromkeys(world.queues, world.size.wrap_up), world.groups, world.size.wrap_up, NEVER
    )
    service = Timed("main", Login("127.0.0.1", server.port, "acd", "unused"), store, registrations)
    running = asyncio.create_task(service.run())
    try:
        await until(lambda: service.link.linked, what="linked")
        await asyncio.gather(*(log_on(service, agent) for agent in world.agents))
        yield service
    finally:
        await service.close()
        await running


async def _of_acd(server: Asterisk, bare: Asterisk) -> dict[str, dict[str, list[list[float]]]]:
    """Reader -> pace -> the delays of each round, seconds; the two readers take turns."""
    delays: dict[str, dict[str, list[list[float]]]] = {
        reader: {pace: [] for pace in PACES} for reader in ("acd", "bare asyncio reader")
    }
    raw: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bench.db")
        store.open()
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: Bare(raw), "127.0.0.1", bare.port)
        async with staffed(server, store) as service:
            assert isinstance(service, Timed)
            for _ in range(ROUNDS):
                for pace, asked in PACES.items():
                    delays["bare asyncio reader"][pace].append(await _played(bare, asked, raw))
                    delays["acd"][pace].append(await _played(server, asked, service.moved))
            assert not service.link.stats.handler_errors
        transport.close()
        store.close()
    return delays


async def _played(server: Asterisk, asked: Paced, moved: list[float]) -> list[float]:
    moved.clear()
    server.pipe.send(asked)
    await until(lambda: len(moved) >= asked.messages, seconds=30, what="all messages taken")
    written = await asyncio.to_thread(server.pipe.recv)
    return [there - here for here, there in zip(written, moved, strict=True)]


def run(report: Report) -> None:
    report.head("Latency: from Asterisk's write to the state moved")
    report.line("the stream", f"{RATE:,.0f} messages/s, with log lines, orders sent and answered, and a store on disk")
    with ExitStack() as stack:
        server, bare = stack.enter_context(asterisk(SIZE)), stack.enter_context(asterisk(SIZE))
        stack.enter_context(logging_at(logging.INFO))
        delays = asyncio.run(_of_acd(server, bare))
    for pace in PACES:
        for reader, by_pace in delays.items():
            report.line(f"{pace}, {reader}", _delays(by_pace[pace]))
        ours, theirs = ([statistics.median(done) for done in delays[reader][pace]] for reader in delays)
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        report.line(f"{pace}, p50 of acd to the reader's", f"{summary(ratios, '.2f')} times")


def _delays(rounds: list[list[float]]) -> str:
    def over(figure: Callable[[list[float]], float]) -> str:
        return summary([1e6 * figure(done) for done in rounds])

    p50, p99 = over(statistics.median), over(lambda done: percentile(done, 0.99))
    return f"p50 {p50}, p99 {p99}, max {over(max)} us"
