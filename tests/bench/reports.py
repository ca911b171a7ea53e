"""Reports of a large site: time, memory, and what the calls feel of it meanwhile.

A database of many days with 10,000 calls each is made at once. Then a whole acd (service, store, API) works on it in
this process: it writes rows, and its event loop is watched, without a report and during each. The clients are processes
of their own, which read as fast as they can. ACD_BENCH_DAYS: how many days, 30 by default.
"""

import asyncio
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acd.clock import moment
from acd.store import Store
from acd.store.tables import CallRow
from tests.bench.measure import Report, percentile
from tests.web.house import TOKEN, H, House, open_house

DAYS = int(os.environ.get("ACD_BENCH_DAYS", "30"))
CALLS_A_DAY = 10_000
QUEUES = 10
AGENTS = 200
START = 1_700_000_000.0
TICK = 0.002  # seconds between two looks at the event loop
WRITES = 50  # rows a second
QUIET = 10.0  # seconds of the same without a report
CLIENT = """
import sys, time, urllib.request
began, size, first = time.monotonic(), 0, 0.0
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
with urllib.request.urlopen(request, timeout=3600) as answer:
    while piece := answer.read1(1 << 20):
        first = first or time.monotonic() - began
        size += len(piece)
print(time.monotonic() - began, first, size)
"""
END = int(START + DAYS * 86400)
PERIOD = f"from={moment(START)}&to={moment(END)}&tz=Europe/Berlin"
REPORTS = {
    "queues": f"reports/queues?{PERIOD}",
    "agents": f"reports/agents?{PERIOD}",
    "intervals of 15 minutes, JSON": f"reports/intervals?{PERIOD}&interval=15m",
    "intervals of 15 minutes, CSV": f"reports/intervals?{PERIOD}&interval=15m&format=csv",
    "agents' intervals of a day, CSV": f"reports/agent-intervals?{PERIOD}&interval=1d&format=csv",
    "reasons": f"reports/reasons?{PERIOD}",
    "dispositions": f"reports/dispositions?{PERIOD}",
    "the ledger, CSV": f"reports/calls?{PERIOD}&format=csv",
    "one agent's time line": f"agents/1001/timeline?{PERIOD}&format=csv",
    "queues, of the last day alone": f"reports/queues?from={moment(END - 86400)}&to={moment(END)}",
}


def call_rows(
    dice: random.Random, days: int = DAYS, calls: int = CALLS_A_DAY, agents: int = AGENTS
) -> Iterator[tuple[Any, ...]]:
    """Visits around the clock, so many a day; one in twelve is abandoned."""
    for number in range(days * calls):
        entered = START + number * 86400 / calls
        wait, talk, wrap_up = dice.random() * 60, dice.random() * 300, dice.random() * 30
        gone = not number % 12
        answered = None if gone else entered + wait
        yield (
            "main",
            f"{entered:.3f}.{number}/queue/1",
            f"{entered:.3f}.{number}",
            f"queue{number % QUEUES}",
            f"+4930{number:07}",
            None if gone else f"{1001 + number % agents}",
            None if gone else "session",
            entered,
            answered,
            entered + wait if gone else entered + wait + talk,
            None if gone else 4.0,
            wait,
            None if gone else talk,
            0.0,
            None if gone else wrap_up,
            "abandoned" if gone else "answered",
            None if number % 3 else "sold",
            False,
        )


def time_rows(
    dice: random.Random, days: int = DAYS, calls: int = CALLS_A_DAY, agents: int = AGENTS
) -> Iterator[tuple[Any, ...]]:
    """Three moves a call, and now and then a break instead of the last."""
    for number in range(days * calls):
        at = START + number * 86400 / calls
        agent = f"{1001 + number % agents}"
        yield ("main", agent, at, "BUSY_ACD", "", False)
        yield ("main", agent, at + 300 + dice.random(), "BUSY_ACD", "", True)
        if number % 20:
            yield ("main", agent, at + 320 + dice.random(), "READY", "", False)
        else:
            yield ("main", agent, at + 320 + dice.random(), "NOT_READY", "lunch", False)


def fill(path: Path) -> None:
    store = Store(f"sqlite:///{path}")
    store.open()
    store.close()
    insert(path, call_rows(random.Random(1)), time_rows(random.Random(2)))


def insert(path: Path, calls: Iterable[tuple[Any, ...]], times: Iterable[tuple[Any, ...]]) -> None:
    """Into the tables of a database that nobody else has open."""
    names = ", ".join(column.name for column in CallRow.__table__.columns)  # type: ignore[attr-defined]
    marks = ", ".join("?" * len(CallRow.model_fields))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    with connection:
        connection.executemany(f"INSERT INTO call ({names}) VALUES ({marks})", calls)  # noqa: S608
        connection.executemany("INSERT INTO agent_time VALUES (?, ?, ?, ?, ?, ?)", times)
    connection.close()


@dataclass(slots=True)
class Watch:
    """What the calls feel: how late the event loop is, how long a row takes to the disk, how large the process is."""

    late: list[float] = field(default_factory=list)  # seconds
    to_disk: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)  # megabytes

    def __str__(self) -> str:
        late, to_disk = (
            " / ".join(f"{1000 * percentile(values, share):.1f}" for share in (0.5, 0.99, 1.0))
            for values in (self.late, self.to_disk)
        )
        return f"loop late {late} ms, row on disk after {to_disk} ms"


def resident() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


@asynccontextmanager
async def watched(house: House) -> AsyncIterator[Watch]:
    watch = Watch()
    tasks = [asyncio.create_task(part(watch)) for part in (_tick, lambda watch: _write(house, watch))]
    try:
        yield watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tick(watch: Watch) -> None:
    for number in range(10**9):
        due = time.monotonic() + TICK
        await asyncio.sleep(TICK)
        watch.late.append(time.monotonic() - due)
        if not number % 50:
            watch.resident.append(resident())


async def _write(house: House, watch: Watch) -> None:
    values = dict(
        zip([column.name for column in CallRow.__table__.columns], next(call_rows(random.Random(3))), strict=True)
    )  # type: ignore[attr-defined]
    for number in range(10**9):
        began = time.monotonic()
        house.store.keep(CallRow(**values | {"key": f"new{number}", "entered": START + DAYS * 86400 + number}))
        await house.store.written()
        watch.to_disk.append(time.monotonic() - began)
        await asyncio.sleep(1 / WRITES)


async def ask(house: House, path: str) -> tuple[float, float, int]:
    """Seconds to the end, seconds to the first piece, bytes."""
    url = str(house.client.make_url(f"{H}/{path}"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT, url, TOKEN, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, path
    seconds, first, size = out.split()
    return float(seconds), float(first), int(size)


async def _measure(report: Report, path: Path) -> None:
    async with open_house(path.parent, database=f"sqlite:///{path}") as house:
        await house.agent("1001", "alice")
        async with watched(house) as quiet:
            await asyncio.sleep(QUIET)
        report.line("without a report", str(quiet))
        before = max(quiet.resident)
        growth = 0.0
        for name, wanted in REPORTS.items():
            async with watched(house) as watch:
                seconds, first, size = await ask(house, wanted)
                await asyncio.sleep(0.5)
            growth = max(growth, max(watch.resident) - before)
            report.line(
                name,
                f"{seconds:.1f} s (first piece {first:.1f}), {size / 1e6:.1f} MB, "
                f"resident {max(watch.resident):.0f} MB; {watch}",
            )
            if name == "queues":
                report.at_most(
                    "an event loop's 99th percentile during a report, ms", 1000 * percentile(watch.late, 0.99), 10
                )
        report.at_most("growth over all reports, MB", growth, 30)


def run(report: Report) -> None:
    report.head(f"Reports: {DAYS} days of {CALLS_A_DAY:,} calls, SQLite on disk")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "acd.db"
        began = time.monotonic()
        fill(path)
        report.line("made", f"{path.stat().st_size / 1e9:.2f} GB in {time.monotonic() - began:.0f} s")
        asyncio.run(_measure(report, path))
