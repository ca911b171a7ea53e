"""The API and the stream with 1,000 agents: who asks and who listens is another process."""

import asyncio
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from acd.browser_phones import BrowserPhones
from acd.commands import Commands, SupervisorCommands
from acd.core.states import AgentState
from acd.feed import Feed
from acd.pins import PinGuard
from acd.service import Service
from acd.store import Store
from acd.web.app import make_app
from acd.web.requests import FEED, Handler
from acd.web.server import Runner
from tests.bench.latency import Timed, staffed
from tests.bench.measure import Report, percentile
from tests.bench.path import logging_at
from tests.bench.server import Asterisk, Paced, asterisk
from tests.bench.stream import Size
from tests.helpers import until

SIZE = Size(agents=1000, queues=20, queues_each=1, wrap_up=0.0)
TOKEN = "a-token-for-the-bench"
HOST = "127.0.0.1"
H = "/api/v1/handlers/main"
SECONDS = 10
EVENTS = 1000.0  # AMI messages a second
SUBSCRIBERS = 100
IDLE = 500


class Visitors:
    """Users of the API in a process of their own."""

    def __init__(self, url: str, what: str, **options: object) -> None:
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._command = (sys.executable, "-m", "tests.bench.visitors", url, TOKEN, what, *words)
        self._process: asyncio.subprocess.Process

    async def begin(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, limit=256 * 1024 * 1024
        )

    async def line(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()

    async def end(self) -> Any:
        """What they lived through."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        return json.loads(await self.line())

    async def __aenter__(self) -> "Visitors":
        await self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


class Moves(list[float]):
    """When each message had moved the state, and which envelopes it led to."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed
        self._seen = feed.seq
        self.told_by: dict[int, int] = {}  # number of an envelope -> place of the message

    def append(self, at: float) -> None:
        for seq in range(self._seen + 1, self._feed.seq + 1):
            self.told_by[seq] = len(self)
        self._seen = self._feed.seq
        super().append(at)


@asynccontextmanager
async def served(server: Asterisk, folder: str) -> AsyncIterator[tuple[Service, web.Application, str]]:
    """acd with all agents ready, and its API."""
    store = Store(f"sqlite:///{folder}/bench.db")
    store.open()
    try:
        async with staffed(server, store) as service:
            commands = Commands(service, PinGuard({}, {}), store, ["*"])
            handler = Handler(commands, SupervisorCommands(service, "acd-queue", 20.0), store, BrowserPhones("", None))
            app = make_app({"main": handler}, store, TOKEN)
            runner = Runner(app)
            await runner.setup()
            site = web.TCPSite(runner, HOST, 0)
            await site.start()
            port = runner.addresses[0][1]
            try:
                yield service, app, f"http://{HOST}:{port}"
            finally:
                await runner.cleanup()
    finally:
        store.close()


async def _requests(report: Report, url: str, agent: str) -> None:
    path = f"{H}/agents/{agent}"
    async with Visitors(url, "ask", path=path, rate=500, times=500 * SECONDS) as visitors:
        taken = [1000 * each for each in await visitors.end()]
    report.line("GET one agent, 500/s", f"p50 {statistics.median(taken):.2f}, p99 {percentile(taken, 0.99):.2f} ms")
    report.at_most("GET one agent at 500 requests/s, p99, ms", percentile(taken, 0.99), 5.0, ".2f")
    for what, path in (("agents", f"{H}/agents"), ("everything", "/api/v1/picture")):
        async with Visitors(url, "ask_in_turn", path=path, times=50) as visitors:
            taken = [1000 * each for each in await visitors.end()]
        report.line(f"picture of 1,000 agents: {what}", f"p50 {statistics.median(taken):.1f}, max {max(taken):.1f} ms")
        if what == "agents":
            report.at_most("picture of 1,000 agents, ms", statistics.median(taken), 20.0)


async def _stream(report: Report, server: Asterisk, app: web.Application, url: str) -> None:
    moved = Timed.moved = Moves(app[FEED])
    async with Visitors(url, "listen", times=SUBSCRIBERS) as visitors:
        assert await visitors.line() == "listening"
        asked = Paced(int(EVENTS * SECONDS), EVENTS, 1)
        cpu = time.process_time()
        server.pipe.send(asked)
        await until(lambda: len(moved) >= asked.messages, seconds=120, what="all messages taken")
        cpu = time.process_time() - cpu
        written = await asyncio.to_thread(server.pipe.recv)
        await asyncio.sleep(3)  # for the last ones
        heard = {int(seq): times for seq, times in (await visitors.end()).items()}
    delays = [
        1000 * (at - written[moved.told_by[seq]])
        for seq, times in heard.items()
        if seq in moved.told_by
        for at in times
    ]
    report.line("envelopes heard", f"{len(delays):,} by {SUBSCRIBERS} subscribers, of {len(moved.told_by):,} told")
    report.line("acd's share of a core meanwhile", f"{cpu / SECONDS:.0%}")
    report.at_most("AMI event -> subscriber, p50, ms", statistics.median(delays), 3.0, ".2f")
    report.at_most("AMI event -> subscriber, p99, ms", percentile(delays, 0.99), 15.0, ".2f")


async def _idle(report: Report, url: str) -> None:
    async def share() -> float:
        cpu = time.process_time()
        await asyncio.sleep(2 * SECONDS)
        return (time.process_time() - cpu) / (2 * SECONDS)

    alone = await share()
    async with Visitors(url, "listen", times=IDLE) as visitors:
        assert await visitors.line() == "listening"
        with_them = await share()
        await visitors.end()
    report.line("share of a core, idle", f"alone {alone:.2%}, with {IDLE} subscribers {with_them:.2%}")
    report.at_most(f"{IDLE} idle subscribers, % of a core", 100 * (with_them - alone), 5.0, ".2f")


async def _all(report: Report, server: Asterisk) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with served(server, folder) as (service, app, url):
            assert all(agent.state is AgentState.READY for agent in service.center.state.agents.values())
            await _requests(report, url, server.world.agents[0].number)
            await _stream(report, server, app, url)
            await _idle(report, url)


def run(report: Report) -> None:
    report.head(f"The API and the stream, {SIZE.agents:,} agents")
    with asterisk(SIZE) as server, logging_at(logging.WARNING):
        asyncio.run(_all(report, server))
