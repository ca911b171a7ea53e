"""queue_log's lines as values: `epoch|call|queue|member|event|data...`, whole seconds, nothing escaped."""

import re
from typing import NamedTuple

# Events that Asterisk 22 writes, with the fewest data fields of each.
EVENTS = {
    "ENTERQUEUE": 3,
    "CONNECT": 3,
    "COMPLETECALLER": 3,
    "COMPLETEAGENT": 3,
    "BLINDTRANSFER": 5,
    "ATTENDEDTRANSFER": 5,
    "ABANDON": 3,
    "EXITWITHTIMEOUT": 3,
    "EXITEMPTY": 3,
    "EXITWITHKEY": 4,
    "WITHDRAW": 3,
    "RINGNOANSWER": 1,
    "RINGCANCELED": 1,
    "AGENTDUMP": 0,
    "SYSCOMPAT": 0,
    "ADDMEMBER": 0,
    "REMOVEMEMBER": 0,
    "PAUSE": 0,
    "UNPAUSE": 0,
    "PAUSEALL": 0,
    "UNPAUSEALL": 0,
    "PENALTY": 0,
    "RINGINUSE": 0,
    "AGENTLOGIN": 0,
    "AGENTLOGOFF": 0,
    "OUTCALL": 0,
    "QUEUESTART": 0,
    "CONFIGRELOAD": 0,
}
FIRST_EVENT_FIELD = 4
EPOCH = re.compile(r"\d{9,11}")


class Line(NamedTuple):
    """One line. `at`: seconds since 1970, cut off. `member`: the member's name, or its interface where it has none."""

    at: int
    call: str
    queue: str
    member: str
    event: str
    data: tuple[str, ...]


def parse(text: str) -> Line | None:
    """A line's meaning; None for what is no whole line of queue_log, and for events that others made up.

    Names are written raw. Where one holds the separator, the first known event behind it that has its data is taken.
    """
    fields = text.split("|")
    if len(fields) <= FIRST_EVENT_FIELD or not EPOCH.fullmatch(fields[0]):
        return None
    for place in range(FIRST_EVENT_FIELD, len(fields)):
        event, data = fields[place], fields[place + 1 :]
        if len(data) >= EVENTS.get(event, len(fields)):
            return Line(int(fields[0]), fields[1], fields[2], "|".join(fields[3:place]), event, tuple(data))
    return None


def caller_of(line: Line) -> tuple[str, int]:
    """Number and position of an ENTERQUEUE: url|number|position, with the caller's name behind it as an option."""
    for place in (-1, -2):
        if len(line.data) + place >= 2 and line.data[place].isdigit():
            return "|".join(line.data[1:place]), int(line.data[place])
    return line.data[1], 0
