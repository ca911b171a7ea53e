"""The desk of one test: a fresh acd, its API, agents at their phones, and callers."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from phones.callers import Caller, CallResult, start_call
from phones.control import Phone, PhoneEvent
from tests.e2e.containers import HOST, Containers, LogLine, free_ports
from tests.helpers import until

Json = dict[str, Any]
Found = TypeVar("Found")

TOKEN = "a-token-for-this-run-only"
WRAP_UP = {"support": 4.0, "sales": 3.0}  # seconds
PIN = "4711"
LOOK_EVERY = 0.03
POLL = 1.5  # a waiting caller tries for an agent once a second
DEVICE = "PJSIP/{}"

SETTINGS = """\
[web]
port = {web}

[store]
url = "sqlite:///{folder}/acd.db"

[log]
level = "info"
"""
OF_HANDLER = """\

[handlers.{name}]
host = "{host}"
secret = "{secret}"
port = {ami}
queue_log = "{logs}/queue_log"
cel = "{logs}/cel-custom/acd.csv"
sip_websocket = "{websocket}"
browser_phones_file = "{secrets}/browser_phones"
addresses = ["PJSIP/*", "Local/*"]
wrap_up = 3
missed_calls = 3
reasons = ["training"]
dispositions = {{question = "A question", sale = "A sale"}}

[handlers.{name}.queues.support]
wrap_up = 4
"""


async def eventually(look: Callable[[], Awaitable[Found]], seconds: float = 5, what: str = "") -> Found:
    """Looks until there is something to see, at most so many seconds; returns it."""
    end = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < end, f"not within {seconds} s: {what or look}"
        await asyncio.sleep(LOOK_EVERY)
    return found


def moment(text: str) -> float:
    """ISO 8601 as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


# acd and its API --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Json


class Api:
    """The web API. `get`, `put` and `post` want success; `ask` takes whatever comes."""

    def __init__(self, port: int, handler: str = "main", client: aiohttp.ClientSession | None = None) -> None:
        self._port, self._handler = port, handler
        self._url = f"http://{HOST}:{port}"
        # A connection of its own for each request: acd may have been started again in between.
        self._client = client or aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True), timeout=aiohttp.ClientTimeout(total=20)
        )

    def at(self, handler: str) -> "Api":
        """The same below another handler."""
        return Api(self._port, handler, self._client)

    async def close(self) -> None:
        await self._client.close()

    def move(self, port: int) -> None:
        """From now on another node is asked."""
        self._url = f"http://{HOST}:{port}"

    async def get(self, path: str) -> Json:
        return await self._wanted("GET", path)

    async def put(self, path: str, body: Json) -> Json:
        return await self._wanted("PUT", path, body)

    async def post(self, path: str, body: Json) -> Json:
        return await self._wanted("POST", path, body)

    async def _wanted(self, method: str, path: str, body: Json | None = None) -> Json:
        answer = await self.ask(method, path, body)
        assert answer.status < HTTPStatus.BAD_REQUEST, f"{method} {path} {body}: {answer}"
        return answer.body

    async def ask(self, method: str, path: str, body: Json | None = None, token: str = TOKEN) -> Answer:
        """`path` below the handler; one that starts with // is below the server."""
        url = self._url + (path[1:] if path.startswith("//") else f"/api/v1/handlers/{self._handler}{path}")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._client.request(method, url, json=body, headers=headers) as response:
            return Answer(response.status, await response.json(content_type=None))

    async def ready(self) -> bool:
        """/readyz with every Asterisk linked, and False where nobody listens."""
        try:
            answer = await self.ask("GET", "//readyz", token="")
            return answer.status == HTTPStatus.OK and all(answer.body["linked"].values())
        except aiohttp.ClientError:
            return False


class Acd:
    """acd as a process on this machine, with an empty store in `folder`."""

    def __init__(self, folder: Path, containers: Containers, **others: Containers) -> None:
        """`others`: more of them, by the names of their handlers."""
        self.api = Api(web := free_ports(1))
        self.url = f"http://{HOST}:{web}"
        self._log = folder / "acd.log"
        self._settings = folder / "acd.toml"
        handlers = {"main": containers, **others}
        parts = [SETTINGS.format(web=web, folder=folder)]
        parts += [_settings_of(name, each) for name, each in handlers.items()]
        self._settings.write_text("".join(parts))
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ACD_")}
        self._environment = kept | {"ACD_API_TOKEN": TOKEN}
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Returns when it is linked to Asterisk."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "acd", "serve", "--config", str(self._settings)],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        await eventually(self._is_ready, 20, "acd is ready")

    async def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"acd ended with {self._process.returncode}"
        return await self.api.ready()

    async def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        assert self._process is not None
        self._process.terminate()
        return await self._gone(10)

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        await self._gone(5)

    def freeze(self) -> None:
        """It is there and does nothing, as behind a line that is dead without saying so, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def _gone(self, seconds: float) -> int:
        assert self._process is not None
        process, self._process = self._process, None
        try:
            return await asyncio.to_thread(process.wait, seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    async def audit(self, *options: str) -> tuple[int, Json]:
        """`acd audit` of this acd, whether it runs or not: the exit status, and what it said."""
        words = (sys.executable, "-m", "acd", "audit", "--config", str(self._settings), "--json", *options)
        ended = await asyncio.to_thread(
            subprocess.run, words, env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.stdout, ended.stderr
        return ended.returncode, json.loads(ended.stdout)

    def backup(self) -> Path:
        """`acd backup`, as docs/operations.md says."""
        copy = self._settings.with_name("copy.db")
        words = (sys.executable, "-m", "acd", "backup", "--config", str(self._settings), str(copy))
        subprocess.run(words, env=self._environment, capture_output=True, timeout=60, check=True)
        return copy

    def restore(self, copy: Path) -> None:
        """The copy in the place of the database, as docs/operations.md says."""
        for beside in ("acd.db-wal", "acd.db-shm"):
            copy.with_name(beside).unlink(missing_ok=True)
        copy.rename(copy.with_name("acd.db"))

    @property
    def runs(self) -> bool:
        return self._process is not None

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")


def _settings_of(handler: str, containers: Containers) -> str:
    return OF_HANDLER.format(
        name=handler,
        host=HOST,
        secret=containers.ami_secret,
        ami=containers.ports.ami,
        logs=containers.folder(containers.log),
        secrets=containers.folder("secrets"),
        websocket=containers.sip_websocket(),
    )


@dataclass(frozen=True, slots=True)
class Move:
    """A session (`session` is its id) or an agent (`session` is "") entered a state, as acd's log tells it."""

    at: float
    agent: str
    session: str
    state: str


MOVED = re.compile(r"^(\S+) INFO acd\.service: [^\[]+ \[(?:session=(\S+) )?agent=(\S+) event=(\w+)", re.MULTILINE)


def moves_in(log: str) -> list[Move]:
    """In order."""
    return [Move(moment(at), agent, session or "", state) for at, session, agent, state in MOVED.findall(log)]


# What a phone heard -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class HeardCall:
    """A call as a softphone lived through it, by its own clock. `peer` is the number at the other end."""

    peer: str
    incoming: bool
    began: float
    answered: float | None = None
    ended: float | None = None

    @property
    def seconds(self) -> float:
        assert self.answered is not None and self.ended is not None, self
        return self.ended - self.answered


def heard_calls(events: list[PhoneEvent]) -> list[HeardCall]:
    """In the order in which they began."""
    calls: dict[str, HeardCall] = {}
    for event in (event for event in events if event.call):
        if event.call not in calls:  # how an outgoing call begins is told by many types
            peer = event.peer.partition("sip:")[2].partition("@")[0]
            calls[event.call] = HeardCall(peer, event.raw.get("direction") == "incoming", event.at)
        call = calls[event.call]
        if event.type == "CALL_ESTABLISHED":
            call.answered = call.answered or event.at
        if event.type == "CALL_CLOSED":
            call.ended = event.at
    return list(calls.values())


def held_back(heard: HeardCall, released: float, seconds: float) -> None:
    """The next caller rang when after-call work of so many seconds was over, and soon."""
    assert seconds - 0.1 <= heard.began - released <= seconds + POLL


# Agents -----------------------------------------------------------------------------------------------------------


class Seat:
    """An agent as acd knows him, logged on for one group or several."""

    def __init__(self, api: Api, id: str, user: str, address: str) -> None:
        self._api = api
        self.id = id
        self.user = user
        self.address = address
        self.sessions: dict[str, str] = {}  # group -> id

    async def agent(self) -> Json:
        return await self._api.get(f"/agents/{self.id}")

    async def session(self, group: str | None = None) -> Json:
        """The session for this group; without a group that of the only one."""
        return await self._api.get(f"/sessions/{self._session_id(group)}")

    def _session_id(self, group: str | None) -> str:
        return self.sessions[group or next(iter(self.sessions))]

    async def log_on(self, group: str) -> Json:
        body = {"acd_group": group, "address": self.address, "pin": PIN}
        session = await self._api.post(f"/agents/{self.id}/sessions", body)
        self.sessions[group] = session["id"]
        return session

    async def set(self, state: str, reason: str = "", group: str | None = None) -> Json:
        """put_State of the session."""
        return await self._api.put(f"/sessions/{self._session_id(group)}/state", {"state": state, "reason": reason})

    async def set_agent(self, state: str, reason: str = "") -> Json:
        """put_State of the agent."""
        return await self._api.put(f"/agents/{self.id}/state", {"state": state, "reason": reason})

    async def wrap_up(self, **change: Any) -> Json:
        """`extend_seconds` or `end`."""
        return await self._api.put(f"/sessions/{self._session_id(None)}/wrap-up", change)

    async def until_session(self, state: str, seconds: float = 5, group: str | None = None) -> Json:
        return await self._until(lambda: self.session(group), state, seconds)

    async def until_agent(self, state: str, seconds: float = 5) -> Json:
        return await self._until(self.agent, state, seconds)

    async def _until(self, get: Callable[[], Awaitable[Json]], state: str, seconds: float) -> Json:
        async def look() -> Json | None:
            seen = await get()
            return seen if seen["state"] == state else None

        found = await eventually(look, seconds, f"{self.user} is {state}")
        assert found is not None
        return found


class Agent(Seat):
    """An agent at a softphone."""

    def __init__(self, api: Api, phone: Phone, user: str) -> None:
        super().__init__(api, str(phone.extension), user, DEVICE.format(phone.extension))
        self.phone = phone
        self._first_event = len(phone.events)

    @property
    def heard(self) -> list[HeardCall]:
        """The calls at this phone since the test began."""
        return heard_calls(self.phone.events[self._first_event :])

    def heard_from(self, caller: Caller | str) -> list[HeardCall]:
        """A caller from outside, or the number of a phone that calls."""
        number = caller if isinstance(caller, str) else caller.result.caller
        return [call for call in self.heard if call.peer == number]

    async def rings(self, caller: Caller | str, seconds: float = 5) -> HeardCall:
        """Waits until this caller's call rings here."""
        await until(
            lambda: [call for call in self.heard_from(caller) if not call.ended], seconds, f"{self.user} is rung"
        )
        return self.heard_from(caller)[-1]

    async def takes(self, caller: Caller | str, after: float = 0.0, seconds: float = 5) -> HeardCall:
        """Lets the phone ring so long, then answers."""
        await self.rings(caller, seconds)
        await asyncio.sleep(after)
        await self.phone.answer()
        await until(lambda: self.heard_from(caller)[-1].answered, 3, f"{self.user} has answered")
        return self.heard_from(caller)[-1]

    async def until_released(self, caller: Caller | str, seconds: float = 10) -> HeardCall:
        await until(lambda: self.heard_from(caller)[-1].ended, seconds, f"{self.user}'s call is over")
        return self.heard_from(caller)[-1]

    async def until_idle(self, seconds: float) -> None:
        await self.phone.wait_until_idle(seconds)

    def rang(self) -> bool:
        return any(call.incoming for call in self.heard)


# The desk ---------------------------------------------------------------------------------------------------------


@dataclass
class Desk:
    """All of it. `mark` is how many lines of queue_log are older than this test."""

    containers: Containers
    acd: Acd
    phones: dict[int, Phone]
    mark: int = 0
    agents: list[Agent] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)
    handler: str = "main"

    @property
    def api(self) -> Api:
        return self.acd.api.at(self.handler)

    # People

    async def agent(self, extension: int, user: str = "") -> Agent:
        """Makes an agent with an ID and a PIN."""
        agent = Agent(self.api, self.phones[extension], user or f"Agent {extension}")
        await self.api.post("/agents", {"id": agent.id, "pin": PIN, "user": agent.user})
        self.agents.append(agent)
        return agent

    async def log_on(
        self, extension: int, *groups: str, user: str = "", ready: bool = True, address: str = ""
    ) -> Agent:
        """An agent with a session for each group; ready for calls unless told otherwise."""
        agent = await self.agent(extension, user)
        agent.address = address or agent.address
        for group in groups:
            await agent.log_on(group)
        if ready:
            await self._make_ready(agent)
        return agent

    async def _make_ready(self, agent: Agent) -> None:
        assert (await agent.set_agent("READY"))["state"] == "READY"
        for group in agent.sessions:
            assert (await agent.set("READY", group=group))["state"] == "READY"

    async def call(self, number: str, stay: float | None = None, patience: float | None = None) -> Caller:
        """Somebody calls now, with a number of his own. 600 to 604 are answered before the queue, 605 by the agent."""
        caller = await start_call(
            number,
            stay,
            f"55502{len(self.callers):02d}",
            patience=patience,
            host=HOST,
            port=self.containers.ports.callers,
        )
        self.callers.append(caller)
        await caller.wait_for("started")
        return caller

    async def whose_phone_rings(self, caller: Caller, *agents: Agent, seconds: float = 5) -> Agent:
        def ringing() -> list[Agent]:
            return [agent for agent in agents if any(call.ended is None for call in agent.heard_from(caller))]

        await until(ringing, seconds, "a phone rings")
        return ringing()[0]

    # Figures

    async def queue(self, name: str) -> Json:
        return await self.api.get(f"/queues/{name}")

    async def rows(self) -> list[Json]:
        """The ledger."""
        return list((await self.api.get("/calls?limit=1000"))["items"])

    async def rows_of(self, caller: Caller) -> list[Json]:
        return [row for row in await self.rows() if row["caller"] == caller.result.caller]

    async def row_of(self, caller: Caller) -> Json:
        (row,) = await self.rows_of(caller)
        return row

    async def until_waiting(self, queue: str, many: int, seconds: float = 5) -> Json:
        async def look() -> Json | None:
            seen = await self.queue(queue)
            return seen if seen["current_calls_queued"] == many else None

        found = await eventually(look, seconds, f"{many} wait in {queue}")
        assert found is not None
        return found

    async def queue_log(self, event: str | None = None) -> list[LogLine]:
        """What Asterisk wrote since the test began."""
        lines = (await self.containers.queue_log())[self.mark :]
        return [line for line in lines if event in (None, line.event)]

    async def until_logged(self, event: str, seconds: float = 3) -> LogLine:
        """The last such line."""
        return (await eventually(lambda: self.queue_log(event), seconds, f"{event} in queue_log"))[-1]

    async def members(self, queue: str = "") -> list[str]:
        """The members of a queue (of all queues) as Asterisk's console shows them."""
        shown = await self.containers.cli(f"queue show {queue}".strip())
        return [
            line.strip() for line in shown.splitlines() if re.search(r"\((PJSIP|Local)/", line) and "wait:" not in line
        ]

    async def until_members(self, queue: str, *paused: str) -> None:
        """One member for each word, with such a pause; "" is none."""

        async def look() -> bool:
            shown = await self.members(queue)
            return len(shown) == len(paused) and all(
                (f"paused:{word}" in line) if word else ("paused" not in line)
                for line, word in zip(shown, paused, strict=True)
            )

        await eventually(look, 3, f"{queue} has members {paused}")

    async def stream_until(self, after: int, wanted: Callable[[Json], bool], seconds: float = 5) -> Json:
        """The first envelope behind this number that is wanted."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Last-Event-ID": str(after)}
        url = f"{self.acd.url}/api/v1/events"
        async with (
            asyncio.timeout(seconds),
            aiohttp.ClientSession(headers=headers) as client,
            client.get(url) as stream,
        ):
            async for line in stream.content:
                if line.startswith(b"data: ") and wanted(envelope := json.loads(line[6:])):
                    return dict(envelope)
        raise AssertionError("the stream has ended")

    async def audit(self, *options: str) -> tuple[int, Json]:
        """`acd audit`, when acd has heard of every call's end long enough."""
        entries = len(await self.queue_log("ENTERQUEUE"))

        async def look() -> tuple[int, Json] | None:
            status, said = await self.acd.audit("--handler", self.handler, *options)
            return (status, said) if said["calls"]["compared"] >= entries else None

        found = await eventually(look, 30, f"{entries} calls are audited")
        assert found is not None
        return found

    def moves_of(self, agent: Agent, group: str | None = None) -> list[Move]:
        """The states of an agent (of his session for a group) in order."""
        session = agent.sessions[group] if group else ""
        return [move for move in moves_in(self.acd.log) if (move.agent, move.session) == (agent.id, session)]

    async def wraps_up(self, agent: Agent, talk: float = 1) -> tuple[Caller, float]:
        """The agent is in wrap-up and another caller waits for him; returns that one, and when wrap-up began."""
        first = await self.call("605", stay=talk)
        await agent.takes(first)
        second = await self.call("605", stay=talk)
        released = (await agent.until_released(first)).ended or 0
        await agent.until_session("BUSY_WRAPUP")
        return second, released

    async def reaches(self, agent: Agent, number: str) -> Caller:
        """Whatever was before: he is READY, and the next caller reaches him as ever."""
        await self.settle()
        assert (await agent.agent())["state"] == "READY"
        caller = await self.call(number)
        await agent.takes(caller, seconds=6)
        await caller.hangup()
        await self.settle()
        return caller

    # From one test to the next

    async def settle(self) -> None:
        """Returns when every call is over and every agent free; after-call work is ended early."""
        for caller in self.callers:
            await caller.ended(30)
        for agent in self.agents:
            await agent.until_idle(20)
            await self._until_free(agent)

    async def _until_free(self, agent: Agent) -> None:
        async def look() -> bool:
            for session in (await self.api.get(f"/agents/{agent.id}/sessions"))["items"]:
                if session["state"] == "BUSY_WRAPUP":
                    await self.api.ask("PUT", f"/sessions/{session['id']}/wrap-up", {"end": True})
            return not (await agent.agent())["state"].startswith("BUSY")

        await eventually(look, 10, f"{agent.user} is free")

    async def clear(self) -> None:
        """Everybody leaves, acd ends in good order, and Asterisk is as it was before."""
        await self._hang_up_all()
        await self._end_sessions()
        await eventually(self._asterisk_is_idle, 10, "Asterisk is idle")
        assert await self.members() == [], "members were left behind"
        status = await self.acd.stop()
        assert status == 0, f"acd ended with {status}"
        assert "Traceback" not in self.acd.log and " ERROR " not in self.acd.log, "acd's log holds errors"

    async def abandon(self) -> None:
        """The least that the next test needs, after a test that failed; nothing is left to do after `clear`."""
        if self.acd.runs:
            await self.acd.kill()
            await self._hang_up_all()
        await self.api.close()
        if self.containers.stopped:
            await self.containers.start_asterisk()
        if not await self.members():
            return
        for queue in re.findall(r"^(\S+) has \d", await self.containers.cli("queue show"), re.MULTILINE):
            for member in await self.members(queue):
                device = member.partition("(")[2].partition(")")[0]
                await self.containers.cli(f"queue remove member {device} from {queue}")

    async def _hang_up_all(self) -> None:
        for caller in self.callers:
            await caller.leave()
        await asyncio.gather(*(phone.hangup() for phone in self.phones.values()))
        await asyncio.gather(*(phone.wait_until_idle(10) for phone in self.phones.values()))

    async def _end_sessions(self) -> None:
        for agent in (await self.api.get("/agents"))["items"]:
            for session in agent["sessions"]:
                await self.api.put(f"/sessions/{session}/state", {"state": "SESSION_ENDED"})

    async def _asterisk_is_idle(self) -> bool:
        return "\n0 active channels" in "\n" + await self.containers.cli("core show channels")


def result_of(desk: Desk, number: str) -> CallResult | None:
    """What the caller with this number lived through; None for a phone that called."""
    return next((caller.result for caller in desk.callers if caller.result.caller == number), None)
