"""Those that are measured beside acd: installed into an environment of their own, started, read, ended."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.load import site
from tests.load.rig import FOLDER, Usage, usage_of

PACKAGES = ("panoramisk==1.4", "cacofonisk==0.7.10", "pyfreepbx==0.2.0")
PROGRAMS = Path(__file__).parent / "others"


@dataclass(frozen=True, slots=True)
class Other:
    """One of them. `listens`: what is sent to it; `gives`: what one has of it."""

    name: str
    program: str
    user: str
    secret: str
    listens: str
    gives: str


def others(ami_secret: str) -> list[Other]:
    """`ami_secret`: acd's own, for who reads the very stream that acd reads."""
    return [
        Other(
            "panoramisk 1.4, ten handlers",
            "counts.py",
            "acd",
            ami_secret,
            "the same events as acd",
            "calls waiting, ringing, answered, given up a queue, since it was started",
        ),
        Other(
            "cacofonisk 0.7.10",
            "tracker.py",
            site.TRACKER,
            site.SECRET,
            "all events of calls and agents: it needs more of them",
            "a log line at each step of a call; no agents, no queues, no figures",
        ),
        Other(
            "pyfreepbx 0.2.0, as a panel",
            "panel.py",
            site.PANEL,
            site.SECRET,
            "QueueStatus, every 2 s",
            "Asterisk's own counters and members, as they were up to 2 s ago",
        ),
    ]


def install() -> None:
    """By name and version from the registry that pip asks; once."""
    python = _python()
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", FOLDER / "venv"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True, timeout=300)


def _python() -> Path:
    return FOLDER / "venv" / "bin" / "python"


class Running:
    """A program of `others`, from when it listens until it was asked to end."""

    def __init__(self, other: Other, host: str) -> None:
        self.other = other
        self.told: dict[str, Any] = {}
        words = (_python(), PROGRAMS / other.program, host, "5038", other.user, other.secret)
        self._process = subprocess.Popen(
            [str(word) for word in words], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        assert said == "listening", f"{other.name} says {said!r}"

    def usage(self) -> Usage:
        """So far."""
        folder = Path("/proc") / str(self._process.pid)
        return usage_of((folder / "stat").read_text(), (folder / "status").read_text())

    def end(self) -> None:
        """What it counted is then in `told`."""
        try:
            out, _ = self._process.communicate("", timeout=20)
            self.told = json.loads(out.strip().splitlines()[-1])
        except (subprocess.TimeoutExpired, IndexError, ValueError):
            self._process.kill()
            self._process.wait()


@contextmanager
def running(ami_secret: str, host: str) -> Iterator[list[Running]]:
    """All of them within the block."""
    with ExitStack() as stack:
        programs = []
        for other in others(ami_secret):
            programs.append(one := Running(other, host))
            stack.callback(one.end)
        yield programs


@dataclass(frozen=True, slots=True)
class Machine:
    """Processor seconds since boot: of all cores, and how many of them were used by anybody."""

    all: float
    busy: float


def machine() -> Machine:
    fields = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    tick = os.sysconf("SC_CLK_TCK")
    return Machine(sum(fields) / tick, (sum(fields) - fields[3] - fields[4]) / tick)
