"""The two accounts of a call center in a folder: a queue_log, and a database as acd writes it."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert
from sqlmodel import SQLModel

from acd.__main__ import main
from acd.core import events as ev
from acd.store import CallRow, EventRow, HeardRow

START = 1_700_000_000  # acd listens from then on
END = START + 10_000  # until then


@dataclass
class Audited:
    """What `acd audit --json` said."""

    status: int
    body: dict[str, Any]

    @property
    def found(self) -> list[tuple[str, str | None]]:
        """Each difference: its figure, and the kind of its explanation."""
        return [(each["figure"], each["explained"]) for each in self.body["differences"]]

    @property
    def calls(self) -> dict[str, Any]:
        return self.body["calls"]


@dataclass
class Books:
    """Times are seconds since START. An agent alice is known, by the id 1001, at PJSIP/1001."""

    folder: Path
    run: Callable[..., tuple[int, str]]
    lines: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    events: list[ev.Event] = field(default_factory=list)
    settings: str = ""

    def log(self, at: int, call: str, member: str, event: str, *data: object, queue: str = "support") -> None:
        """A line of queue_log."""
        self.lines.append("|".join(map(str, (START + at, call, queue, member, event, *data))))

    def row(self, call: str, entered: float, **values: Any) -> dict[str, Any]:
        """A row of the ledger that closes; what is given wins."""
        queue = values.get("queue", "support")
        answered, ended = values.get("answered"), values.get("ended")
        left = answered if answered is not None else ended
        row = {
            "handler": "main",
            "key": f"{call}/{queue}/1",
            "call": call,
            "queue": queue,
            "caller": "555",
            "agent": "1001" if answered is not None else None,
            "session": None,
            "entered": entered,
            "answered": None,
            "ended": None,
            "wait_time": None if left is None else left - entered,
            "talk_time": None if answered is None or ended is None else ended - answered,
            "hold_time": 0.0,
            "wrap_up_time": None if answered is None else 0.0,
            "outcome": "answered",
            "estimated": False,
        }
        row |= values
        for name in ("entered", "answered", "ended"):
            row[name] = None if row[name] is None else START + row[name]
        self.rows.append(row)
        return row

    def told(self, kind: type, at: float, *data: Any) -> None:
        """An event that acd wrote into its log."""
        self.events.append(kind(START + at, *data))

    # Calls that both accounts tell alike

    def answered(self, call: str = "c1", at: int = 10, **values: Any) -> dict[str, Any]:
        """Waits 5 s, talks 20 s, is wrapped up for 4 s; in the log every moment is the second it lies in."""
        self.enters(call, at)
        self.connects(call, at + 5, 5)
        self.log(at + 25, call, "alice", "COMPLETECALLER", 5, 20, 1)
        self.log(at + 29, "NONE", "alice", "UNPAUSE", "")
        times = {"answered": at + 5.3, "ended": at + 25.4} | values
        return self.row(call, at + 0.2, **({"wrap_up_time": at + 29.5 - times["ended"]} | times))

    def enters(self, call: str, at: int, queue: str = "support") -> None:
        self.log(at, call, "NONE", "ENTERQUEUE", "", "555", 1, queue=queue)

    def connects(self, call: str, at: int, waited: int, member: str = "alice", queue: str = "support") -> None:
        self.log(at, call, member, "CONNECT", waited, f"leg-{call}", 1, queue=queue)
        self.log(at, "NONE", member, "PAUSE", "wrapup", queue=queue)

    def leaves(self, call: str = "c1", at: int = 10, event: str = "ABANDON", **values: Any) -> dict[str, Any]:
        """Enters, and leaves after 5 s without an agent."""
        self.enters(call, at)
        key = ("5",) if event == "EXITWITHKEY" else ()
        self.log(at + 5, call, "NONE", event, *key, 1, 1, 5)
        told = {"entered": at + 0.2, "ended": at + 5.3, "outcome": "abandoned"} | values
        return self.row(call, **told)

    # Asking

    def audit(self, *arguments: str) -> Audited:
        status, out = self.text("--json", *arguments)
        return Audited(status, json.loads(out))

    def text(self, *arguments: str) -> tuple[int, str]:
        config = self.write()
        return self.run("audit", "--config", str(config), *arguments)

    def write(self) -> Path:
        """Both accounts as files; returns the settings file."""
        write_log(self.folder / "queue_log", self.lines, END)
        config = self.folder / "acd.toml"
        log = f"queue_log = '{self.folder}/queue_log'"
        config.write_text(f"[handlers.main]\n{self.settings or log}\n[store]\nurl = 'sqlite:///{self.folder}/acd.db'\n")
        self._write_database()
        return config

    def _write_database(self) -> None:
        (self.folder / "acd.db").unlink(missing_ok=True)
        engine = create_engine(f"sqlite:///{self.folder}/acd.db")
        SQLModel.metadata.create_all(engine)
        first: list[ev.Event] = [
            ev.PictureTaken(START, START - 100, ["support"], [], [], [], {}),
            ev.AgentCreated(START, "1001", "1001", "alice"),
            ev.SessionCreated(START, "s1", "1001", "support", "PJSIP/1001"),
        ]
        with engine.begin() as connection:
            for seq, event in enumerate([*first, *sorted(self.events, key=lambda each: each.at)], 1):
                kind, data = type(event).__name__, json.dumps(event)
                connection.execute(
                    insert(EventRow), {"seq": seq, "handler": "main", "at": event.at, "kind": kind, "data": data}
                )
            if self.rows:
                connection.execute(insert(CallRow), self.rows)
            connection.execute(insert(HeardRow), {"handler": "main", "at": float(END), "inode": 1, "position": 1})
        engine.dispose()


def write_log(path: Path, lines: list[str], at: float) -> None:
    """A file that was written to for the last time then."""
    path.write_text("".join(f"{line}\n" for line in lines))
    os.utime(path, (at, at))


def runner(capsys: Any) -> Callable[..., tuple[int, str]]:
    """Runs the command line here; standard output, or the complaint where there is none."""

    def run(*arguments: str) -> tuple[int, str]:
        try:
            status = main(arguments)
        except SystemExit as exit:
            status = int(exit.code or 0)
        out, err = capsys.readouterr()
        return status, out or err

    return run
