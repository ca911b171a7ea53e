"""Asterisk, softphones and callers: one compose project with ports of its own, and what can be read out of it."""

import asyncio
import fcntl
import os
import random
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

REPOSITORY = Path(__file__).resolve().parents[2]
SITE = REPOSITORY / "tests" / "e2e" / "site"  # queues, numbers and an AMI user for tests alone
PROJECT = os.environ.get("ACD_E2E_PROJECT", "acd-e2e")
SERVICES = ("asterisk", "phones", "callers")
FILES = ("docker-compose.yml",)
PROFILES = ("phones", "second")  # so that all of it is taken down; what is started is named
PHONES = 6
DOORS = 20  # phone doors that docker-compose.yml publishes
HOST = "127.0.0.1"


class ContainerError(Exception):
    """A docker command failed; the message holds its words."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of queue_log. `at` is whole seconds, cut off."""

    at: int
    call: str
    queue: str
    agent: str
    event: str
    data: tuple[str, ...]


def parse_queue_log(text: str) -> list[LogLine]:
    return [
        LogLine(int(at), call, queue, agent, event, tuple(data))
        for at, call, queue, agent, event, *data in (line.split("|") for line in text.splitlines() if line)
    ]


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(many: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """The first of so many free ports in a row, below those that the kernel gives away by itself."""
    for _ in range(200):
        first = random.randrange(20000, 32700 - many)
        if all(_is_free(port, kind) for port in range(first, first + many)):
            return first
    raise ContainerError(f"no {many} free ports in a row")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where this run's containers are reached."""

    ami: int = field(default_factory=lambda: free_ports(1))
    second_ami: int = field(default_factory=lambda: free_ports(1))
    second_sip: int = field(default_factory=lambda: free_ports(1, socket.SOCK_DGRAM))
    second_rtp: int = field(default_factory=lambda: free_ports(4, socket.SOCK_DGRAM))
    sip: int = field(default_factory=lambda: free_ports(1, socket.SOCK_DGRAM))
    rtp: int = field(default_factory=lambda: free_ports(4, socket.SOCK_DGRAM))
    doors: int = field(default_factory=lambda: free_ports(DOORS + 1))

    @property
    def callers(self) -> int:
        return self.doors + DOORS


class OneRunAtATime:
    """The project has one name, so that a leftover can be found and removed; hence a second run waits."""

    def __init__(self, project: str = PROJECT) -> None:
        self._project = project

    def __enter__(self) -> None:
        self._file = (Path(tempfile.gettempdir()) / f"{self._project}.lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"\nwaiting for another run of the project {self._project} to end", file=sys.stderr)
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()


class Containers:
    """The compose project of this run."""

    project = PROJECT
    files: Sequence[str] = FILES
    profiles: Sequence[str] = PROFILES
    services: Sequence[str] = SERVICES
    asterisk = "asterisk"  # the service
    log = "asterisk-log"  # its volume
    site = SITE
    phones = PHONES

    def __init__(self) -> None:
        self.ports = Ports()
        self.ami_secret = secrets.token_hex(16)
        self.sip_secret = secrets.token_hex(16)
        self.stopped = False  # Asterisk, by a test

    # Up and down ------------------------------------------------------------------------------------------

    def up(self) -> None:
        """Returns when Asterisk has fully booted; the phones register a moment later."""
        self.compose("up", "--detach", "--build", "--wait", *self.services, patience=1200)

    def down(self) -> None:
        """Removes the project with its volumes, whoever started it. No harm if there is none."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "3", patience=120)

    def compose(self, *words: str, patience: float = 60) -> str:
        return _compose(self.project, self.profiles, words, patience, files=self.files, settings=self.environment())

    def container(self, service: str) -> str:
        return f"{self.project}-{service}-1"

    def environment(self) -> dict[str, str]:
        ports = self.ports
        return {
            "ACD_AMI_SECRET": self.ami_secret,
            "ACD_SIP_SECRET": self.sip_secret,
            "ACD_BIND": HOST,
            "ACD_TRUNK_MATCH": "local",
            "ACD_TRUNK_CONTACT": "sip:callers:5060",
            "ACD_AMI_PORT": str(ports.ami),
            "ACD_SIP_PORT": str(ports.sip),
            "ACD_SECOND_AMI_PORT": str(ports.second_ami),
            "ACD_SECOND_SIP_PORT": str(ports.second_sip),
            "ACD_SECOND_RTP_PORTS": f"{ports.second_rtp}-{ports.second_rtp + 3}",
            # All phones are inside, so the range that is used need not be the one that is published.
            "ACD_RTP_PORTS": f"{ports.rtp}-{ports.rtp + 3}",
            "ACD_RTP_RANGE": "20000-20999",
            "ACD_PHONES": str(self.phones + 2),
            "ACD_SOFTPHONES": str(self.phones),
            "ACD_PHONES_PORTS": f"{ports.doors}-{ports.doors + DOORS - 1}",
            "ACD_CALLERS_PORT": str(ports.callers),
            "ACD_ASTERISK_SITE": str(self.site),
            "ACD_SECOND_ASTERISK_SITE": str(self.site),
        }

    # Asterisk ---------------------------------------------------------------------------------------------

    async def cli(self, command: str) -> str:
        """A command at Asterisk's own console."""
        return await self._in_asterisk("asterisk", "-rx", command)

    async def queue_log(self) -> list[LogLine]:
        return parse_queue_log(await self._in_asterisk("cat", "/var/log/asterisk/queue_log"))

    def folder(self, volume: str) -> Path:
        """Where acd, outside of the containers, reads Asterisk's files."""
        words = ("docker", "volume", "inspect", "--format", "{{.Mountpoint}}", f"{self.project}_{volume}")
        return Path(run(words, 20).strip())

    def sip_websocket(self) -> str:
        """Where acd, outside of the containers, reaches Asterisk for browsers: inside, as nothing is published."""
        address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return (
            f"ws://{run(('docker', 'inspect', '--format', address, self.container(self.asterisk)), 20).strip()}:8088/ws"
        )

    async def write(self, path: str, text: str) -> None:
        """A file in Asterisk's container."""
        await self._in_asterisk("sh", "-c", f"printf '%s' \"$1\" >{path}", "sh", text)

    async def _in_asterisk(self, *words: str) -> str:
        return await asyncio.to_thread(run, ("docker", "exec", self.container(self.asterisk), *words), 20)

    async def stop_asterisk(self) -> None:
        self.stopped = True
        await asyncio.to_thread(self.compose, "stop", "asterisk")

    async def start_asterisk(self) -> None:
        """Returns when it has fully booted."""
        await asyncio.to_thread(self.compose, "up", "--detach", "--no-build", "--no-recreate", "--wait", "asterisk")
        self.stopped = False

    async def kill_asterisk(self) -> None:
        """SIGKILL."""
        self.stopped = True
        await asyncio.to_thread(run, ("docker", "kill", self.container("asterisk")), 20)

    async def kill_phone(self, extension: int) -> None:
        """SIGKILL of one softphone; its container starts it again."""
        find = f"grep -lz '/{extension}$' /proc/[0-9]*/cmdline | cut -d/ -f3"
        words = ("docker", "exec", self.container("phones"), "sh", "-c", f"kill -9 $({find})")
        await asyncio.to_thread(run, words, 20)

    def last_words(self, service: str, lines: int) -> str:
        return self.compose("logs", "--no-color", "--no-log-prefix", "--tail", str(lines), service)


class SecondAsterisk(Containers):
    """Another Asterisk in the same project, with a queue_log of its own; nobody's softphones are at it."""

    asterisk = "asterisk-second"
    log = "asterisk-second-log"
    services = (asterisk,)

    def __init__(self, first: Containers) -> None:
        self.ports = replace(first.ports, ami=first.ports.second_ami)
        self.ami_secret, self.sip_secret = first.ami_secret, first.sip_secret
        self.stopped = False
        self._first = first

    def environment(self) -> dict[str, str]:
        return self._first.environment()

    def down(self) -> None:
        self.compose("rm", "--stop", "--force", "--volumes", self.asterisk)

    async def pause(self) -> None:
        """It stands still from one moment to the next: connections stay, and nothing is answered."""
        await asyncio.to_thread(run, ("docker", "pause", self.container(self.asterisk)), 20)

    async def unpause(self) -> None:
        await asyncio.to_thread(run, ("docker", "unpause", self.container(self.asterisk)), 20)


class Postgres:
    """A PostgreSQL server for tests of the store: a compose project of its own."""

    project = f"{PROJECT}-postgres"

    def __init__(self) -> None:
        self._port = free_ports(1)
        self._password = secrets.token_hex(16)

    def up(self) -> None:
        """Returns when it takes connections; its user may then make databases, and drop them under autovacuum."""
        self._compose("up", "--detach", "--build", "--wait", "postgres", patience=1200)
        rights = "ALTER ROLE acd CREATEDB; GRANT pg_signal_backend TO acd"
        self._compose("exec", "-T", "postgres", "psql", "-qc", rights, patience=30)

    def down(self) -> None:
        """Removes the project with its volume, whoever started it. No harm if there is none."""
        self._compose("down", "--volumes", "--remove-orphans", "--timeout", "3", patience=120)

    def url(self, database: str = "acd") -> str:
        return f"postgresql+psycopg://acd:{self._password}@{HOST}:{self._port}/{database}"

    def _compose(self, *words: str, patience: float) -> str:
        settings = {"ACD_POSTGRES_PASSWORD": self._password, "ACD_POSTGRES_PORT": str(self._port)}
        return _compose(self.project, ["postgres"], words, patience, files=FILES, settings=settings)


def _compose(
    project: str,
    profiles: Sequence[str],
    words: Sequence[str],
    patience: float,
    *,
    files: Sequence[str],
    settings: dict[str, str],
) -> str:
    named = [word for file in files for word in ("-f", file)]
    named += [word for profile in profiles for word in ("--profile", profile)]
    front = ("docker", "compose", *named, "--env-file", os.devnull, "-p", project)
    others = {key: value for key, value in os.environ.items() if not key.startswith("ACD_")}
    return run((*front, "--progress", "quiet", *words), patience, others | settings)


def run(words: Sequence[str], patience: float, environment: dict[str, str] | None = None) -> str:
    """What the command printed. Raises ContainerError when it fails."""
    ended = subprocess.run(
        words, capture_output=True, text=True, timeout=patience, env=environment, cwd=REPOSITORY, check=False
    )
    if ended.returncode:
        raise ContainerError(f"{' '.join(words)}: {ended.stdout}{ended.stderr}")
    return ended.stdout
