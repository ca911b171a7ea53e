"""Lays acd's ledger and figures beside what is told of the same calls. Each finding is a sentence."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.chaos.told import TALKED, Leg, Told, Witness
from tests.e2e.desk import Json, moment

NEAR = 1.0  # seconds by which a time may differ
FREED_WITHIN = 3.0  # seconds after a fault in which agents whose wrap-up ran out meanwhile are told
CROSSED = 0.3  # seconds of a talk that was none: the answer and the caller's goodbye crossed
SUMS = 0.01  # seconds by which a sum may differ, for rounding
SAME = {  # queue_log's word -> outcomes
    **dict.fromkeys(TALKED, ("answered",)),
    "ABANDON": ("abandoned",),
    "EXITWITHTIMEOUT": ("timed_out", "flowed_out"),
    "EXITWITHKEY": ("left_by_key", "flowed_out"),
    "EXITEMPTY": ("left_empty", "flowed_out"),
    "WITHDRAW": ("withdrawn", "flowed_out"),
}
KINDS = ("lost", "double", "wrong", "stuck", "other")
Span = tuple[float, float]


@dataclass
class Findings:
    """What is not as it should be."""

    calls: int = 0
    lost: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    to_truth: list[float] = field(default_factory=list)

    @property
    def bad(self) -> bool:
        return bool(self.sentences())

    def sentences(self) -> list[str]:
        return [f"{kind}: {finding}" for kind in KINDS for finding in getattr(self, kind)]


@dataclass
class Outages:
    """When something was broken. ends: Asterisk was ending. hurt: it could not do its work. away: acd could not tell it
    anything."""

    ends: list[Span] = field(default_factory=list)
    hurt: list[Span] = field(default_factory=list)
    away: list[Span] = field(default_factory=list)


def within(at: float, spans: Iterable[Span], margin: float = 0.0) -> bool:
    return any(first - margin <= at <= last + margin for first, last in spans)


def off(row_time: str | None, whole: int) -> float:
    """By how many seconds a time lies outside a whole second."""
    if row_time is None:
        return float("inf")
    at = moment(row_time)
    return max(0.0, whole - at, at - (whole + 1))


# The ledger against queue_log -------------------------------------------------------------------------------------


def compare_ledger(
    told: Sequence[Told], rows: Sequence[Json], user_of: dict[str, str], outages: Outages, witness: Witness
) -> Findings:
    """user_of: agent id -> the name in queue_log."""
    found = Findings(calls=len(told))
    rows_of: dict[tuple[str, str], list[Json]] = {}
    for row in rows:
        rows_of.setdefault((row["call"], row["queue"]), []).append(row)
    for one in told:
        mine = rows_of.get((one.call, one.queue), [])
        if not mine:
            found.lost.append(f"{one}")
            continue
        row = min(mine, key=lambda row: off(row["entered"], one.entered))
        mine.remove(row)
        if faults := list(_faults(one, row, user_of, outages, witness)):
            found.wrong.append(f"{', '.join(faults)}: {one} {row}")
    known = {(one.call, one.queue) for one in told}
    for key, left in rows_of.items():
        for row in left:
            if key in known:
                found.double.append(f"{row}")
            else:
                found.wrong.append(f"queue_log knows no such call: {row}")
    return found


def _faults(told: Told, row: Json, user_of: dict[str, str], outages: Outages, witness: Witness) -> Iterable[str]:
    if row["outcome"] not in outcomes(told, outages.ends, witness):
        yield f"outcome {row['outcome']}"
    if (by := off(row["entered"], told.entered)) > NEAR:
        yield f"entered off by {by:.1f} s"
    if told.connected is not None:
        if user_of.get(row["agent"] or "") != told.agent:
            yield f"agent {row['agent']}"
        if (by := off(row["answered"], told.connected)) > NEAR:
            yield f"answered off by {by:.1f} s"
    elif row["agent"] is not None or row["answered"] is not None:
        yield "an agent, where there was none"
    if (by := _end_off(told, row, outages.ends)) > NEAR:
        yield f"ended off by {by:.1f} s"
    if told.freed is not None and (by := _wrap_up_off(row, told.freed, outages.away)) > NEAR:
        yield f"wrap-up off by {by:.1f} s"
    yield from _contradictions(row)


def outcomes(told: Told, ends: Sequence[Span], witness: Witness) -> tuple[str, ...]:
    """What the outcome may be. Who waits when Asterisk ends did not give up, though queue_log says so."""
    if told.connected is not None:
        return ("answered",)
    if told.ended is None:
        return ("lost",)
    if told.word == "ABANDON" and within(told.ended, ends, margin=1):
        caller = witness.callers.get(told.caller)
        gave_up = caller is not None and caller.by == "us" and within(caller.ended or 0, ends, margin=1)
        return ("abandoned", "lost") if gave_up else ("lost",)
    return SAME[told.word]


def _end_off(told: Told, row: Json, ends: Sequence[Span]) -> float:
    if told.ended is not None:
        return off(row["ended"], told.ended)
    if row["ended"] is None:
        return float("inf")
    at = moment(row["ended"])  # it was cut
    return 0.0 if within(at, ends) else min((abs(at - edge) for span in ends for edge in span), default=float("inf"))


def _wrap_up_off(row: Json, freed: int, away: Sequence[Span]) -> float:
    """After-call work lasts until the agent is told what comes next. Of one that ran out while nobody could tell him,
    both the planned end and the real one are right."""
    if row["ended"] is None or row["wrap_up_time_exact"] is None:
        return float("inf")
    at = moment(row["ended"]) + float(row["wrap_up_time_exact"])
    since = [first for first, last in away if first - 1 <= freed <= last + FREED_WITHIN]
    return max(0.0, min([float(freed), *since]) - at, at - (freed + 1))


def _contradictions(row: Json) -> Iterable[str]:
    """Within the row itself."""
    left = row["answered"] or row["ended"]
    if left is None:
        return
    if row["wait_time_exact"] is None or abs(row["wait_time_exact"] - (moment(left) - moment(row["entered"]))) > SUMS:
        yield "the wait is not the time from entry to exit"
    if row["answered"] is not None and row["ended"] is not None:
        talk = moment(row["ended"]) - moment(row["answered"])
        if row["talk_time_exact"] is None or abs(row["talk_time_exact"] - talk) > SUMS:
            yield "the talk is not the time from answer to end"


# queue_log against the phones -------------------------------------------------------------------------------------


def compare_phones(told: Sequence[Told], witness: Witness, phone_of: dict[str, str], hurt: Sequence[Span]) -> list[str]:
    """Whether what acd is measured by is right itself, but for calls while Asterisk was hurt."""
    findings, talks = [], witness.talks()
    for one in told:
        if one.connected is None or one.ended is None:
            continue
        if any(one.entered <= last + 1 and first - 1 <= one.ended + 1 for first, last in hurt):
            continue
        mine = [leg for leg in talks if leg.caller == one.caller and leg.phone == phone_of.get(one.agent)]
        if not any(_same_talk(leg, one) for leg in mine):
            findings.append(f"the phones do not tell of the same talk: {one} {mine}")
    counted = Counter((one.caller, phone_of.get(one.agent)) for one in told if one.connected is not None)
    findings += [
        f"a talk that queue_log does not know: {leg}"
        for leg in talks
        if not counted[leg.caller, leg.phone] and not _crossed(leg) and not within(leg.answered or 0, hurt, margin=2)
    ]
    return findings


def _crossed(leg: Leg) -> bool:
    return leg.ended is not None and leg.ended - (leg.answered or 0) < CROSSED


def _same_talk(leg: Leg, told: Told) -> bool:
    pairs = ((leg.answered, told.connected), (leg.ended, told.ended))
    return all(
        ours is not None and theirs is not None and theirs - NEAR <= ours <= theirs + 1 + NEAR for ours, theirs in pairs
    )


# Figures against the ledger ---------------------------------------------------------------------------------------


def compare_figures(
    queues: Sequence[Json], agents: Sequence[Json], sessions: Sequence[Json], rows: Sequence[Json]
) -> list[str]:
    """Whether the sums that acd shows are those of its rows."""
    return [
        *(fault for queue in queues for fault in _queue(queue, [row for row in rows if row["queue"] == queue["name"]])),
        *(fault for agent in agents for fault in _agent(agent, [row for row in rows if row["agent"] == agent["id"]])),
        *(fault for one in sessions for fault in _session(one, [row for row in rows if row["session"] == one["id"]])),
    ]


def _queue(queue: Json, rows: Sequence[Json]) -> Iterable[str]:
    def having(*outcomes: str) -> int:
        return sum(row["outcome"] in outcomes for row in rows)

    waits = [row["wait_time_exact"] or 0.0 for row in rows]
    yield from _unequal(
        f"queue {queue['name']}",
        queue,
        {
            "total_calls_queued": len(rows),
            "current_calls_queued": 0,
            "total_calls_answered": having("answered"),
            "total_calls_abandoned": having("abandoned"),
            "total_calls_flowed_out": having("flowed_out"),
            "final_disposition": len(rows) - having("answered", "abandoned", "flowed_out"),
            "longest_ever_wait_time_exact": max(waits, default=0.0),
            "average_wait_time_exact": sum(waits) / len(waits) if waits else 0.0,
        },
    )


def _agent(agent: Json, rows: Sequence[Json]) -> Iterable[str]:
    expected = {
        "number_of_acd_calls": len(rows),
        "total_acd_talk_time_exact": _sum(rows, "talk_time_exact"),
        "total_wrap_up_time_exact": _sum(rows, "wrap_up_time_exact"),
        "number_of_incoming_calls": 0,
        "number_of_outgoing_calls": 0,
    }
    yield from _unequal(f"agent {agent['id']}", agent, expected)


def _session(session: Json, rows: Sequence[Json]) -> Iterable[str]:
    expected = {
        "number_of_calls": len(rows),
        "total_talk_time_exact": _sum(rows, "talk_time_exact"),
        "total_wrap_up_time_exact": _sum(rows, "wrap_up_time_exact"),
    }
    yield from _unequal(f"session {session['id']} of {session['agent']}", session, expected)


def _sum(rows: Sequence[Json], name: str) -> float:
    return float(sum(row[name] or 0.0 for row in rows))


def _unequal(what: str, shown: Json, expected: dict[str, float]) -> Iterable[str]:
    for name, value in expected.items():
        if abs(shown[name] - value) > SUMS:
            yield f"{what}: {name} is {shown[name]}, its rows say {value:.3f}"


def gaps(numbers: Sequence[int]) -> list[str]:
    """In sequence numbers that should go up by one."""
    return [f"event {one} is followed by {other}" for one, other in pairwise(numbers) if other != one + 1]
