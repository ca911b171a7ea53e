"""What reports answer, as types for the OpenAPI description: made from the rows that have the columns of all."""

from typing import Any

from pydantic import BaseModel, Field, create_model

from acd.reports import reports
from acd.reports.figures import FIELDS, MEANINGS, Figure
from acd.reports.tallies import Terms


class FigureAnswer(BaseModel):
    """A figure. `value`: numerator / denominator, null where there is nothing to divide by."""

    value: float | None
    numerator: float
    denominator: float
    formula: str


class WithinAnswer(BaseModel):
    """Calls answered and abandoned within a number of seconds."""

    threshold: float
    answered: int
    abandoned: int


class FormulaAnswer(BaseModel):
    """What a figure is computed by; the names are fields of the same item."""

    formula: str
    meaning: str


class ReportAnswer(BaseModel):
    """The head of every report. `from`, `to`: as far as it reaches; `queues`, `agents`: null for all."""

    report: str
    handler: str
    start: str = Field(alias="from")
    to: str
    tz: str
    queues: list[str] | None
    agents: list[str] | None
    interval: str | None = None
    threshold: float | None = None
    short_abandon: float | None = None
    figures: dict[str, FormulaAnswer]
    next: None


NULLABLE: dict[str, Any] = {  # what may be null in a row, and what it is else
    "agent": str,
    "session": str,
    "outcome": str,
    "disposition": str,
    "answered": str,
    "ended": str,
    **dict.fromkeys(("ring_time", "wait_time", "talk_time", "wrap_up_time"), int),
    **dict.fromkeys(("ring_time_exact", "wait_time_exact", "talk_time_exact", "wrap_up_time_exact"), float),
}


def _type(name: str, value: Any) -> Any:
    match value:
        case None:
            return NULLABLE[name] | None
        case Figure():
            return FigureAnswer
        case dict():
            return dict[str, float]
        case list():
            return list[WithinAnswer] if name == "histogram" else list[CALL]  # type: ignore[valid-type]
    return type(value)


def _row(title: str, blank: reports.Row) -> Any:
    """`from` is no name in Python, so it has another there."""
    fields: dict[str, Any] = {}
    for name, value in blank.items():
        about = FIELDS.get(name) or MEANINGS.get(name)
        if name == "from":
            fields["start"] = (str, Field(alias="from"))
        else:
            fields[name] = (_type(name, value), Field(description=about))
    return create_model(title, **fields)


def _report(title: str, row: Any) -> Any:
    return create_model(title, __base__=ReportAnswer, items=(list[row], ...))


CALL = _row("LedgerCall", reports.blank_call())
_TERMS = Terms()
ANSWERS: dict[str, Any] = {
    "queues": _report("QueuesReport", _row("QueueFigures", reports.blank_queue(_TERMS))),
    "intervals": _report("IntervalsReport", _row("IntervalFigures", reports.blank_queue_interval(_TERMS))),
    "agents": _report("AgentsReport", _row("AgentFigures", reports.blank_agent())),
    "agent-intervals": _report("AgentIntervalsReport", _row("AgentIntervalFigures", reports.blank_agent_interval())),
    "reasons": _report("ReasonsReport", _row("ReasonFigures", reports.blank_reason())),
    "dispositions": _report("DispositionsReport", _row("DispositionFigures", reports.blank_disposition())),
    "calls": _report("CallsReport", CALL),
    "timeline": _report("TimelineReport", _row("Stretch", reports.blank_stretch())),
}
