"""What the load bench says of its figures."""

from dataclasses import replace

from tests.load.beside import Machine
from tests.load.report import Spent, Stage, comparison, goals, table
from tests.load.rig import usage_of

STAT = "26392 (acd) serve) S 1 1 1 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 3 0 1 1 1"
STATUS = "Name:\tpython3\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n"
STAGE = Stage(
    rate=20,
    start=0,
    end=50,
    asterisk=Spent("Asterisk", 10.0, 300 << 20),
    acd=Spent("acd", 0.9, 100 << 20),
    others=[Spent("another", 5.0, 50 << 20, "3 calls")],
    machine=(Machine(0, 0), Machine(100, 40)),
    sipp={"failed": 0, "repeated": 2},
    lags={0.01: 900.0, 0.05: 1000.0, float("inf"): 1000.0},
    messages=2000,
    heard={"messages": 10, "p50": 0.002, "p99": 0.03, "max": 0.04, "late": 0},
    calls=1000,
    answered=900,
    seconds=50,
    audit={"calls": {"compared": 1000, "unexplained": 0}},
)


def test_a_process_is_read_as_the_kernel_tells_it() -> None:
    usage = usage_of(STAT, STATUS)
    assert (usage.cpu, usage.resident, usage.peak) == (3.0, 1 << 20, 2 << 20)


def test_a_column_says_what_a_rate_cost() -> None:
    text = table([replace(STAGE, others=[]), replace(STAGE, rate=50)])
    assert "| 20/s | 50/s, others listening |" in text
    assert "| acd, of what Asterisk used | 9 % | 9 % |" in text
    assert "| Asterisk, processor seconds (ms a call) | 10.0 (10.0) |" in text


def test_who_listened_has_a_row_with_what_one_has_of_it() -> None:
    assert "| another | 5.0 | 50 % | 50 | counts | 3 calls |" in comparison(STAGE, {"another": "counts"})


def test_a_goal_that_was_missed_at_one_rate_is_missed() -> None:
    late = replace(STAGE, lags={0.01: 0.0, 0.05: 990.0, float("inf"): 1000.0})
    assert all(line.startswith("reached") for line in goals([STAGE]))
    assert [line for line in goals([STAGE, late]) if line.startswith("MISSED")] == [
        "MISSED   no event taken in later than 50 ms: 10"
    ]
