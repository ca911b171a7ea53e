"""The containers of the fault runs: Asterisk and acd as they are shipped, and one for the load and the proxy."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import ami
from tests.e2e.containers import (
    HOST,
    PROFILES,
    PROJECT,
    REPOSITORY,
    Containers,
    LogLine,
    free_ports,
    parse_queue_log,
    run,
)
from tests.e2e.desk import TOKEN, eventually

PHONES = 20
STORE = "/var/lib/acd"
SMALL_STORE = "/small"  # a tmpfs that can be filled up
CLOCK = "/var/lib/acd/clock"  # in acd's container: by how many seconds its clock is off
LOG = "/var/log/asterisk"


@dataclass(frozen=True, slots=True)
class Setup:
    """How acd is to be run. `proxied`: the link to Asterisk goes through the rig, where it can be cut.

    `nodes`: two of them on PostgreSQL.
    """

    proxied: bool = False
    small_store: bool = False
    settable_clock: bool = False
    nodes: bool = False


@dataclass
class Inside:
    """A program in the rig's container that takes lines and says lines."""

    process: asyncio.subprocess.Process
    heard: list[dict[str, Any]] = field(default_factory=list)

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()


class Rig(Containers):
    """The compose project of the fault runs. acd is made anew for each fault."""

    project = f"{PROJECT}-chaos"
    files = ("docker-compose.yml", "tests/chaos/compose.yml")
    profiles = (*PROFILES, "nodes")
    services = ("asterisk", "rig")
    site = REPOSITORY / "tests" / "chaos" / "site"
    phones = PHONES

    def __init__(self) -> None:
        super().__init__()
        self.web = free_ports(1)
        self.ports_of = {"acd": self.web, "acd-2": free_ports(1)}  # the API of each node
        self._postgres = free_ports(1)
        self._password = secrets.token_hex(8)
        self.setup = Setup()
        self.database = ""

    def environment(self) -> dict[str, str]:
        command = f"python3 -m tests.chaos.stepped {CLOCK} serve" if self.setup.settable_clock else "acd serve"
        on_postgres = f"postgresql+psycopg://acd:{self._password}@postgres/{self.database}"
        return super().environment() | {
            "ACD_PORT": str(self.web),
            "ACD_PORT_2": str(self.ports_of["acd-2"]),
            "ACD_NODE_URL": "http://acd:8080" if self.setup.nodes else "",
            "ACD_POSTGRES_PASSWORD": self._password,
            "ACD_POSTGRES_PORT": str(self._postgres),
            "ACD_API_TOKEN": TOKEN,
            "ACD_DATABASE_URL": on_postgres if self.setup.nodes else f"sqlite:///{self.database}",
            "CHAOS_AMI_HOST": "rig" if self.setup.proxied else "asterisk",
            "CHAOS_COMMAND": command,
        }

    def up(self) -> None:
        self.compose("build", "acd", "acd-2", patience=1200)
        super().up()

    # acd ------------------------------------------------------------------------------------------------------

    async def new_acd(self, setup: Setup) -> None:
        """With an empty store; it has begun to run, and no more."""
        self.setup = setup
        name = f"chaos_{secrets.token_hex(4)}"
        self.database = name if setup.nodes else f"{SMALL_STORE if setup.small_store else STORE}/{name}.db"
        if setup.nodes:
            await asyncio.to_thread(self.compose, "up", "--detach", "--build", "--wait", "postgres", patience=1200)
            await self._psql("acd", f"CREATE DATABASE {name} OWNER acd")
        words = ("up", "--detach", "--no-deps", "--no-build", "--force-recreate", "--timeout", "3", *self.nodes)
        await asyncio.to_thread(self.compose, *words)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The containers of acd."""
        return ("acd", "acd-2") if self.setup.nodes else ("acd",)

    async def no_acd(self) -> None:
        """Removes it."""
        await asyncio.to_thread(self.compose, "rm", "--stop", "--force", *self.nodes)

    async def exit_status(self, service: str) -> int:
        return int(await self.docker("inspect", "--format", "{{.State.ExitCode}}", self.container(service)))

    async def query(self, sql: str) -> list[list[Any]]:
        """What acd's database answers, read by a program of its own."""
        if self.setup.nodes:
            wrapped = f"SELECT coalesce(json_agg(row), '[]') FROM ({sql}) AS row"  # noqa: S608 - our own
            answer = await self._psql(self.database, wrapped)
            return [list(row.values()) for row in json.loads(answer)]
        program = (
            "import json, sqlite3, sys; c = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True);"
            "print(json.dumps(c.execute(sys.argv[2]).fetchall()))"
        )
        return list(json.loads(await self.inside("acd", "python3", "-c", program, self.database, sql)))

    async def _psql(self, database: str, sql: str) -> str:
        return await self.inside("postgres", "psql", "-At", "-d", database, "-c", sql)

    # All containers ---------------------------------------------------------------------------------------------

    async def docker(self, *words: str, patience: float = 60) -> str:
        return await asyncio.to_thread(run, ("docker", *words), patience)

    async def log(self, service: str) -> str:
        """All that it wrote to either stream."""
        return await asyncio.to_thread(run, ("sh", "-c", f"docker logs {self.container(service)} 2>&1"), 60)

    async def inside(self, service: str, *words: str) -> str:
        return await self.docker("exec", self.container(service), *words)

    async def kill(self, *services: str) -> float:
        """SIGKILL; returns when it was done."""
        await self.docker("kill", *(self.container(one) for one in services))
        return time.time()

    async def stop(self, service: str) -> None:
        """SIGTERM, and as much time as it takes."""
        await self.docker("stop", "--time", "30", self.container(service))

    async def start(self, *services: str) -> None:
        await self.docker("start", *(self.container(one) for one in services))

    @contextlib.asynccontextmanager
    async def program(self, service: str, *words: str) -> AsyncIterator[Inside]:
        """A program in a container for as long as the block; the end of its stdin must end it."""
        process = await asyncio.create_subprocess_exec(
            *("docker", "exec", "--interactive", self.container(service), *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        try:
            yield Inside(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    # Asterisk ---------------------------------------------------------------------------------------------------

    async def ask_asterisk(self, action: str) -> list[ami.Message]:
        """A list, such as QueueStatus, by a connection that no fault touches."""
        return await ami.ask(HOST, self.ports.ami, action)

    async def booted(self, seconds: float = 40) -> float:
        """When Asterisk had fully booted."""

        async def look() -> bool:
            try:
                await self.ask_asterisk("QueueStatus")
            except ami.Trouble:
                return False
            return True

        await eventually(look, seconds, "Asterisk has booted")
        return time.time()

    async def whole_queue_log(self) -> list[LogLine]:
        """With what was rotated away, in order."""
        text = await self.inside("asterisk", "sh", "-c", f"cat $(ls -tr {LOG}/queue_log*)")
        return parse_queue_log(text)
