"""What reports answer, as types for the description of the API, with the meaning and an example of each field.

The types are made from the rows themselves: those of a small call center on one morning.
"""

from typing import Any, NotRequired, TypedDict

from acd.reports import reports
from acd.reports.figures import FIELDS, MEANINGS, Figure
from acd.reports.formats import figures_of, plain
from acd.reports.reports import Period, Row
from acd.reports.rows import AgentTime, Call
from acd.reports.tallies import Terms
from acd.web import answers, fields
from acd.web.fields import Field

Made: Any = TypedDict  # with fields that no checker knows beforehand


class ReportFigure(TypedDict):
    """A figure: numerator / denominator."""

    value: float | None
    numerator: float
    denominator: float
    formula: str


class ReportFormula(TypedDict):
    """How a figure is computed, and what it says."""

    formula: str
    meaning: str


class LedgerRow(answers.Call):
    """A row of the ledger, with the Asterisk server that the call came to."""

    handler: str


class WithinLimit(TypedDict):
    """Calls answered and abandoned within a number of seconds."""

    threshold: float
    answered: int
    abandoned: int


LABELS: dict[str, Field] = {
    "from": Field("When the interval or stretch begins, ISO 8601 UTC.", "2026-11-20T08:00:00.000000Z"),
    "to": Field("When it ends.", "2026-11-20T08:15:00.000000Z"),
    "local_from": Field("When it begins by the clock of `tz`, with its offset.", "2026-11-20T09:00:00+01:00"),
    "handler": Field("The Asterisk server to which it belongs; null: to all that were asked for.", "main"),
    "queue": Field("The name of the queue; null: of all of them.", "support"),
    "agent": Field("The agent's name in addresses; null: of all of them.", "1001"),
    "reason": Field("Why the agent was not ready; empty: none was given.", "lunch"),
    "disposition": Field("The after-call code; null: of answered calls without one.", "sold"),
    "histogram": Field("Calls answered and abandoned within each threshold, those of the shorter ones included."),
    "not_ready_reasons": Field("Seconds NOT_READY by reason."),
    "since": Field("When the stretch began, also before the period.", "2026-11-20T08:00:00.000000Z"),
    "seconds": Field("How long the stretch is, as far as it is in the period.", 60.0),
    "state": Field("The name of an AGENT_STATE, or LOGGED_OFF.", "READY"),
    "wrap_up": Field("BUSY_ACD is nothing but after-call work.", False),
    "calls": Field("The calls that the agent handled in it."),
}
HEAD: dict[str, Field] = {
    "report": Field("The name of the report.", "queues"),
    "handler": Field("The Asterisk server that was asked for; null: every one.", "main"),
    "handlers": Field("Those of which it tells: within reach.", ["main"]),
    "from": Field("Where it begins: not before the day of the first record.", "2026-11-20T08:00:00.000000Z"),
    "to": Field("Where it ends: never beyond now.", "2026-11-20T09:00:00.000000Z"),
    "tz": Field("The time zone.", "Europe/Berlin"),
    "queues": Field("Only of these; null: of all.", None),
    "agents": Field("Only of these; null: of all.", None),
    "interval": Field("The length of the intervals.", "15m"),
    "threshold": Field("Seconds of the service level.", 20.0),
    "short_abandon": Field("Seconds up to which an abandoned call is a short one.", 5.0),
    "by": Field("What has a row of its own: each queue or agent, each handler, or all of them one.", "each"),
    "figures": Field("The formula and the meaning of each figure in the items."),
    "items": Field("The rows."),
    "next": Field("null: a report has no pages.", None),
}
fields.FIELDS.update(
    {
        "ReportFigure.value": Field("numerator / denominator; null: there is nothing to divide by.", 0.75),
        "ReportFigure.numerator": Field("What stands above the line.", 3),
        "ReportFigure.denominator": Field("What stands below it.", 4),
        "ReportFigure.formula": Field("Both, in the names of fields of the same item.", "answered_within / offered"),
        "ReportFormula.formula": Field("In the names of fields of the same item.", "answered_within / offered"),
        "ReportFormula.meaning": Field("What it says, for people.", MEANINGS["service_level_of_offered"]),
        **{f"LedgerRow.{name}": fields.field_of("Call", name) for name in answers.Call.__annotations__},
        "WithinLimit.threshold": Field("Seconds.", 20.0),
        "WithinLimit.answered": Field("Calls answered within them.", 3),
        "WithinLimit.abandoned": Field("Calls abandoned within them.", 1),
    }
)

NINE = 1763712000.0  # one morning


def _call(number: int, wait: float, **more: Any) -> Call:
    entered = NINE + 60.0 * number
    call = Call(
        "main",
        f"{entered}.{number}/support/1",
        f"{entered:.0f}.{number}",
        "support",
        "+49305551234",
        "1001",
        "c0ffee1234567890",
        entered,
        entered + wait,
        entered + wait + 95.5,
        4.25,
        wait,
        95.5,
        10.0,
        20.0,
        "answered",
        "sold",
        False,
    )
    return call._replace(**more)


NOBODY = dict.fromkeys(("agent", "session", "answered", "ring_time", "talk_time", "wrap_up_time", "disposition"))
CALLS = [_call(0, 6.25), _call(5, 31.0, disposition=None), _call(8, 12.0, outcome="abandoned", **NOBODY)]
TIMES = [
    AgentTime("main", "1001", NINE, "READY", "", False),
    AgentTime("main", "1001", NINE + 6.25, "BUSY_ACD", "", False),
    AgentTime("main", "1001", NINE + 101.75, "BUSY_ACD", "", True),
    AgentTime("main", "1001", NINE + 121.75, "NOT_READY", "lunch", False),
]
MORNING = Period(NINE, NINE + 900.0)


def _type(name: str, value: Any) -> Any:
    match value:
        case Figure():
            return ReportFigure
        case dict():
            return dict[str, float]
        case list():
            return list[WithinLimit] if name == "histogram" else list[answers.Call]
        case str() if name in ("disposition", "handler", "queue", "agent"):
            return str | None
        case str() if name in ("from", "to", "local_from", "since"):
            return answers.Time
    return type(value)


def _row(title: str, about: str, row: Row) -> Any:
    """The type of such a row."""
    for name, value in row.items():
        text = FIELDS.get(name) or MEANINGS.get(name) or LABELS[name].text
        fields.FIELDS[f"{title}.{name}"] = Field(f"{text[0].upper()}{text[1:]}.".replace("..", "."), plain(value))
    made = Made(title, {name: _type(name, value) for name, value in row.items()})
    made.__doc__ = about
    return made


def _report(title: str, about: str, row_type: Any, sample: Row) -> Any:
    """The type of a report of such rows."""
    head = {
        "report": str,
        "handler": str | None,
        "handlers": list[str],
        "from": answers.Time,
        "to": answers.Time,
        "tz": str,
        "queues": list[str] | None,
        "agents": list[str] | None,
        "interval": NotRequired[str],
        "threshold": NotRequired[float],
        "short_abandon": NotRequired[float],
        "by": NotRequired[str],
        "figures": dict[str, ReportFormula],
        "items": list[row_type],
        "next": None,
    }
    for name, field in HEAD.items():
        fields.FIELDS[f"{title}.{name}"] = field
    fields.FIELDS[f"{title}.figures"] = HEAD["figures"]._replace(example=figures_of(sample))
    made = Made(title, head)
    made.__doc__ = about
    return made


def _made(title: str, about: str, sample: Row) -> Any:
    return _report(
        f"{title}Report", about, _row(title, f"A row of the report: {about[0].lower()}{about[1:]}", sample), sample
    )


def _interval(row: Row) -> Row:
    return {name: LABELS[name].example for name in ("from", "to", "local_from")} | row


(QUEUE,) = reports.queues(CALLS, Terms())
(AGENT,) = reports.agents(CALLS, TIMES, MORNING)
(REASON,) = reports.reasons(TIMES, MORNING)
CODED = next(reports.dispositions(CALLS))
STRETCH = list(reports.timeline(CALLS, TIMES, MORNING))[1]

ANSWERS: dict[str, Any] = {
    "queues": _made("QueueFigures", "The figures of a queue.", QUEUE),
    "intervals": _made("QueueIntervalFigures", "The figures of a queue in an interval.", _interval(QUEUE)),
    "agents": _made("AgentFigures", "The figures of an agent.", AGENT),
    "agent-intervals": _made("AgentIntervalFigures", "The figures of an agent in an interval.", _interval(AGENT)),
    "reasons": _made("ReasonFigures", "How long and how often an agent was not ready for a reason.", REASON),
    "dispositions": _made("DispositionFigures", "The answered calls of a queue with an after-call code.", CODED),
    "calls": _report("CallsReport", "The ledger of a period.", LedgerRow, {}),
    "timeline": _made("AgentStretch", "What an agent did for a while.", STRETCH),
}
