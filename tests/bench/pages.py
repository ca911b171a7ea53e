"""The wallboard in Chromium, before 500 agents and 50 queues of the demo: what it costs on a screen all day.

Nobody looks into the browser meanwhile, because that costs as much as the page: it is started with the page's address,
and the kernel tells what its processes have used.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from tests.bench.measure import Report, summary
from tests.pages.conftest import CHROMIUM, SWITCHES

AGENTS, QUEUES = 500, 50
CALLS = 45  # a minute, which makes some 20 messages a second
SETTLES, SECONDS, ROUNDS = 10.0, 15.0, 3
VIEWS = {"wallboard": "/", "TV mode": "/?tv=1"}
TICKS = os.sysconf("SC_CLK_TCK")
SCREEN = ("--headless=new", "--window-size=1920,1080", "--no-first-run", "--remote-debugging-port=0")


@asynccontextmanager
async def started(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program, ended at the end."""
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, stderr=nothing)
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """`acd demo` in a process of its own; gives the wallboard's address, which signs in."""
    sizes = ("--agents", str(AGENTS), "--queues", str(QUEUES), "--calls-per-minute", str(CALLS))
    async with started(sys.executable, "-m", "acd", "demo", "--no-browser", "--port", "0", *sizes) as process:
        assert process.stdout is not None
        async with asyncio.timeout(120):
            while not (found := re.search(r"wallboard\s+(\S+)", (await process.stdout.readline()).decode())):
                pass
        yield found[1]


class Office:
    """The demo, asked over its API."""

    def __init__(self, origin: str, token: str) -> None:
        self._origin, self._token = origin, token

    def _get(self, path: str) -> bytes:
        request = Request(self._origin + path, headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310  # our own
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            return bytes(answer.read())

    def seq(self) -> int:
        """The number of the last message of the stream."""
        return int(json.loads(self._get("/api/v1/picture"))["seq"])

    def listeners(self) -> int:
        """Pages that hold the stream."""
        found = re.search(r"^acd_stream_subscribers (\d+)", self._get("/metrics").decode(), re.M)
        return int(found[1]) if found else 0


def processor_time(root: int) -> float:
    """Seconds that a process and all that descend from it have used."""
    children: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        used[int(stat.parent.name)] = int(fields[11]) + int(fields[12])
    family = [root]
    for each in family:
        family += children.get(each, [])
    return sum(used.get(each, 0) for each in family) / TICKS


async def _share(office: Office, address: str) -> tuple[float, float]:
    """(% of a core, messages a second) of a browser with this page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = (CHROMIUM, *SWITCHES, *SCREEN, f"--user-data-dir={profile}", address)
        async with started(*words) as browser:
            await asyncio.sleep(SETTLES)
            assert office.listeners() == 1, "the page is there and listens"
            used, began, seq = processor_time(browser.pid), time.monotonic(), office.seq()
            await asyncio.sleep(SECONDS)
            lasted = time.monotonic() - began
            return (processor_time(browser.pid) - used) / lasted * 100, (office.seq() - seq) / lasted


async def _measure(report: Report) -> None:
    shares: dict[str, list[float]] = {view: [] for view in VIEWS}
    rates: list[float] = []
    async with demo() as address:
        origin, _, sign_in = address.partition("/#")
        office = Office(origin, sign_in.partition("=")[2])
        for _ in range(ROUNDS):
            for view, path in VIEWS.items():
                share, rate = await _share(office, f"{origin}{path}#{sign_in}")
                shares[view].append(share)
                rates.append(rate)
    report.head(f"The wallboard in Chromium: {AGENTS} agents, {QUEUES} queues, 1920 x 1080, no graphics card")
    report.line("messages a second", summary(rates, ".1f"))
    for view, values in shares.items():
        report.line(f"{view}, % of a core, all of Chromium", summary(values, ".1f"))
    report.at_most("wallboard, % of a core", sorted(shares["wallboard"])[ROUNDS // 2], 15)


def run(report: Report) -> None:
    asyncio.run(_measure(report))
