"""The outcome of an audit, for people and for programs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from acd.audit.audit import Audit, Suspect
from acd.audit.compare import SECOND, SLACK, Difference, Value
from acd.audit.explain import KINDS
from acd.audit.live import NEVER, Live
from acd.audit.sums import OF_AGENTS, Sum

MOMENTS = frozenset({"entered", "answered", "left", "ended"})
MOST_SHOWN = 200  # differences in the text; the JSON has all

Json = dict[str, Any]


@dataclass(slots=True)
class Read:
    """What was read of queue_log."""

    path: str
    first: int | None = None
    last: int | None = None
    lines: int = 0
    malformed: int = 0
    samples: list[str] = field(default_factory=list)  # some of the malformed ones
    back: int = 0  # lines that are older than the one before


@dataclass(frozen=True, slots=True)
class Report:
    handler: str
    audit: Audit
    read: Read
    strays: int
    notes: list[str]  # sentences about the period
    live: Live | None

    @property
    def status(self) -> int:
        """0 when everything is equal or explained, else 1."""
        wrong = [each for each in self.live.figures() if not each.agrees] if self.live is not None else []
        return int(bool(self.audit.unexplained or wrong))


def moment(at: float) -> str:
    """Seconds since 1970 as ISO 8601 UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# For programs ---------------------------------------------------------------------------------------------


def as_json(report: Report) -> str:
    """The shape that docs/operations.md describes."""
    audit, read = report.audit, report.read
    return json.dumps(
        {
            "handler": report.handler,
            "from": moment(audit.start),
            "to": moment(audit.end),
            "bounds": {"moment_seconds": [-SLACK, SECOND + SLACK], "span_seconds": SECOND + SLACK},
            "queue_log": {
                "path": read.path,
                "first": None if read.first is None else moment(read.first),
                "last": None if read.last is None else moment(read.last),
                "lines": read.lines,
                "malformed": read.malformed,
                "malformed_samples": read.samples,
                "out_of_order": read.back,
                "strays": report.strays,
            },
            "calls": {
                "compared": audit.compared,
                "equal": audit.equal,
                "explained": dict(audit.explained),
                "unexplained": audit.unexplained,
                "left_out": {"began_before": audit.began_before, "going_on": audit.going_on},
            },
            "differences": [_difference(each, one) for each in audit.suspects for one in each.differences],
            "queues": _tables(audit.sums.queues),
            "agents": _tables(audit.sums.agents, OF_AGENTS),
            "api": None if report.live is None else _live(report.live),
            "notes": report.notes,
        },
        indent=2,
        ensure_ascii=False,
    )


def _difference(suspect: Suspect, one: Difference) -> Json:
    return {
        "call": _call(suspect),
        "queue": _queue(suspect),
        "entered": moment(_entered(suspect)),
        "figure": one.figure,
        "acd": _plain(one.figure, one.acd),
        "queue_log": _plain(one.figure, one.log),
        "explained": one.kind,
        "why": one.why,
    }


def _plain(figure: str, value: Value) -> Value:
    if isinstance(value, int | float):
        return moment(value) if figure in MOMENTS else round(value, 3)
    return value


def _tables(sums: Mapping[str, tuple[Sum, Sum]], only: tuple[str, ...] = ()) -> Json:
    return {
        name: {figure: dict(zip(("acd", "queue_log", "difference"), values, strict=True)) for figure, values in table}
        for name, table in ((name, _table(*both, only)) for name, both in sorted(sums.items()))
    }


def _table(acd: Sum, log: Sum, only: tuple[str, ...]) -> list[tuple[str, tuple[float, float, float]]]:
    ours, theirs = acd.figures(), log.figures()
    names = only or tuple(ours)
    return [(name, (ours[name], theirs[name], round(ours[name] - theirs[name], 3))) for name in names]


def _live(live: Live) -> Json:
    return {
        "figures": [
            {"of": each.of, "figure": each.name, "acd": each.acd, "audited": round(each.audited, 6)}
            | {"within": each.within, "agrees": each.agrees}
            for each in live.figures()
        ],
        "not_compared": [{"what": what, "why": why} for what, why in _left_out(live)],
    }


def _left_out(live: Live) -> Iterator[tuple[str, str]]:
    yield from ((what, "the database does not tell when its period began") for what in live.unknown)
    yield from ((what, "a call moved in the seconds of the question") for what in live.moving)
    yield from NEVER.items()


# For people -----------------------------------------------------------------------------------------------


def as_text(report: Report) -> Iterator[str]:
    """Line by line."""
    audit, read = report.audit, report.read
    yield f"{report.handler}: {moment(audit.start)} to {moment(audit.end)}, {read.path}"
    yield from report.notes
    yield from _about_the_log(report)
    yield from _differences(audit)
    yield from _sums("queue", audit.sums.queues)
    yield from _sums("agent", audit.sums.agents, OF_AGENTS)
    if report.live is not None:
        yield from _about_the_api(report.live)
    yield from _summary(audit)


def _about_the_log(report: Report) -> Iterator[str]:
    read = report.read
    if read.malformed:
        yield f"{read.malformed} of {read.lines} lines are none of Asterisk's own, they are passed over, such as:"
        yield from (f"    {sample!r}" for sample in read.samples)
    if read.back:
        yield f"{read.back} lines are older than the one before: is a copy of queue_log beside it?"
    if report.strays:
        yield f"{report.strays} lines are about a visit whose beginning is not in queue_log"


def _differences(audit: Audit) -> Iterator[str]:
    by_weight = sorted(audit.suspects, key=lambda each: bool(each.kinds))  # what nothing explains comes first
    for suspect in by_weight[:MOST_SHOWN]:
        yield ""
        yield f"call {_call(suspect)} in queue {_queue(suspect)}, {moment(_entered(suspect))}"
        for one in suspect.differences:
            acd, log = _worded(one.figure, one.acd), _worded(one.figure, one.log)
            told = f"{one.kind}: {one.why}" if one.kind else "UNEXPLAINED" + (f": {one.why}" if one.why else "")
            yield f"    {one.figure}: acd {acd}, queue_log {log}; {told}"
    if len(by_weight) > MOST_SHOWN:
        yield f"... and {len(by_weight) - MOST_SHOWN} calls more, see --json"
    if audit.beyond:
        yield f"{audit.beyond} calls more differ; they count as unexplained"


def _worded(figure: str, value: Value) -> str:
    if value is None:
        return "has none"
    plain = _plain(figure, value)
    return f"{plain:g} s" if isinstance(plain, int | float) else plain or "-"


def _call(suspect: Suspect) -> str:
    if suspect.row is not None:
        return suspect.row.call
    return suspect.visit.call if suspect.visit is not None else ""


def _queue(suspect: Suspect) -> str:
    known = suspect.row or suspect.visit
    return known.queue if known is not None else ""


def _entered(suspect: Suspect) -> float:
    known = suspect.row or suspect.visit
    return known.entered if known is not None else 0.0


def _sums(what: str, sums: Mapping[str, tuple[Sum, Sum]], only: tuple[str, ...] = ()) -> Iterator[str]:
    for name, (acd, log) in sorted(sums.items()):
        yield ""
        yield f"{what} {name:<28} {'acd':>12} {'queue_log':>12} {'difference':>12}"
        for figure, values in _table(acd, log, only):
            if any(values) or figure in ("offered", "answered"):
                yield f"    {figure:<30} " + " ".join(f"{value:>12g}" for value in values)


def _about_the_api(live: Live) -> Iterator[str]:
    yield ""
    figures = live.figures()
    wrong = [each for each in figures if not each.agrees]
    yield f"api: {len(figures)} figures compared, {len(wrong)} differ"
    for each in wrong:
        yield f"    {each.of}: {each.name}: acd {each.acd:g}, the audited calls make it {each.audited:g}; UNEXPLAINED"
    yield from (f"    not compared: {what}: {why}" for what, why in _left_out(live))


def _summary(audit: Audit) -> Iterator[str]:
    yield ""
    explained = sum(bool(each.kinds) for each in audit.suspects)
    yield (
        f"{audit.compared} calls compared: {audit.equal} equal, {explained} explained, "
        f"{audit.unexplained} unexplained; left out: {audit.began_before} begun before, {audit.going_on} not over then"
    )
    for kind, text in KINDS.items():
        if audit.explained[kind]:
            yield f"    {kind} {audit.explained[kind]}: {text}"
