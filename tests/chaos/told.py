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


def read(lines: Iterable[LogLine]) -> list[Told]:
    """In the order in which they entered."""
    all_told: list[Told] = []
    under_way: dict[tuple[str, str], Told] = {}
    for line in lines:
        key = line.call, line.queue
        if line.event == "ENTERQUEUE":
            under_way[key] = Told(line.call, line.queue, line.data[1], line.at)
            all_told.append(under_way[key])
        elif line.event == "CONNECT" and key in under_way:
            under_way[key].connected, under_way[key].agent = line.at, line.agent
        elif line.event in TALKED + LEFT and key in under_way:
            told = under_way.pop(key)
            told.ended, told.word = line.at, line.event
        elif line.event == "QUEUESTART":
            for told in under_way.values():
                told.cut = line.at
            under_way.clear()
    return all_told


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
