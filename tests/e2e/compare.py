"""Lays three accounts of the same calls side by side: acd's figures, what the phones heard, and queue_log.

The phones' clocks and acd's must agree within NEAR seconds; queue_log has whole seconds, cut off.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import pytest

from acd.core.states import SESSION_MOVES, SessionEvent, SessionState
from phones.calls import CallResult
from tests.e2e.containers import LogLine
from tests.e2e.desk import Agent, Desk, HeardCall, Json, Move, moment, result_of

NEAR = 0.5
GUESSED = 1.5  # of a time that nobody saw, and acd says so
LOG = 1.1  # a whole second, cut off
UNANSWERED = ("605", "642")  # numbers that are answered by the agent
PICKS_UP = 0.5  # Asterisk's Answer() waits so long for the voice of a caller who is silent
WAITED_IN = {  # queue_log's word for an exit without an agent -> acd's outcomes
    "ABANDON": {"abandoned", "redirected", "flowed_out", "lost"},  # it does not know the difference
    "EXITWITHTIMEOUT": {"timed_out", "flowed_out"},
    "EXITWITHKEY": {"left_by_key", "flowed_out"},
    "EXITEMPTY": {"left_empty", "flowed_out"},
    "WITHDRAW": {"withdrawn", "flowed_out"},
}
COMPLETED = ("COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER", "ATTENDEDTRANSFER")  # all with ...|hold|talk|position


def near(expected: float, within: float = NEAR) -> object:
    return pytest.approx(expected, abs=within)


async def compare(
    desk: Desk, *, renamed: Mapping[str, str] = MappingProxyType({}), misjudged: Container[str] = ()
) -> list[Json]:
    """Fails where the three differ; returns the ledger. Every call must be over.

    renamed: calls that got another channel while they waited: queue_log's name -> ours.
    misjudged: calls whose agent or end queue_log is known to tell wrong; the phones are believed.
    """
    rows = await desk.rows()
    lines = [replace(line, call=renamed.get(line.call, line.call)) for line in await desk.queue_log()]
    _compare_entries(rows, lines)
    for row in rows:
        of_call = [line for line in lines if (line.call, line.queue) == (row["call"], row["queue"])]
        _compare_row(desk, row, of_call, lines, first=_is_first(row, rows))
        if row["outcome"] == "answered" and row["call"] not in misjudged:
            _compare_agents_part(desk, row, of_call)
    for name in {row["queue"] for row in rows}:
        compare_queue(await desk.queue(name), [row for row in rows if row["queue"] == name])
    for agent in desk.agents:
        of_agent = [row for row in rows if row["agent"] == agent.id]
        await _compare_agent(agent, of_agent, [row for row in rows if row not in of_agent])
        await _compare_moves(desk, agent, watched=not any(row["estimated"] for row in of_agent))
    return rows


def _compare_entries(rows: list[Json], lines: list[LogLine]) -> None:
    entries = sorted((line.call, line.queue) for line in lines if line.event == "ENTERQUEUE")
    assert sorted((row["call"], row["queue"]) for row in rows) == entries


# A row ------------------------------------------------------------------------------------------------------------


def _compare_row(desk: Desk, row: Json, of_call: list[LogLine], lines: list[LogLine], *, first: bool) -> None:
    assert row["outcome"] is not None and row["ended"] is not None, row
    _compare_whole_seconds(row)
    (entered,) = (line for line in of_call if line.event == "ENTERQUEUE")
    assert moment(row["entered"]) == near(entered.at, LOG)
    caller = result_of(desk, row["caller"]) if first else None
    if caller is not None:
        assert moment(row["entered"]) == near(_entry_of(caller)), (row, caller)
    if row["outcome"] == "answered":
        agent = _agent_of(desk, row)
        _compare_answered(row, of_call, agent, caller)
        _compare_wrap_up(row, agent, lines)
    else:
        _compare_not_answered(row, of_call, caller)


def _is_first(row: Json, rows: list[Json]) -> bool:
    """Of a caller who goes on to another queue, only the first entry can be seen at his phone."""
    return all(row["entered"] <= other["entered"] for other in rows if other["caller"] == row["caller"])


def _compare_whole_seconds(row: Json) -> None:
    for name in ("wait_time", "talk_time", "hold_time", "wrap_up_time"):
        exact = row[f"{name}_exact"]
        assert row[name] == (None if exact is None else int(exact)), (name, row)


def _entry_of(caller: CallResult) -> float:
    """Some enter the queue unanswered, the others as soon as they are picked up."""
    if caller.number in UNANSWERED:
        assert caller.started is not None
        return caller.started
    assert caller.answered is not None
    return caller.answered + PICKS_UP


def _compare_answered(row: Json, of_call: list[LogLine], agent: Agent, caller: CallResult | None) -> None:
    within = GUESSED if row["estimated"] else NEAR
    heard = _heard(agent, row)
    assert heard.answered is not None and heard.ended is not None, heard
    assert moment(row["answered"]) == near(heard.answered, within)
    assert moment(row["ended"]) == near(heard.ended, within)
    assert row["talk_time_exact"] == near(heard.seconds, within)
    if caller is not None:
        assert row["wait_time_exact"] == near(heard.answered - _entry_of(caller), within)
    (connect,) = (line for line in of_call if line.event == "CONNECT")
    waited, _, rang = connect.data
    assert connect.at == near(moment(row["answered"]), LOG)
    assert int(waited) == near(row["wait_time_exact"], LOG)
    assert int(rang) == near(heard.answered - heard.began, LOG)


def _agent_of(desk: Desk, row: Json) -> Agent:
    return next(agent for agent in desk.agents if agent.id == row["agent"])


def _compare_agents_part(desk: Desk, row: Json, of_call: list[LogLine]) -> None:
    (connect,) = (line for line in of_call if line.event == "CONNECT")
    assert connect.agent == _agent_of(desk, row).user
    complete, *more = (line for line in of_call if line.event in COMPLETED)
    # who leaves a caller by code hangs up, and Asterisk sometimes writes both that he did and that he transferred
    assert [line.event for line in more] in ([], ["ATTENDEDTRANSFER"])
    assert complete.at == near(moment(row["ended"]), LOG)
    assert int(complete.data[-2]) == near(row["talk_time_exact"], LOG)


def _heard(agent: Agent, row: Json) -> HeardCall:
    """The call at his phone that this row is about: of this caller, if he was shown, answered nearest to the time."""
    answered = [call for call in agent.heard if call.answered is not None]
    shown = [call for call in answered if call.peer == row["caller"]]
    return min(shown or answered, key=lambda call: abs((call.answered or 0) - moment(row["answered"])))


def _compare_wrap_up(row: Json, agent: Agent, lines: list[LogLine]) -> None:
    """After-call work lasts until Asterisk is told what comes next."""
    assert row["wrap_up_time_exact"] is not None, row
    names = (agent.user, agent.address)
    answered = [(line.call, line.queue, line.event) for line in lines].index((row["call"], row["queue"], "CONNECT"))
    after = [line for line in lines[answered:] if line.agent in names]
    told = [line for line in after if line.event in ("UNPAUSE", "PAUSE", "REMOVEMEMBER")]
    over = [line.at for line in told if line.at >= int(moment(row["ended"])) and not _starts_call(line)]
    if over:
        assert over[0] == near(moment(row["ended"]) + row["wrap_up_time_exact"], LOG), (row, told)


def _starts_call(line: LogLine) -> bool:
    return line.event == "PAUSE" and line.data[:1] == ("wrapup",)


def _compare_not_answered(row: Json, of_call: list[LogLine], caller: CallResult | None) -> None:
    assert (row["agent"], row["session"], row["answered"], row["talk_time"]) == (None, None, None, None)
    (exit_,) = (line for line in of_call if line.event in WAITED_IN)
    assert row["outcome"] in WAITED_IN[exit_.event]
    assert moment(row["ended"]) == near(exit_.at, LOG)
    waited = exit_.data[2] if exit_.event == "WITHDRAW" else exit_.data[-1]
    assert int(waited) == near(row["wait_time_exact"], LOG)
    if caller is not None and row["outcome"] == "abandoned":
        within = GUESSED if row["estimated"] else NEAR
        assert caller.ended is not None
        assert moment(row["ended"]) == near(caller.ended, within)
        assert row["wait_time_exact"] == near(caller.ended - _entry_of(caller), within)


# Sums -------------------------------------------------------------------------------------------------------------


def compare_queue(queue: Json, rows: list[Json]) -> None:
    def having(*outcomes: str) -> int:
        return sum(row["outcome"] in outcomes for row in rows)

    assert queue["total_calls_queued"] == len(rows)
    assert queue["current_calls_queued"] == 0
    assert queue["total_calls_answered"] == having("answered")
    assert queue["total_calls_abandoned"] == having("abandoned")
    assert queue["total_calls_flowed_out"] == having("flowed_out")
    rest = len(rows) - having("answered", "abandoned", "flowed_out")
    assert queue["final_disposition"] == rest
    waits = [row["wait_time_exact"] for row in rows]
    assert queue["longest_ever_wait_time_exact"] == near(max(waits), 0.001)
    assert queue["average_wait_time_exact"] == near(sum(waits) / len(waits), 0.001)


async def _compare_agent(agent: Agent, rows: list[Json], of_others: list[Json]) -> None:
    """The agent's figures and his sessions' against the ledger and the phone; all of them over."""
    sessions = [await agent.session(group) for group in agent.sessions]
    for session in sessions:
        compare_session(session, [row for row in rows if row["session"] == session["id"]], agent)
    seen = await agent.agent()
    assert seen["number_of_acd_calls"] == len(rows) == sum(session["number_of_calls"] for session in sessions)
    assert seen["total_acd_call_time"] == seen["total_acd_talk_time"] + seen["total_wrap_up_time"]
    for ours, theirs in (
        ("total_acd_talk_time_exact", "total_talk_time_exact"),
        ("total_wrap_up_time_exact", "total_wrap_up_time_exact"),
        ("total_acd_call_time_exact", "total_call_time_exact"),
    ):
        assert seen[ours] == near(sum(session[theirs] for session in sessions), 0.001), ours
    acd = [_heard(agent, row) for row in rows]
    others = [call for call in agent.heard if call.answered and call not in acd]
    others = [call for call in others if not _consults(call, acd) and not _came_second(call, of_others)]
    assert seen["number_of_incoming_calls"] == sum(call.incoming for call in others)
    assert seen["number_of_outgoing_calls"] == sum(not call.incoming for call in others)


def _consults(call: HeardCall, acd: list[HeardCall]) -> bool:
    """Made during a call from a queue, and so a part of that."""
    during = [one for one in acd if one.answered and one.answered <= call.began <= (one.ended or call.began)]
    return not call.incoming and bool(during)


def _came_second(call: HeardCall, of_others: list[Json]) -> bool:
    """Answered a moment after a colleague whose phone rang for the same caller: his phone thought it had the call."""
    times = [moment(row["answered"]) for row in of_others if row["caller"] == call.peer and row["answered"]]
    return any(call.began < at and (call.ended or at + 1) < at + NEAR for at in times)


async def _compare_moves(desk: Desk, agent: Agent, watched: bool) -> None:
    """Each second lies in one state, each move is legal, and (if acd saw it all) states last as the figures say."""
    moves = desk.moves_of(agent)
    assert all(one.state != other.state for one, other in pairwise(moves)), moves
    busy = 0.0
    for group in agent.sessions:
        session, moves = await agent.session(group), desk.moves_of(agent, group)
        _compare_legal(moves)
        if not watched:
            continue
        within = NEAR * max(1, session["number_of_calls"])
        assert _seconds_in("BUSY", moves) == near(session["total_talk_time_exact"], within), moves
        assert _seconds_in("WRAPUP", moves) == near(session["total_wrap_up_time_exact"], within), moves
        busy += _seconds_in("BUSY", moves) + _seconds_in("WRAPUP", moves)
    if watched and not any(move.state == "UNKNOWN" for move in desk.moves_of(agent)):
        assert _seconds_in("BUSY_ACD", desk.moves_of(agent)) == near(busy), desk.moves_of(agent)


def _compare_legal(moves: list[Move]) -> None:
    states = [SessionState(max(0, SessionEvent[move.state] - 1)) for move in moves]
    assert moves[0].state == "NEW_SESSION"
    assert all(new in SESSION_MOVES[old] for old, new in pairwise(states)), moves


def _seconds_in(state: str, moves: list[Move]) -> float:
    """Up to the last move: who is busy at the end is not done."""
    return sum(after.at - move.at for move, after in pairwise(moves) if move.state == state)


def compare_session(session: Json, rows: list[Json], agent: Agent) -> None:
    within = GUESSED if any(row["estimated"] for row in rows) else NEAR * max(1, len(rows))
    heard = [_heard(agent, row) for row in rows]
    assert session["number_of_calls"] == len(rows)
    assert session["total_talk_time_exact"] == near(sum(call.seconds for call in heard), within)
    assert session["total_talk_time_exact"] == near(sum(row["talk_time_exact"] for row in rows), 0.001)
    assert session["total_wrap_up_time_exact"] == near(sum(row["wrap_up_time_exact"] for row in rows), 0.001)
    assert session["total_call_time"] == session["total_talk_time"] + session["total_wrap_up_time"]
    _compare_averages(session, len(rows))
    _compare_times_to_answer(session, heard, within)
    rate = len(rows) * 3600 / session["session_duration_exact"]
    assert float(session["acd_call_rate"]) == pytest.approx(rate, rel=1e-4)


def _compare_averages(session: Json, calls: int) -> None:
    for name in ("talk_time", "call_time", "wrap_up_time"):
        total = session[f"total_{name}_exact"]
        assert session[f"total_{name}"] == (int(total) if name != "call_time" else session["total_call_time"])
        assert session[f"average_{name}"] == (int(total / calls) if calls else 0), name


def _compare_times_to_answer(session: Json, heard: Iterable[HeardCall], within: float) -> None:
    times = [call.answered - call.began for call in heard if call.answered is not None]
    assert session["longest_time_to_answer_exact"] == near(max(times, default=0.0), within)
    assert session["longest_time_to_answer"] == int(session["longest_time_to_answer_exact"])
    average = sum(times) / len(times) if times else 0.0
    assert session["average_time_to_answer"] == near(average, 1 + within)
