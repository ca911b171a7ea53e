"""python -m tests.load: acd beside Asterisk at growing rates of calls, then beside others on the same Asterisk."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from os import cpu_count, getloadavg
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.containers import OneRunAtATime
from tests.e2e.desk import TOKEN, Api
from tests.load import beside, report, site
from tests.load.beside import Running
from tests.load.report import Spent, Stage, spent
from tests.load.rig import FOLDER, GIVES_UP, PHONES, STAYS, Rig, Usage, ready, seat

RATES = (20.0, 50.0, 100.0)  # calls a second
BESIDE = 50.0  # calls a second at which others listen, too
SECONDS = 60.0
PATIENT = 0.9  # of the callers; the others give up
SETTLES = 5.0  # seconds after the last call, in which its agent wraps up and acd makes up its mind
CALM_WITHIN = 60.0  # seconds after that
LAG, MESSAGES, SESSIONS = "acd_event_lag_seconds_bucket", "acd_link_messages_total", "acd_sessions"
WANTED = (LAG, MESSAGES, SESSIONS)
Figures = dict[tuple[str, str], float]  # (name, le or state) -> value


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that grows, at one moment."""

    at: float
    machine: beside.Machine
    asterisk: Usage
    acd: Usage
    others: list[Usage]
    sipp: dict[str, int]  # of the phones, which answer through all stages
    figures: Figures


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load", description="acd beside the real Asterisk under load."
    )
    parser.add_argument("--rates", type=float, nargs="*", default=RATES, help="calls a second, one stage each")
    parser.add_argument("--beside", type=float, default=BESIDE, help="calls a second while others listen; 0: without")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a stage (%(default)g)")
    arguments = parser.parse_args()
    if arguments.beside:
        FOLDER.mkdir(parents=True, exist_ok=True)
        beside.install()
    with OneRunAtATime(Rig.project):
        rig = Rig()
        rig.down()
        try:
            rig.up()
            stages, compared = asyncio.run(_run(rig, arguments.rates, arguments.beside, arguments.seconds))
        finally:
            rig.down()
    return _tell(stages, compared, rig)


def _tell(stages: list[Stage], compared: Stage | None, rig: Rig) -> int:
    print(f"\n{report.table(stages if compared is None else [*stages, compared])}\n")
    if compared is not None:
        gives = {one.name: f"{one.gives} ({one.listens})" for one in beside.others(rig.ami_secret)}
        print(f"{report.comparison(compared, gives)}\n")
    goals = report.goals(stages)
    print("\n".join(goals))
    return int(any(line.startswith("MISSED") for line in goals))


async def _run(rig: Rig, rates: Sequence[float], others: float, seconds: float) -> tuple[list[Stage], Stage | None]:
    api = Api(rig.web)
    try:
        await ready(api)
        await seat(api, site.phones())
        await rig.answer()
        _say(f"{cpu_count()} cores, {site.AGENTS} agents ready in {site.QUEUES} queues")
        async with _follower(rig) as follower:
            load = Load(rig, follower)
            stages = [await load.stage(rate, seconds, []) for rate in rates]
            if not others:
                return stages, None
            with beside.running(rig.ami_secret, rig.address("asterisk")) as programs:
                compared = await load.stage(others, seconds, programs)
        told = [Spent(s.name, s.cpu, s.resident, _words(p)) for s, p in zip(compared.others, programs, strict=True)]
        compared.others[:] = told
        return stages, compared
    finally:
        await api.close()


def _words(program: Running) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in program.told.items())


def _say(text: str) -> None:
    load = ", ".join(f"{one:.1f}" for one in getloadavg())
    print(f"{time.strftime('%H:%M:%S')} {text}; the machine's load: {load}", flush=True)


@asynccontextmanager
async def _follower(rig: Rig) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.load.follower", f"http://{rig.address('acd')}:8080", TOKEN),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


class Load:
    """Stages, one after another, on the same Asterisk and the same acd."""

    def __init__(self, rig: Rig, follower: asyncio.subprocess.Process) -> None:
        self._rig, self._follower = rig, follower

    async def stage(self, rate: float, seconds: float, programs: list[Running]) -> Stage:
        """Calls at this rate for so long; returns when all are over and all agents free."""
        await self._heard()
        before = await self._look(programs)
        await asyncio.gather(
            self._rig.call(STAYS, rate * PATIENT, seconds), self._rig.call(GIVES_UP, rate * (1 - PATIENT), seconds)
        )
        await asyncio.sleep(SETTLES)
        after, heard = await self._look(programs), await self._heard()
        await self._until_calm()
        _say(f"{rate:g} calls a second: {after.at - before.at:.0f} s")
        return await self._stage(rate, before, after, heard, programs)

    async def _stage(
        self, rate: float, before: Look, after: Look, heard: dict[str, float], programs: list[Running]
    ) -> Stage:
        log = [line for line in await self._rig.queue_log() if line.at >= int(before.at)]
        entered = [line.at for line in log if line.event == "ENTERQUEUE"]
        callers = [await self._rig.told(scenario) for scenario in (STAYS, GIVES_UP)]
        sipp = {
            name: after.sipp[name] - before.sipp[name] + sum(_calls(one)[name] for one in callers)
            for name in after.sipp
        }
        grown = {key: value - before.figures.get(key, 0.0) for key, value in after.figures.items()}
        return Stage(
            rate=rate,
            start=before.at,
            end=after.at,
            asterisk=spent("Asterisk", before.asterisk, after.asterisk),
            acd=spent("acd", before.acd, after.acd),
            others=[
                spent(one.other.name, first, last)
                for one, first, last in zip(programs, before.others, after.others, strict=True)
            ],
            machine=(before.machine, after.machine),
            sipp=sipp,
            lags={float(le): value for (name, le), value in grown.items() if name == LAG},
            messages=grown[MESSAGES, ""],
            heard=heard,
            calls=len(entered),
            answered=sum(line.event == "CONNECT" for line in log),
            seconds=max(entered) - min(entered) + 1,
            audit=await self._audit(f"{rate:g}" + "-beside" * bool(programs), before.at),
        )

    async def _audit(self, name: str, start: float) -> dict[str, Any]:
        """What it found is kept, to be read."""
        found = await self._rig.audit(start, time.time())
        (FOLDER / f"audit-{name}.json").write_text(json.dumps(found, indent=2))
        return found

    async def _look(self, programs: list[Running]) -> Look:
        figures = await self._figures()
        phones = _calls(await self._rig.told(PHONES))
        asterisk, acd = await asyncio.gather(self._rig.usage("asterisk"), self._rig.usage("acd"))
        others = [one.usage() for one in programs]
        return Look(time.time(), beside.machine(), asterisk, acd, others, phones, figures)

    async def _figures(self) -> Figures:
        return {
            (sample.name, sample.labels.get("le") or sample.labels.get("state") or ""): sample.value
            for family in text_string_to_metric_families(await self._rig.metrics())
            for sample in family.samples
            if sample.name in WANTED
        }

    async def _heard(self) -> dict[str, float]:
        """What the follower measured since it was asked last."""
        assert self._follower.stdin is not None and self._follower.stdout is not None
        self._follower.stdin.write(b"\n")
        return dict(json.loads(await self._follower.stdout.readline()))

    async def _until_calm(self) -> None:
        """The next stage begins with all agents; where some are not free by then, it is told how they are."""
        end = time.monotonic() + CALM_WITHIN
        while (figures := await self._figures())[SESSIONS, "READY"] < site.AGENTS:
            if time.monotonic() > end:
                states = ", ".join(f"{figures[key]:.0f} {key[1]}" for key in figures if key[0] == SESSIONS)
                channels = (await self._rig.cli("core show channels count")).replace("\n", ", ")
                _say(f"NOT FREE {CALM_WITHIN:g} s after the last call: {states}; Asterisk: {channels}")
                return
            await asyncio.sleep(1)


def _calls(told: dict[str, str]) -> dict[str, int]:
    return {"failed": int(told["FailedCall(C)"]), "repeated": int(told["Retransmissions(C)"])}


if __name__ == "__main__":
    sys.exit(main())
