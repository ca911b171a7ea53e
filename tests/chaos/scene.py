"""One fault under load: the desk, the load, what is broken and when, and what came of it."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp

from phones.baresip import password
from tests.chaos import ami, audit, picture, told
from tests.chaos.audit import Findings, Outages
from tests.chaos.listener import Listener, text_of
from tests.chaos.plan import RATE, Plan, throw
from tests.chaos.reads import Reader
from tests.chaos.rig import PHONES, Inside, Rig, Setup
from tests.e2e.containers import ContainerError
from tests.e2e.desk import PIN, Api, Json, Seat, eventually

GROUPS = {  # phone -> queues; a queue that no group names is a group of its own
    **dict.fromkeys(range(1001, 1009), ("support",)),
    **dict.fromkeys(range(1009, 1015), ("sales",)),
    **dict.fromkeys(range(1015, 1001 + PHONES), ("support", "sales")),
}
QUEUES = ("support", "sales")
TRUTH_EXPECTED = 10.0  # seconds from the end of a fault
TAKES_OVER_WITHIN = 5.0  # seconds, another node
TRUTH_WITHIN = 60.0  # seconds after which the truth is given up
LOAD_ENDS_WITHIN = 120.0  # seconds after the last caller has called
CALM_WITHIN = 30.0  # seconds after the last call; nobody is held longer than by wrap-up
NOTICED_WITHIN = 2.0  # seconds, that Asterisk has closed the connection
FIND_ONE_ANOTHER = 15.0  # seconds after which Asterisk and its phones know of one another again
READ_ERRORS = (aiohttp.ClientError, TimeoutError, AssertionError, ValueError, KeyError)


class TooLate(Exception):
    """The load is over, and the fault is not."""


class Scene:
    """What a fault can do, and what it notes for the check afterwards."""

    def __init__(self, rig: Rig, name: str, calls: int, seed: int, folder: Path, *, rate: float = RATE) -> None:
        """`rate`: calls a second. What is needed to understand a finding is kept in `folder`."""
        self.rig = rig
        self.name = name
        self.dice = random.Random(f"{seed} {name}")
        self.calls = calls
        self._rate = rate
        self.folder = folder / name
        self.api = Api(rig.web)
        self.reader = Reader(self.api)
        self.witness = told.Witness()
        self.listener: Listener | None = None  # of nodes
        self.findings = Findings()
        self.outages = Outages()
        self.notes: list[str] = []
        self._seats: list[Seat] = []
        self._load_over = asyncio.Event()
        self._began = 0.0
        self._died: float | None = None  # Asterisk, if that is known to the second

    # For the faults ---------------------------------------------------------------------------------------

    async def until_calls(self, part: float) -> None:
        """Returns when this part of all callers has called."""
        wanted = part * self.calls

        async def look() -> bool:
            if self._load_over.is_set():
                raise TooLate
            return len(self.witness.callers) >= wanted

        await eventually(look, 300, f"{wanted:.0f} calls")

    async def a_while(self, least: float, most: float) -> None:
        await asyncio.sleep(self.dice.uniform(least, most))

    @contextlib.asynccontextmanager
    async def acd_gone(self) -> AsyncIterator[None]:
        """acd is ended within the block, and runs again at its end."""
        began = time.time()
        yield
        started = time.time()
        await eventually(self._answers, 30, "acd answers")
        self.reader.gone.append((began, time.time()))
        await self.truth(started)
        self.outages.away.append((began, time.time()))

    async def _answers(self) -> bool:
        try:
            return (await self.api.ask("GET", "//healthz", token="")).status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    @contextlib.asynccontextmanager
    async def asterisk_gone(self) -> AsyncIterator[None]:
        """Asterisk is ended within the block, and on its way up at its end."""
        began = time.time()
        yield
        up = await self.rig.booted()
        self.outages.hurt.append((began - 1, up + FIND_ONE_ANOTHER))
        self.outages.ends.append((began, self._died or up))
        await self.truth(up)
        self.outages.away.append((began, time.time()))

    async def away_for(self, seconds: float) -> None:
        """Asterisk has just ended, and stays so for a while."""
        self._died = time.time()
        await asyncio.sleep(seconds)
        self.dark(self._died, NOTICED_WITHIN)

    @contextlib.asynccontextmanager
    async def asterisk_slow(self) -> AsyncIterator[None]:
        """Asterisk stands still within the block, so the phones lived through it otherwise."""
        began = time.time()
        yield
        over = time.time()
        self.outages.hurt.append((began - 1, over + 1))
        await self.truth(over)
        self.outages.away.append((began, time.time()))

    def object(self, fault: str) -> None:
        """Something is wrong that no other check would find."""
        self.findings.other.append(fault)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def dark(self, began: float, noticed_within: float) -> None:
        """From `began` up to now nothing was heard of Asterisk."""
        self.reader.dark.append((began + noticed_within, time.time()))

    @contextlib.asynccontextmanager
    async def no_link(self, how: str, noticed_within: float) -> AsyncIterator[None]:
        """Nothing passes within the block. `how`: the order to the proxy."""
        began = await self.link(how)
        yield
        self.dark(began, noticed_within)
        await self.truth(await self.link("open"))
        self.outages.away.append((began, time.time()))

    async def truth(self, fault_over: float, api: Api | None = None) -> None:
        """Notes how long it takes until acd's picture is Asterisk's. `api`: of another node than the one that leads."""
        api = api or self.api
        different: list[str] = ["nothing was seen"]
        while time.time() < fault_over + TRUTH_WITHIN:
            try:
                async with asyncio.timeout(5):
                    before = await picture.shown(api)
                    theirs = await self.rig.ask_asterisk("QueueStatus")
                    different = picture.differences(before, theirs, await picture.shown(api))
            except (*READ_ERRORS, ami.Trouble) as error:
                different = [repr(error)]
            if not different:
                self._note_truth(time.time() - fault_over)
                return
            await asyncio.sleep(0.05)
        self._note_truth(float("inf"))
        self.object(f"the picture did not become Asterisk's: {different}")

    def _note_truth(self, seconds: float) -> None:
        self.findings.to_truth.append(seconds)
        if seconds > TRUTH_EXPECTED:
            self.object(f"{seconds:.1f} s from the end of the fault to the truth")

    # Nodes ------------------------------------------------------------------------------------------------

    async def leader(self) -> str:
        """The node that leads."""

        async def look() -> str | None:
            for node in self.rig.nodes:
                if await self._leads(node):
                    return node
            return None

        return str(await eventually(look, 20, "a node leads"))

    async def _leads(self, node: str) -> bool:
        """It leads, and is linked."""
        try:
            async with asyncio.timeout(2):
                figures = await text_of(self.rig.ports_of[node], "/metrics")
        except (aiohttp.ClientError, TimeoutError):
            return False
        return all(f'{name}{{handler="main"}} 1.0' in figures for name in ("acd_leads", "acd_linked"))

    @contextlib.asynccontextmanager
    async def leader_gone(self) -> AsyncIterator[str]:
        """The node that leads is taken away within the block; at its end the other one has to lead soon."""
        gone = await self.leader()
        (other,) = set(self.rig.nodes) - {gone}
        self.api.move(self.rig.ports_of[other])
        began = time.time()
        yield gone
        over = time.time()
        await eventually(lambda: self._leads(other), 30, "the other node leads")
        if (seconds := time.time() - over) > TAKES_OVER_WITHIN:
            self.object(f"{seconds:.1f} s until another node has taken over")
        self.note(f"taken over after {seconds:.1f} s")
        await self.truth(over)
        self.outages.away.append((began, time.time()))

    async def follows(self, node: str) -> None:
        """It is back, and shows what is true, without leading."""
        began, api = time.time(), Api(self.rig.ports_of[node])
        try:
            await eventually(api.ready, 30, f"{node} is back")
            await self.truth(began, api)
        finally:
            await api.close()
        if await self.leader() == node:
            self.object("the node that came back leads at once")

    # The whole of it --------------------------------------------------------------------------------------

    async def play(self, setup: Setup, fault: Any) -> Findings:
        """The desk opens, the load runs, the fault happens, all comes to rest, and is checked."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            await self._clear_asterisk()
            await self.rig.new_acd(setup)
            await self._with_link(setup, fault)
        finally:
            await self._keep()
            await self._close()
        return self.findings

    async def _with_link(self, setup: Setup, fault: Any) -> None:
        async with contextlib.AsyncExitStack() as stack:
            if setup.proxied:
                words = ("python3", "-m", "tests.chaos.proxy")
                self._proxy = await stack.enter_async_context(self.rig.program("rig", *words))
                assert await self._proxy.line() == "listening"
            await eventually(self.api.ready, 30, "acd is ready")
            load = await stack.enter_async_context(self.rig.program("rig", "python3", "-m", "tests.chaos.load"))
            await self._begin(load)
            await stack.enter_async_context(self.reader.reading())
            if setup.nodes:
                self.listener = Listener([self.rig.ports_of[node] for node in self.rig.nodes])
                await stack.enter_async_context(self.listener.listening())
            listening = asyncio.create_task(self._listen(load))
            stack.callback(listening.cancel)
            try:
                await fault(self)
            except TooLate:
                self.object("the load ended before all of the fault had come")
            async with asyncio.timeout(self.calls + LOAD_ENDS_WITHIN):
                await self._load_over.wait()
            await self._until_calm()
            await self._check()

    async def link(self, order: str) -> float:
        """Tells the proxy; returns when it was done."""
        self._proxy.say(order)
        assert await self._proxy.line() == order
        return time.time()

    async def _begin(self, load: Inside) -> None:
        plan = Plan(
            {str(phone): password(self.rig.sip_secret, phone) for phone in GROUPS},
            throw(self.dice, self.calls, self._rate),
        )
        load.say(json.dumps({"phones": plan.phones, "callers": [asdict(one) for one in plan.callers]}))
        registered = json.loads(await asyncio.wait_for(load.line(), 40))
        assert registered["event"] == "registered", registered
        await asyncio.gather(*(self._sit_down(phone) for phone in GROUPS))
        await eventually(self._all_in_service, 20, "all members are in service")
        self._began = time.time()
        load.say("begin")

    async def _sit_down(self, phone: int) -> None:
        seat = Seat(self.api, str(phone), f"Agent {phone}", f"PJSIP/{phone}")
        self._seats.append(seat)
        await self.api.post("/agents", {"id": seat.id, "pin": PIN, "user": seat.user})
        for group in GROUPS[phone]:
            await seat.log_on(group)
        await seat.set_agent("READY")
        for group in seat.sessions:
            await seat.set("READY", group=group)

    async def _all_in_service(self) -> bool:
        members = [one for one in await self.rig.ask_asterisk("QueueStatus") if one["Event"] == "QueueMember"]
        wanted = sum(len(queues) for queues in GROUPS.values())
        return len(members) == wanted and all(one["Status"] == "1" and one["Paused"] == "0" for one in members)

    async def _listen(self, load: Inside) -> None:
        with (self.folder / "phones.jsonl").open("w") as kept:
            while line := await load.line():
                kept.write(line + "\n")
                event = json.loads(line)
                if "kind" in event:
                    self.witness.hear(event)
                elif event["event"] == "over":
                    self._load_over.set()

    async def _until_calm(self) -> None:
        """No channel, nobody busy. If that never comes, the check says who is stuck."""
        end = time.time() + CALM_WITHIN
        while time.time() < end and not await self._is_calm():
            await asyncio.sleep(0.25)

    async def _is_calm(self) -> bool:
        try:
            return not await self.rig.ask_asterisk("CoreShowChannels") and not await self._stuck()
        except (*READ_ERRORS, ami.Trouble):
            return False

    async def _sessions(self) -> list[Json]:
        return [
            session for seat in self._seats for session in (await self.api.get(f"/agents/{seat.id}/sessions"))["items"]
        ]

    async def _stuck(self) -> list[str]:
        waiting = (await picture.shown(self.api)).waiting
        return picture.stuck(await self._sessions(), await self.rig.ask_asterisk("QueueStatus"), waiting)

    # The check --------------------------------------------------------------------------------------------

    async def _check(self) -> None:
        calls = await self._told()
        rows = await self._rows()
        users = {seat.id: seat.user for seat in self._seats}
        found = audit.compare_ledger(calls, rows, users, self.outages, self.witness)
        found.to_truth = self.findings.to_truth
        phones = {seat.user: seat.id for seat in self._seats}
        found.stuck = await self._stuck()
        queues = [await self.api.get(f"/queues/{name}") for name in QUEUES]
        agents = [await self.api.get(f"/agents/{seat.id}") for seat in self._seats]
        found.other = [
            *self.findings.other,
            *audit.compare_phones(calls, self.witness, phones, self.outages.hurt),
            *audit.compare_figures(queues, agents, await self._sessions(), rows),
            *audit.gaps([seq for (seq,) in await self.rig.query("select seq from event order by seq")]),
            *await self._heard(),
            *self.reader.faults(),
            *await self._own_audit(),
        ]
        self.findings = found

    async def _heard(self) -> list[str]:
        """What a client of the stream missed, who goes from node to node."""
        if self.listener is None:
            return []
        ((last,),) = await self.rig.query("select max(seq) as last from envelope")
        return self.listener.faults(last)

    async def _told(self) -> list[told.Told]:
        lines = await self.rig.whole_queue_log()
        calls = told.read(line for line in lines if line.at >= int(self._began))
        log = "\n".join(
            "|".join((str(line.at), line.call, line.queue, line.agent, line.event, *line.data)) for line in lines
        )
        (self.folder / "queue_log").write_text(log)
        return calls

    async def _rows(self) -> list[Json]:
        rows: list[Json] = []
        cursor = ""
        while True:
            page = await self.api.get(f"/calls?limit=1000{cursor}")
            rows += page["items"]
            if page["next"] is None:
                return rows
            cursor = f"&cursor={page['next']}"

    async def _own_audit(self) -> list[str]:
        """What acd's own check of its ledger finds and cannot explain."""
        words = f"acd audit --json --from {int(self._began)} 2>&1; true"
        node = await self.leader() if self.rig.setup.nodes else "acd"
        answer = await self.rig.inside(node, "sh", "-c", words)
        (self.folder / "audit").write_text(answer)
        if not answer.startswith("{"):
            return [f"acd audit: {answer.strip()}"]
        report = json.loads(answer)
        unexplained = [each for each in report["differences"] if each["explained"] is None]
        return [
            f"acd audit: {each['call']} {each['figure']}: {each['acd']} {each['queue_log']}" for each in unexplained
        ]

    # From one fault to the next ---------------------------------------------------------------------------

    async def _clear_asterisk(self) -> None:
        """No calls, no members, whatever was before."""
        await self.rig.cli("channel request hangup all")
        await eventually(self._no_channels, 20, "Asterisk is idle")
        for one in await self.rig.ask_asterisk("QueueStatus"):
            if one["Event"] == "QueueMember":
                await self.rig.cli(f"queue remove member {one['Location']} from {one['Queue']}")

    async def _no_channels(self) -> bool:
        return not await self.rig.ask_asterisk("CoreShowChannels")

    async def _keep(self) -> None:
        """What one needs to understand a finding."""
        try:
            log = await self.rig.log("acd")
        except ContainerError as error:
            log = str(error)
        (self.folder / "acd.log").write_text(log)
        with contextlib.suppress(ContainerError):
            (self.folder / "acd-2.log").write_text(await self.rig.log("acd-2") if self.rig.setup.nodes else "")
        found = self.findings
        spans = {"gone": self.reader.gone, "dark": self.reader.dark, "mute": self.reader.mute, **asdict(self.outages)}
        head = [
            f"{found.calls} calls, to truth {found.to_truth}",
            *self.notes,
            *(f"{k}: {v}" for k, v in spans.items()),
        ]
        (self.folder / "findings").write_text("\n".join([*head, *found.sentences(), ""]))
        (self.folder / "reads").write_text("\n".join(str(read) for read in self.reader.reads))

    async def _close(self) -> None:
        await self.api.close()
        await self.rig.no_acd()
