"""Memory of a whole `acd serve`: with 100 agents logged on through the API, and after two million messages.

The process has its web application and a store on disk, and sends its orders to a server that answers them. The
server goes on as fast as the calls reach the ledger on disk.
"""

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp

from tests.bench.measure import Report
from tests.bench.server import Asterisk, Flood, asterisk
from tests.bench.stream import Agent, CallCenter, Size, Truth

# Short calls: all of them have to come within an hour by their own clock, or acd no longer believes that clock.
SIZE = Size(agents=100, queues=4, queues_each=1, talk=2.0, wrap_up=0.0, idle=0.2, patience=0.2)
MESSAGES = 2_000_000
AHEAD = SIZE.agents  # calls that may be under way to the disk; no more can be going on in life
TOKEN = "a token of the bench"


class Sample(NamedTuple):
    calls: int
    resident: float  # megabytes
    cpu: float  # seconds


class Acd:
    """A running `acd serve`, its API and its database."""

    def __init__(self, pid: int, http: aiohttp.ClientSession, database: Path) -> None:
        self._pid = pid
        self._http = http
        self._database = database

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        async with self._http.request(method, path, json=body) as response:
            answer: dict[str, object] = await response.json()
            assert response.ok, f"{method} {path}: {answer}"
            return answer

    def sample(self) -> Sample:
        status = Path(f"/proc/{self._pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        times = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
        return Sample(self._calls_done(), resident / 1024, cpu)

    def _calls_done(self) -> int:
        """Calls with an outcome in the ledger on disk."""
        with sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=10) as connection:
            row = connection.execute("SELECT count(*) FROM call WHERE outcome IS NOT NULL").fetchone()
            return int(row[0])


def _settings(server: Asterisk, folder: Path) -> Iterator[str]:
    yield f'store.url = "sqlite:///{folder}/bench.db"'
    yield "web.port = 0"
    yield "[handlers.main]"
    yield f"port = {server.port}"
    yield f"wrap_up = {SIZE.wrap_up}"
    yield "measurement_period = 1000000000"
    for group, queues in server.world.groups.items():
        yield f"[handlers.main.groups.{group}]"
        yield f"queues = {queues}"
    for agent in server.world.agents:
        yield "[[handlers.main.agents]]"
        yield f'id = "{agent.number}"'
        yield f'user = "{agent.name}"'
        yield f'pin = "{agent.number}"'


@asynccontextmanager
async def _serving(server: Asterisk, folder: Path) -> AsyncIterator[Acd]:
    config = folder / "acd.toml"
    config.write_text("\n".join(_settings(server, folder)))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ACD_")}
    environment |= {"ACD_AMI_SECRET": "unused", "ACD_API_TOKEN": TOKEN}
    with open(folder / "log", "wb") as log:
        command = [sys.executable, "-m", "acd", "serve", "--config", str(config)]
        process = subprocess.Popen(command, env=environment, stderr=log)
    try:
        address = await _address(folder / "log")
        async with aiohttp.ClientSession(address, headers={"Authorization": f"Bearer {TOKEN}"}) as http:
            yield Acd(process.pid, http, folder / "bench.db")
    finally:
        process.terminate()
        process.wait(30)


async def _address(log: Path) -> str:
    """Where the API is, as the log tells it."""
    for _ in range(200):
        _, found, rest = log.read_text().partition("serving the API on ")
        if found:
            return rest.split()[0]
        await asyncio.sleep(0.1)
    raise AssertionError(f"acd did not start: {log.read_text()}")


async def _log_on(acd: Acd, agent: Agent) -> None:
    here = f"/api/v1/handlers/main/agents/{agent.number}"
    session = await acd.ask("POST", f"{here}/sessions", {"acd_group": agent.group, "address": agent.phone})
    await acd.ask("PUT", f"{here}/state", {"state": "READY"})
    await acd.ask("PUT", f"/api/v1/handlers/main/sessions/{session['id']}/state", {"state": "READY"})


async def _until_ready(acd: Acd) -> None:
    for _ in range(100):
        if (await acd.ask("GET", "/api/v1/handlers/main"))["linked"]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("acd did not link")


async def _flood(acd: Acd, server: Asterisk, each: int) -> tuple[list[Sample], Truth]:
    """All calls, with a sample whenever the server is told how far they came."""
    samples = [acd.sample()]
    server.pipe.send(Flood(each, AHEAD))
    while not server.pipe.poll():
        await asyncio.sleep(0.1)
        samples.append(acd.sample())
        server.pipe.send(samples[-1].calls)
    truth: Truth = server.pipe.recv()
    while samples[-1].calls < truth.calls:
        await asyncio.sleep(0.1)
        samples.append(acd.sample())
    await _check(acd, truth)
    return samples, truth


async def _check(acd: Acd, truth: Truth) -> None:
    """The API's figures are what was sent."""
    agents = {agent["id"]: agent for agent in (await acd.ask("GET", "/api/v1/handlers/main/agents"))["items"]}  # type: ignore[attr-defined]
    for number, sent in truth.agents.items():
        told = agents[number]
        assert told["number_of_acd_calls"] == sent["calls"], f"calls of {number}: {told}, not {sent}"
        assert abs(told["total_acd_talk_time"] - sent["talk"]) <= 1, f"talk time of {number}: {told}, not {sent}"


async def _measure(server: Asterisk) -> tuple[list[Sample], Truth]:
    with tempfile.TemporaryDirectory() as name:
        async with _serving(server, Path(name)) as acd:
            await _until_ready(acd)
            for agent in server.world.agents:
                await _log_on(acd, agent)
            await asyncio.sleep(1)
            return await _flood(acd, server, _calls_each())


def _calls_each() -> int:
    """How many calls of each agent make the messages."""
    sample = CallCenter(SIZE)
    for _ in sample.calls(10):
        pass
    return round(10 * MESSAGES / sample.truth.messages)


def run(report: Report) -> None:
    report.head("Memory: a whole acd serve with 100 agents, web application and store on disk")
    began = time.monotonic()
    with asterisk(SIZE) as server:
        samples, truth = asyncio.run(_measure(server))
    seconds = time.monotonic() - began
    first, last = samples[0], samples[-1]
    report.line("resident with 100 agents logged on", f"{first.resident:.1f} MB")
    for share in (0.05, 0.25, 0.5, 0.75, 1.0):
        sample = next(sample for sample in samples if sample.calls >= share * truth.calls)
        report.line(f"resident after {share * truth.messages:,.0f} messages", f"{sample.resident:.1f} MB")
    report.line(
        "meanwhile",
        f"{truth.messages / seconds:,.0f} messages/s, {1e6 * (last.cpu - first.cpu) / truth.messages:.1f} us of "
        "processor each, with log, orders, ledger and the writing to disk",
    )
    report.at_most("resident with 100 agents, MB", first.resident, 120)
    report.at_most("growth over two million messages, MB", last.resident - first.resident, 10)
