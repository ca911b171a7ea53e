"""What was measured, as tables in Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.load.beside import Machine
from tests.load.rig import Usage

MEGABYTE = 1 << 20
SHARE = 0.1  # of Asterisk's processor time: the goal for acd
LATE = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process used of the processor within a stage, and its memory at the end of it."""

    name: str
    cpu: float
    resident: int
    told: str = ""


def spent(name: str, before: Usage, after: Usage) -> Spent:
    return Spent(name, after.cpu - before.cpu, after.resident)


@dataclass(frozen=True, slots=True)
class Stage:
    """One rate for some time. `start` to `end`: from the first call to when the last agent was free again."""

    rate: float
    start: float
    end: float
    asterisk: Spent
    acd: Spent
    others: list[Spent]
    machine: tuple[Machine, Machine]
    sipp: dict[str, int]  # created, failed, repeated
    lags: dict[float, float]  # bound -> events that acd had taken in by then; inf: all
    messages: float  # of AMI, that acd read
    heard: dict[str, float]  # by a subscriber
    calls: int  # that entered a queue, by queue_log
    answered: int
    seconds: float  # from the first to the last of them
    audit: dict[str, Any]

    @property
    def share(self) -> float:
        return self.acd.cpu / self.asterisk.cpu

    @property
    def late(self) -> float:
        return self.lags[float("inf")] - self.lags[LATE]

    @property
    def differing(self) -> int:
        return int(self.audit["calls"]["unexplained"])


Row = tuple[str, Callable[[Stage], str]]


def _of_machine(stage: Stage) -> str:
    before, after = stage.machine
    busy, whole = after.busy - before.busy, after.all - before.all
    known = stage.asterisk.cpu + stage.acd.cpu + sum(one.cpu for one in stage.others)
    return f"{100 * busy / whole:.0f} % ({100 * (busy - known) / whole:.0f} %)"


def _share(part: float, whole: float) -> str:
    return f"{part:,.0f} ({100 * part / whole if whole else 0:.2g} %)"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f}"


ROWS: Sequence[Row] = (
    ("calls a second that came", lambda s: f"{s.calls / s.seconds:.1f}"),
    ("calls, of them answered", lambda s: f"{s.calls:,}, {s.answered:,}"),
    ("SIPp: calls failed, messages repeated", lambda s: f"{s.sipp['failed']}, {s.sipp['repeated']}"),
    (
        "Asterisk, processor seconds (ms a call)",
        lambda s: f"{s.asterisk.cpu:.1f} ({1000 * s.asterisk.cpu / s.calls:.1f})",
    ),
    ("acd, processor seconds (ms a call)", lambda s: f"{s.acd.cpu:.1f} ({1000 * s.acd.cpu / s.calls:.1f})"),
    ("acd, of what Asterisk used", lambda s: f"{100 * s.share:.0f} %"),
    ("AMI messages that acd read, a second", lambda s: f"{s.messages / (s.end - s.start):,.0f}"),
    ("events taken in later than 10 ms", lambda s: _share(s.lags[float("inf")] - s.lags[0.01], s.lags[float("inf")])),
    ("events taken in later than 50 ms", lambda s: _share(s.late, s.lags[float("inf")])),
    (
        "a subscriber hears of a call after, ms: p50 / p99 / longest",
        lambda s: " / ".join(_ms(s.heard[name]) for name in ("p50", "p99", "max")),
    ),
    (
        "memory of Asterisk / of acd, MB",
        lambda s: f"{s.asterisk.resident / MEGABYTE:.0f} / {s.acd.resident / MEGABYTE:.0f}",
    ),
    (
        "calls that `acd audit` compared, differing without an explanation",
        lambda s: f"{s.audit['calls']['compared']:,}, {s.differing}",
    ),
    ("the machine's cores in use (by SIPp and all else)", _of_machine),
)


def table(stages: Sequence[Stage]) -> str:
    """A column a rate."""
    head = ["", *(f"{stage.rate:g}/s" + ", others listening" * bool(stage.others) for stage in stages)]
    lines = [head, ["---"] * len(head), *([name, *(say(stage) for stage in stages)] for name, say in ROWS)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def comparison(stage: Stage, gives: dict[str, str]) -> str:
    """A row for each who listened. `gives`: name -> what one has of it."""
    lines = [
        "| | processor seconds | of what Asterisk used | memory, MB | what one has of it | told at the end |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in (stage.asterisk, stage.acd, *stage.others):
        used, memory = f"{one.cpu:.1f}", f"{one.resident / MEGABYTE:.0f}"
        of_it = f"{100 * one.cpu / stage.asterisk.cpu:.0f} %"
        lines.append(f"| {one.name} | {used} | {of_it} | {memory} | {gives.get(one.name, '')} | {one.told} |")
    return "\n".join(lines)


def goals(stages: Sequence[Stage]) -> list[str]:
    """Reached or missed, one line each."""
    share = max(stage.share for stage in stages)
    late = sum(stage.late for stage in stages)
    differing = sum(stage.differing for stage in stages)
    failed = sum(stage.sipp["failed"] for stage in stages)
    return [
        _goal(share <= SHARE, f"acd at most 10 % of what Asterisk uses: {100 * share:.0f} % at the worst rate"),
        _goal(late == 0, f"no event taken in later than 50 ms: {late:,.0f}"),
        _goal(differing == 0, f"acd audit without a difference that nothing explains: {differing}"),
        _goal(failed == 0, f"no call failed in SIPp: {failed}"),
    ]


def _goal(reached: bool, text: str) -> str:
    return f"{'reached' if reached else 'MISSED '}  {text}"
