"""What reports are made of. The names are those of the database's columns."""

from typing import NamedTuple

LOGGED_OFF = "LOGGED_OFF"  # beside the names of AGENT_STATE


class Call(NamedTuple):
    """A row of the ledger: one visit of a caller to a queue. Times are seconds since 1970, spans seconds."""

    handler: str
    key: str
    call: str
    queue: str
    caller: str
    agent: str | None
    session: str | None
    entered: float
    answered: float | None
    ended: float | None
    ring_time: float | None
    wait_time: float | None
    talk_time: float | None
    hold_time: float
    wrap_up_time: float | None
    outcome: str | None
    disposition: str | None
    estimated: bool


class AgentTime(NamedTuple):
    """What an agent did from `at` until his next row. `wrap_up`: BUSY_ACD is nothing but after-call work."""

    handler: str
    agent: str
    at: float
    state: str
    reason: str
    wrap_up: bool


def micro(seconds: float) -> int:
    """Whole microseconds."""
    return round(seconds * 1_000_000)
