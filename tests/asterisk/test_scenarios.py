"""The table of scenarios, each played to a whole acd over a socket: what it announces, its ledger and its figures."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests import recordings
from tests.asterisk.leaping import LeapingLoop
from tests.asterisk.recorded_ami import Played, played
from tests.asterisk.scenarios import SCENARIOS, Scenario

WHEN = 0.05  # seconds by which a move may be off: what Asterisk confirms is told when it is heard
HOW_LONG = 0.01  # the same for what lies between two of Asterisk's timestamps, written down as milliseconds
SUMMED = 0.05  # the same for the sums of such spans
A_SECOND = 1.01  # queue_log's times are whole seconds, cut off
EXITS = {  # queue_log -> how the visit ends
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "timed_out",
    "EXITEMPTY": "left_empty",
    "EXITWITHKEY": "left_by_key",
    "WITHDRAW": "withdrawn",
}
UNHEARD = ("aj-agentonly-user", "al-protocol")  # what queue_log has of these was not sent to the manager's user


def play(name: str, folder: Path, cut: int | None = None) -> Played:
    return played(name, SCENARIOS[name], folder, cut)


@pytest.fixture(scope="module", params=SCENARIOS)
def result(request, tmp_path_factory) -> tuple[Scenario, Played]:
    return SCENARIOS[request.param], play(request.param, tmp_path_factory.mktemp("acd"))


def check_moves(scenario: Scenario, result: Played) -> None:
    assert [move[1:] for move in result.moves] == [move[1:] for move in scenario.moves]
    assert [move[0] for move in result.moves] == pytest.approx([move[0] for move in scenario.moves], abs=WHEN)


def check_ledger(scenario: Scenario, result: Played) -> None:
    assert result.ledger.keys() == scenario.ledger.keys()
    for visit, expected in scenario.ledger.items():
        row = result.ledger[visit]
        assert (row["agent"], row["outcome"], row["estimated"]) == (expected.agent, expected.outcome, False), visit
        spans = (expected.wait, expected.talk, expected.hold, expected.wrap_up)
        assert [row[name] for name in ("wait_time", "talk_time", "hold_time", "wrap_up_time")] == [
            None if span is None else pytest.approx(span, abs=HOW_LONG) for span in spans
        ], visit


def check_figures(scenario: Scenario, result: Played) -> None:
    expected = {who: pytest.approx(figures, abs=SUMMED) for who, figures in scenario.figures.items()}
    assert result.figures == expected


def test_every_recording_stands_in_the_table():
    assert sorted(SCENARIOS) == recordings.NAMES


def test_sessions_and_agents_move_as_worked_out(result):
    check_moves(*result)


def test_the_ledger_is_as_worked_out(result):
    check_ledger(*result)


def test_the_figures_are_as_worked_out(result):
    check_figures(*result)


@pytest.mark.parametrize(
    ("name", "announced"),
    [
        ("e-abandon-waiting", ["Alice Adams/support NEW_SESSION"]),  # she is paused
        (
            "q-two-queues",
            [
                "Alice Adams/support NEW_SESSION",
                "Alice Adams READY",
                "Alice Adams/support READY",
                "Alice Adams/sales NEW_SESSION",
                "Alice Adams/sales READY",
            ],
        ),
    ],
)
def test_a_log_on_announces_the_new_session_and_then_what_was_asked_for(name, announced, tmp_path):
    assert [" ".join(told) for told in play(name, tmp_path).at_log_on] == announced


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in UNHEARD])
def test_the_table_agrees_with_what_asterisk_wrote_to_queue_log(name):
    """The second witness of the table itself: acd has no part in this."""
    rows, entered = SCENARIOS[name].ledger, Counter()
    lines = [line.split("|") for line in recordings.queue_log(name)]
    to_come = Counter(call for _, call, _, _, event, *_ in lines if event == "ENTERQUEUE")
    current: dict[tuple[str, str], str] = {}  # call, queue -> its present visit
    for _, call, queue, agent, event, *data in lines:
        if event == "ENTERQUEUE":
            entered[call, queue] += 1
            to_come[call] -= 1
            current[call, queue] = f"{call}/{queue}/{entered[call, queue]}"
        elif event == "CONNECT":
            row = rows[current[call, queue]]
            assert (row.agent, row.outcome, row.wait) == (agent, "answered", pytest.approx(int(data[0]), abs=A_SECOND))
        elif event in ("COMPLETECALLER", "COMPLETEAGENT"):
            assert rows[current[call, queue]].talk == pytest.approx(int(data[1]), abs=A_SECOND)
        elif event in EXITS:
            waited = int(data[3 if event == "EXITWITHKEY" else 2])
            row = rows[current[call, queue]]
            outcome = "flowed_out" if event == "ABANDON" and to_come[call] else EXITS[event]  # it has no other word
            assert (row.agent, row.outcome, row.wait) == (None, outcome, pytest.approx(waited, abs=A_SECOND))
    assert {f"{call}/{queue}/{n + 1}" for (call, queue), times in entered.items() for n in range(times)} == rows.keys()


@pytest.mark.parametrize("cut", [1, 7, 1000])
@pytest.mark.parametrize("name", ["h-pause-reason", "al-protocol", "ai-lean-user"])
def test_it_does_not_matter_how_the_bytes_were_split_on_their_way(name, cut, tmp_path):
    result = play(name, tmp_path, cut)
    check_moves(SCENARIOS[name], result)
    check_ledger(SCENARIOS[name], result)
    check_figures(SCENARIOS[name], result)


def test_hours_pass_in_no_time_and_in_order():
    woken = []

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((seconds, asyncio.get_running_loop().time()))

    async def sleepers() -> None:
        await asyncio.gather(*map(sleeper, (7200, 0.5, 3600)))

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(sleepers())
    assert woken == [(0.5, 0.5), (3600, 3600), (7200, 7200)]
