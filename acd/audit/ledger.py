"""What acd says, read from its database: the ledger, and the log of what it heard. Nothing is written."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from acd.audit.recompute import HORIZON

PAGE = 2000  # rows read at once
HANDED_ON = frozenset({"answered", "flowed_out"})  # outcomes that the next visit of the same call flowed in from


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger: one visit of a caller to a queue. Times are seconds since 1970."""

    key: str
    call: str
    queue: str
    agent: str | None
    entered: float
    answered: float | None
    ended: float | None
    wait_time: float | None
    talk_time: float | None
    wrap_up_time: float | None
    outcome: str | None
    estimated: bool
    flowed_in: bool = False

    @property
    def call_at_entry(self) -> str:
        """The call that entered the queue; an attended transfer may give its place to another, which is `call`."""
        return self.key.partition("/")[0]

    @property
    def left(self) -> float | None:
        """When the wait was over."""
        return self.answered if self.answered is not None else self.ended

    @property
    def freed(self) -> float | None:
        """When the wrap-up was over."""
        if self.answered is None or self.ended is None or self.wrap_up_time is None:
            return None
        return self.ended + self.wrap_up_time

    @property
    def over(self) -> float | None:
        """When nothing was left to come."""
        return self.ended if self.answered is None else self.freed


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of acd's log, as Asterisk's AMI told it. `data`: the event's fields, the time first."""

    seq: int
    at: float
    kind: str
    data: list[Any]


class Ledger:
    """The database of an acd that may be running. Each method raises SQLAlchemyError when it cannot be read."""

    def __init__(self, url: str, handler: str) -> None:
        self._handler = handler
        self._engine = _read_only(url)
        self._connection: Connection | None = None

    def __enter__(self) -> "Ledger":
        self._connection = self._engine.connect()
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    def _ask(self, query: str, **values: Any) -> Any:
        assert self._connection is not None
        return self._connection.execute(text(query), {"handler": self._handler, **values})

    # The ledger -------------------------------------------------------------------------------------------

    def first_entry(self) -> float | None:
        """When the first visit of the ledger began."""
        found = self._ask("SELECT MIN(entered) FROM call WHERE handler = :handler").scalar()
        return None if found is None else float(found)

    def heard_until(self) -> float | None:
        """Until when acd has heard Asterisk, and has written down what it heard."""
        found = self._ask("SELECT at FROM heard WHERE handler = :handler").scalar()
        return None if found is None else float(found)

    def rows(self, start: float, end: float) -> Iterator[Row]:
        """The rows that began at `start` or later and before `end`, in that order."""
        entered, key = start, ""
        handed_on: dict[str, float] = {}  # call -> when it began the visit that it was handed on from
        while True:
            page = self._ask(
                "SELECT key, call, queue, agent, entered, answered, ended, wait_time, talk_time, wrap_up_time, outcome,"
                " estimated FROM call WHERE handler = :handler AND entered < :end"
                " AND entered >= :entered AND (entered > :entered OR key > :key) ORDER BY entered, key LIMIT :limit",
                end=end,
                entered=entered,
                key=key,
                limit=PAGE,
            ).all()
            for each in page:
                values = {**each._mapping, "estimated": bool(each.estimated)}
                yield Row(**values, flowed_in=each.call in handed_on)
                if each.outcome in HANDED_ON:
                    handed_on[each.call] = each.entered
            if len(page) < PAGE:
                return
            entered, key = page[-1].entered, page[-1].key
            handed_on = {call: at for call, at in handed_on.items() if at > entered - HORIZON}

    # What it heard ----------------------------------------------------------------------------------------

    def checkpoint(self) -> tuple[int, dict[str, Any]]:
        """The newest state that was kept, and up to which event; (0, {}) where there is none yet."""
        found = self._ask(
            "SELECT seq, state FROM checkpoint WHERE handler = :handler ORDER BY seq DESC LIMIT 1"
        ).first()
        return (0, {}) if found is None else (int(found.seq), json.loads(found.state))

    def first_heard(self) -> float | None:
        """When acd was linked to this Asterisk for the first time."""
        found = self._ask(
            "SELECT at FROM event WHERE handler = :handler AND kind = 'PictureTaken' ORDER BY seq LIMIT 1"
        ).scalar()
        return None if found is None else float(found)

    def begun(self) -> float | None:
        """When acd's log of events begins."""
        found = self._ask("SELECT at FROM event WHERE handler = :handler ORDER BY seq LIMIT 1").scalar()
        return None if found is None else float(found)

    def events(self, kinds: Iterable[str], start: int = 0, end: int | None = None) -> Iterator[Happened]:
        """The events of these kinds from number `start` to `end`."""
        names = {f"kind{number}": kind for number, kind in enumerate(sorted(kinds))}
        among = ", ".join(f":{name}" for name in names)
        while True:
            page = self._ask(
                f"SELECT seq, at, kind, data FROM event WHERE handler = :handler AND seq >= :start AND seq <= :end"  # noqa: S608
                f" AND kind IN ({among}) ORDER BY seq LIMIT :limit",
                start=start,
                end=2**62 if end is None else end,
                limit=PAGE,
                **names,
            ).all()
            for each in page:
                yield Happened(each.seq, each.at, each.kind, json.loads(each.data))
            if len(page) < PAGE:
                return
            start = page[-1].seq + 1

    def number_at(self, at: float) -> int:
        """The number of the first event at that time or later, as near as events in their order allow."""
        low, high = 0, int(self._ask("SELECT MAX(seq) FROM event WHERE handler = :handler").scalar() or 0) + 1
        while low < high:
            middle = (low + high) // 2
            found = self._ask(
                "SELECT seq, at FROM event WHERE handler = :handler AND seq >= :middle ORDER BY seq LIMIT 1",
                middle=middle,
            ).first()
            if found is None or found.at >= at:
                high = middle
            else:
                low = int(found.seq) + 1
        return low

    def users(self) -> dict[str, str]:
        """Each agent's account name, which is the member's name in queue_log."""
        seq, state = self.checkpoint()
        users = {key: str(agent["user"]) for key, agent in _objects(state, "agents").items()}
        for event in self.events(["AgentCreated"], seq):
            users.setdefault(event.data[1], event.data[3])
        return users


def _objects(state: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    found = state.get(name)
    return found if isinstance(found, dict) else {}


def _read_only(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = parsed.database or ""
        # without a pool: one connection, which is closed with the Ledger
        return create_engine("sqlite://", creator=lambda: _open(path), poolclass=NullPool)
    return create_engine(url, execution_options={"postgresql_readonly": True})


def _open(path: str) -> sqlite3.Connection:
    """Also for somebody who may only read: while no acd runs, SQLite would make files beside its own."""
    name = f"file:{quote(path)}"
    connection = sqlite3.connect(f"{name}?mode=ro", uri=True, timeout=10)
    try:
        connection.execute("SELECT 1 FROM sqlite_master")
    except sqlite3.OperationalError:
        connection.close()
        if Path(f"{path}-wal").exists():
            raise
        connection = sqlite3.connect(f"{name}?immutable=1", uri=True)
    return connection
