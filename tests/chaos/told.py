"""What Asterisk's queue_log and the phones tell of the calls: the two accounts that acd's ledger is held against."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.containers import LogLine

TALKED = ("COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER", "ATTENDEDTRANSFER")
LEFT = ("ABANDON", "EXITWITHTIMEOUT", "EXITWITHKEY", "EXITEMPTY", "WITHDRAW")


@dataclass(slots=True)
class Told:
    """One stay of a caller in a queue. Times are whole seconds, cut off.

    `word`: queue_log's for the end. "" and `cut`: Asterisk died first, and `cut` is when it began anew.
    `freed`: when the agent, paused for wrap-up since before the end, was next told something else.
    """

    call: str
    queue: str
    caller: str
    entered: int
    connected: int | None = None
    agent: str = ""
    ended: int | None = None
    word: str = ""
    cut: int | None = None
    freed: int | None = None


def read(lines: Iterable[LogLine]) -> list[Told]:
    """In the order in which they entered."""
    reader = _Reader()
    for line in lines:
        reader.take(line)
    return reader.told


class _Reader:
    def __init__(self) -> None:
        self.told: list[Told] = []
        self._under_way: dict[tuple[str, str], Told] = {}
        self._paused: set[str] = set()  # agents in wrap-up, or about to be
        self._wraps_up: dict[str, Told] = {}  # agent -> his last call

    def take(self, line: LogLine) -> None:
        key = line.call, line.queue
        if line.event == "ENTERQUEUE":
            told = self._under_way[key] = Told(line.call, line.queue, line.data[1], line.at)
            self.told.append(told)
        elif line.event in ("PAUSE", "UNPAUSE", "REMOVEMEMBER"):
            self._member(line)
        elif line.event == "QUEUESTART":
            for told in self._under_way.values():
                told.cut = line.at
            self._under_way.clear()
        elif key in self._under_way:
            self._call(line, key)

    def _call(self, line: LogLine, key: tuple[str, str]) -> None:
        told = self._under_way[key]
        if line.event == "CONNECT":
            told.connected, told.agent = line.at, line.agent
            self._wraps_up.pop(line.agent, None)
        elif line.event in TALKED + LEFT:
            del self._under_way[key]
            told.ended, told.word = line.at, line.event
            if line.event in TALKED and told.agent in self._paused:
                self._wraps_up[told.agent] = told

    def _member(self, line: LogLine) -> None:
        if line.event == "PAUSE" and line.data[:1] == ("wrapup",):
            self._paused.add(line.agent)
            return
        self._paused.discard(line.agent)
        told = self._wraps_up.pop(line.agent, None)
        if told is not None:
            told.freed = line.at


# The phones' side -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Leg:
    """A caller's call (`phone` is "") or the ring and talk at an agent's phone. `by`: who ended it, see chaos.sip."""

    caller: str
    phone: str
    began: float
    answered: float | None = None
    ended: float | None = None
    by: str = ""


@dataclass
class Witness:
    """What the phones and the callers lived through."""

    callers: dict[str, Leg] = field(default_factory=dict)
    phones: list[Leg] = field(default_factory=list)
    _legs: dict[str, Leg] = field(default_factory=dict)

    def hear(self, event: dict[str, Any]) -> None:
        """A line of the load."""
        at, what = event["at"], event["event"]
        if what in ("started", "offered"):
            leg = self._legs[event["leg"]] = Leg(event["caller"], event["phone"], at)
            if event["kind"] == "caller":
                self.callers[leg.caller] = leg
            else:
                self.phones.append(leg)
        elif what == "answered":
            self._legs[event["leg"]].answered = at
        elif what == "ended":
            leg = self._legs[event["leg"]]
            leg.ended, leg.by = at, event["by"]

    def talks(self) -> list[Leg]:
        return [leg for leg in self.phones if leg.answered is not None]
