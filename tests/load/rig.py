"""The containers of the load: Asterisk and acd as they are shipped, and SIPp beside Asterisk."""

import asyncio
import csv
import json
import os
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.e2e.containers import HOST, PROJECT, REPOSITORY, Containers, free_ports, run
from tests.e2e.desk import TOKEN, Api, eventually
from tests.load import site

FOLDER = REPOSITORY / "build" / "load"
STAYS, GIVES_UP, PHONES = "stays", "gives_up", "phones"  # the scenarios, and SIPp's ports
PORTS = {STAYS: 5080, GIVES_UP: 5081, PHONES: site.PHONES_PORT}
MEDIA = {STAYS: 7000, GIVES_UP: 7100, PHONES: 7200}
HOME = "/home/phones"  # where SIPp may write
AT_ONCE = 8  # seconds of calls that SIPp lets be under way; who cannot keep up gets no more than that
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used so far: processor seconds, kernel included, and bytes of memory now and at most."""

    cpu: float
    resident: int
    peak: int


def usage_of(stat: str, status: str) -> Usage:
    """From the texts of /proc/PID/stat and /proc/PID/status."""
    fields = stat.rpartition(")")[2].split()
    sizes = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)

    def size(name: str) -> int:
        return int(sizes[name].split()[0]) * 1024

    return Usage((int(fields[11]) + int(fields[12])) / TICK, size("VmRSS"), size("VmHWM"))


class Rig(Containers):
    """The compose project of the load."""

    project = f"{PROJECT}-load"
    files = ("docker-compose.yml", "tests/load/compose.yml")
    services = ("asterisk", "acd", "load")
    site = FOLDER / "site"
    phones = 1

    def __init__(self) -> None:
        super().__init__()
        self.web = free_ports(1)

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "ACD_PORT": str(self.web),
            "ACD_API_TOKEN": TOKEN,
            "ACD_TRUNK_MATCH": "127.0.0.1",
            "ACD_RTP_RANGE": "20000-29999",
            "LOAD_SITE": str(self.site),
        }

    def up(self) -> None:
        site.write(self.site)
        super().up()

    async def exec(self, service: str, *words: str, patience: float = 60) -> str:
        return await asyncio.to_thread(run, ("docker", "exec", self.container(service), *words), patience)

    def address(self, service: str) -> str:
        """Inside of the network: nothing that forwards stands in between."""
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return run(("docker", "inspect", "--format", form, self.container(service)), 20).strip()

    async def usage(self, service: str) -> Usage:
        stat, status = await asyncio.gather(
            *(self.exec(service, "cat", f"/proc/1/{name}") for name in ("stat", "status"))
        )
        return usage_of(stat, status)

    async def metrics(self) -> str:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.request("GET", f"http://{HOST}:{self.web}/metrics", headers=headers) as response:
            return await response.text()

    async def audit(self, start: float, end: float) -> dict[str, Any]:
        """`acd audit` of this time, in acd's container."""
        words = ("acd", "audit", "--json", "--from", f"{start:.3f}", "--to", f"{end:.3f}")
        return dict(json.loads(await self.exec("acd", "sh", "-c", f"{' '.join(words)}; test $? -lt 2")))

    # SIPp -------------------------------------------------------------------------------------------------------

    async def answer(self) -> None:
        """From now on all phones are answered."""
        await asyncio.to_thread(run, ("docker", "exec", "--detach", *self._sipp(PHONES)), 20)

    async def call(self, scenario: str, rate: float, seconds: float) -> None:
        """Callers of this kind; returns when the last is gone."""
        numbers = ("-inf", f"/site/{site.NUMBERS}")
        much = ("-r", f"{rate:g}", "-m", str(round(rate * seconds)), "-l", str(round(rate * AT_ONCE)))
        words = ("docker", "exec", *self._sipp(scenario), *numbers, *much)
        process = await asyncio.create_subprocess_exec(*words, stdout=DEVNULL, stderr=DEVNULL)
        await process.wait()  # its status says whether a call failed, and so does `told`

    def _sipp(self, scenario: str) -> tuple[str, ...]:
        return (
            *(self.container("load"), "sipp", "127.0.0.1:5060", "-sf", f"/scenarios/{scenario}.xml"),
            *("-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", str(PORTS[scenario]), "-mp", str(MEDIA[scenario])),
            *("-cid_str", "%u-%p", "-nostdin", "-trace_stat", "-stf", f"{HOME}/{scenario}.csv", "-fd", "1"),
        )

    async def told(self, scenario: str) -> dict[str, str]:
        """The last line of SIPp's statistics."""
        text = await self.exec("load", "cat", f"{HOME}/{scenario}.csv")
        return list(csv.DictReader(text.splitlines(), delimiter=";"))[-1]


async def seat(api: Api, phones: Sequence[int], at_once: int = 8) -> None:
    """An agent at each phone, logged on and ready."""
    todo = list(phones)

    async def work() -> None:
        while todo:
            await _sit_down(api, todo.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())


async def _sit_down(api: Api, phone: int) -> None:
    agent = f"agent-{phone}"  # without a PIN, of which each would cost a hash
    await api.post("/agents", {"user": agent})
    place = {"acd_group": site.group_of(phone), "address": f"PJSIP/{phone}"}
    session = await api.post(f"/agents/{agent}/sessions", place)
    await api.put(f"/agents/{agent}/state", {"state": "READY"})
    await api.put(f"/sessions/{session['id']}/state", {"state": "READY"})


async def ready(api: Api) -> None:
    await eventually(api.ready, 60, "acd is ready")
