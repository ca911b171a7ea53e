"""Made-up rows for tests of reports, and those that hypothesis makes up."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from acd.reports.reports import Period
from acd.reports.rows import LOGGED_OFF, AgentTime, Call
from acd.reports.tallies import OUTCOMES

NOON = datetime(2024, 3, 30, 12, tzinfo=UTC).timestamp()  # the day before Berlin's clock is set
SPAN = 20 * 3600.0
STATES = ("NOT_READY", "READY", "BUSY_ACD", "BUSY_INCOMING", "BUSY_OUTGOING", "UNKNOWN", LOGGED_OFF)
AGENTS = ("1001", "1002", "1003")
QUEUES = ("sales", "support")


def a_call(entered: float = NOON, **more: Any) -> Call:
    """One that was answered after 4 s, talked for 60 s with 5 s of hold, and wrapped up in 10 s."""
    answered = entered + 4.0
    values: dict[str, Any] = {
        "handler": "main",
        "key": f"c/{entered}",
        "call": f"c{entered:.0f}",
        "queue": "support",
        "caller": "+4930555",
        "agent": "1001",
        "session": "s1",
        "entered": entered,
        "answered": answered,
        "ended": answered + 60.0,
        "ring_time": 2.5,
        "wait_time": 4.0,
        "talk_time": 60.0,
        "hold_time": 5.0,
        "wrap_up_time": 10.0,
        "outcome": "answered",
        "disposition": None,
        "estimated": False,
    }
    return Call(**values | more)


def abandoned(entered: float = NOON, wait: float = 30.0, **more: Any) -> Call:
    """One whose caller hung up."""
    return unanswered("abandoned", entered, wait, **more)


def unanswered(outcome: str | None, entered: float = NOON, wait: float | None = 30.0, **more: Any) -> Call:
    """One that no agent answered."""
    nothing = dict.fromkeys(("agent", "session", "answered", "ring_time", "talk_time", "wrap_up_time"))
    ended = None if wait is None else entered + wait
    return a_call(entered, **nothing | {"outcome": outcome, "wait_time": wait, "ended": ended, "hold_time": 0.0} | more)


def does(agent: str, at: float, state: str, reason: str = "", wrap_up: bool = False) -> AgentTime:
    return AgentTime("main", agent, at, state, reason, wrap_up)


spans = st.one_of(st.sampled_from([0.0, 5.0, 5.000001, 19.999999, 20.0, 20.000001]), st.floats(0, 500))
maybe = st.none() | spans
moments = st.floats(-3600, SPAN - 1).map(lambda seconds: round(NOON + seconds, 6))


@st.composite
def calls(draw: st.DrawFn, handlers: Sequence[str] = ("main",)) -> list[Call]:
    """Rows in their order, also such as nobody expects: unknown outcomes, spans that are missing."""
    rows = []
    for number in range(draw(st.integers(0, 25))):
        entered = max(NOON, draw(moments))
        outcome = draw(st.sampled_from([*OUTCOMES, "answered", "answered", "abandoned", "unknown", "odd", None]))
        more: dict[str, Any] = {"key": f"k{number}", "queue": draw(st.sampled_from(QUEUES))}
        more["handler"] = draw(st.sampled_from(handlers))
        if outcome == "answered":
            agent = draw(st.sampled_from([*AGENTS, None]))
            spent = {name: draw(maybe) for name in ("wait_time", "ring_time", "talk_time", "wrap_up_time")}
            more |= spent | {"agent": agent, "hold_time": draw(spans), "estimated": draw(st.booleans())}
            more["disposition"] = draw(st.sampled_from([None, "sold", "wrong number"]))
            rows.append(a_call(entered, **more))
        else:
            rows.append(unanswered(outcome, entered, draw(maybe), **more))
    return sorted(rows, key=lambda row: (row.entered, row.key))


@st.composite
def times(draw: st.DrawFn, handlers: Sequence[str] = ("main",)) -> list[AgentTime]:
    """The times of a few agents, some of them from before the period."""
    rows = {}
    for _ in range(draw(st.integers(0, 25))):
        handler, agent, at = draw(st.sampled_from(handlers)), draw(st.sampled_from(AGENTS)), draw(moments)
        state = draw(st.sampled_from(STATES))
        reason = draw(st.sampled_from(["", "lunch", "coffee"])) if state == "NOT_READY" else ""
        wrap_up = state == "BUSY_ACD" and draw(st.booleans())
        rows[handler, agent, at] = AgentTime(handler, agent, at, state, reason, wrap_up)
    before = {(row.handler, row.agent): row for row in sorted(rows.values(), key=lambda row: row.at) if row.at < NOON}
    during = [row for row in rows.values() if row.at >= NOON]
    return sorted([*before.values(), *during], key=lambda row: (row.at, row.agent))


def a_period(step: str = "1h", zone: str = "Europe/Berlin", end: float = NOON + SPAN) -> Period:
    return Period(NOON, end, step, ZoneInfo(zone))


def added(rows: Sequence[dict[str, Any]], name: str) -> float:
    return float(sum(row[name] for row in rows))
