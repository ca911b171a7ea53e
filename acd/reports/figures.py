"""Every figure with its formula. The text is what is computed: each name in it is a field of the same row."""

from collections.abc import Callable, Mapping
from operator import add, itemgetter, sub
from typing import NamedTuple

MICRO = 1_000_000
Fields = Mapping[str, int]

FORMULAS: dict[str, str] = {
    "service_level_of_answered": "answered_within / answered",
    "service_level_of_offered": "answered_within / offered",
    "service_level_ignoring_early_abandons": "answered_within / (offered - abandoned_within)",
    "service_level_with_early_abandons": "(answered_within + abandoned_within) / offered",
    "answer_rate": "answered / offered",
    "abandon_rate": "abandoned / offered",
    "abandon_rate_without_short": "(abandoned - short_abandoned) / (offered - short_abandoned)",
    "average_speed_of_answer": "answered_wait_time / answered",
    "average_time_to_abandon": "abandoned_wait_time / abandoned",
    "average_ring_time": "ring_time / rung",
    "average_talk_time": "talk_time / handled",
    "average_hold_time": "hold_time / handled",
    "average_after_call_work": "wrap_up_time / handled",
    "average_handling_time": "(talk_time + wrap_up_time) / handled",
    "occupancy": "busy_acd_time / (busy_acd_time + ready_time)",
    "utilisation": "busy_acd_time / logged_on_time",
    "not_ready_share": "not_ready_time / logged_on_time",
    "reason_share": "reason_time / logged_on_time",
    "disposition_share": "coded / answered",
}

MEANINGS: dict[str, str] = {
    "service_level_of_answered": "of the calls that were answered, the share answered within the threshold",
    "service_level_of_offered": "of all calls offered, the share answered within the threshold; "
    "every abandoned call counts against it",
    "service_level_ignoring_early_abandons": "the same without the calls abandoned within the threshold",
    "service_level_with_early_abandons": "the same, and calls abandoned within the threshold count as served",
    "answer_rate": "share of the calls offered that were answered",
    "abandon_rate": "share of the calls offered that were abandoned",
    "abandon_rate_without_short": "the same without calls abandoned within the short-abandon limit",
    "average_speed_of_answer": "ASA: how long answered callers waited",
    "average_time_to_abandon": "how long callers waited who abandoned",
    "average_ring_time": "how long the phone rang that answered",
    "average_talk_time": "ATT: how long a handled call was talked, hold included",
    "average_hold_time": "how long a handled call was on hold",
    "average_after_call_work": "ACW: how long the wrap-up of a handled call was",
    "average_handling_time": "AHT: how long a handled call was talked, hold included, and wrapped up",
    "occupancy": "of the time in which an agent handled queue calls or was ready for them, the share in which he did",
    "utilisation": "of the time logged on, the share in which an agent handled queue calls",
    "not_ready_share": "of the time logged on, the share in which an agent was not ready",
    "reason_share": "of the time logged on, the share in which an agent was not ready for this reason",
    "disposition_share": "of the answered calls of the queue, the share with this after-call code",
}

OF_WAITING = (
    "service_level_of_answered",
    "service_level_of_offered",
    "service_level_ignoring_early_abandons",
    "service_level_with_early_abandons",
    "answer_rate",
    "abandon_rate",
    "abandon_rate_without_short",
    "average_speed_of_answer",
    "average_time_to_abandon",
)
OF_HANDLING = (
    "average_ring_time",
    "average_talk_time",
    "average_hold_time",
    "average_after_call_work",
    "average_handling_time",
)
OF_TIME = ("occupancy", "utilisation", "not_ready_share")

FIELDS: dict[str, str] = {
    "entered": "calls that entered the queue",
    "waiting": "of those, the ones that still wait; they are in no figure",
    "unknown": "of those, the ones of which nobody knows how or when their wait ended; they are in no figure",
    "estimated": "of those, the ones with a time that was concluded, not observed; they are in the figures",
    "offered": "entered - waiting - unknown",
    "answered": "calls that an agent answered",
    "abandoned": "calls whose callers hung up while they waited",
    "timed_out": "calls that waited too long and went on elsewhere than to a queue",
    "left_empty": "calls that the queue let go because it had no agents",
    "left_by_key": "calls whose callers left by a key",
    "withdrawn": "calls that a supervisor took out of the queue",
    "flowed_out": "calls that went on to another queue",
    "redirected": "calls that somebody took elsewhere",
    "lost": "calls that waited when Asterisk died",
    "answered_within": "calls answered within the threshold",
    "abandoned_within": "calls abandoned within the threshold",
    "short_abandoned": "calls abandoned within the short-abandon limit",
    "answered_wait_time": "seconds that answered callers waited",
    "abandoned_wait_time": "seconds that callers waited who abandoned",
    "longest_wait_time": "seconds of the longest wait among the calls offered",
    "handled": "answered calls whose talk and wrap-up are over and known",
    "unhandled": "answered calls that go on, or whose talk or wrap-up nobody knows; they are in no average of handling",
    "talk_time": "seconds of talk of the handled calls, hold included",
    "hold_time": "seconds of hold in it",
    "wrap_up_time": "seconds of wrap-up of the handled calls",
    "rung": "answered calls of which it is known how long the phone rang",
    "ring_time": "seconds that their phones rang until the answer",
    "logged_on_time": "seconds logged on; UNKNOWN is not in it",
    "ready_time": "seconds READY",
    "not_ready_time": "seconds NOT_READY",
    "busy_acd_time": "seconds BUSY_ACD: with a queue call or its wrap-up",
    "after_call_work_time": "of those, the seconds of nothing but wrap-up",
    "busy_incoming_time": "seconds BUSY_INCOMING: with a call that came from elsewhere",
    "busy_outgoing_time": "seconds BUSY_OUTGOING: with a call that the agent made",
    "unknown_time": "seconds UNKNOWN; they are in no figure",
    "reason_time": "seconds NOT_READY for this reason",
    "begun": "how often the agent went NOT_READY for this reason; what began before the report is not counted",
    "coded": "answered calls with this after-call code",
}


class Figure(NamedTuple):
    """`value` is numerator / denominator, None where there is nothing to divide by."""

    value: float | None
    numerator: float
    denominator: float
    formula: str


def is_time(name: str) -> bool:
    """Whether a field is kept in microseconds and shown in seconds; the others are counts."""
    return name.endswith("_time")


def shown(fields: Fields) -> dict[str, float]:
    """Fields as they are shown."""
    return {name: value / MICRO if name in TIMES else value for name, value in fields.items()}


def figure(name: str, fields: Fields) -> Figure:
    """A figure of a row's fields, which are counts, and times in microseconds."""
    above, above_unit, below, below_unit = COMPUTED[name]
    numerator, denominator = above(fields), below(fields)
    if above_unit != 1:
        numerator /= above_unit
    if below_unit != 1:
        denominator /= below_unit
    return Figure(round(numerator / denominator, 6) if denominator else None, numerator, denominator, FORMULAS[name])


def _part(text: str) -> Callable[[Fields], float]:
    """A name, or two with their sign between them."""
    match text.strip("()").split():
        case [name]:
            return itemgetter(name)
        case [one, sign, other]:
            combine = {"+": add, "-": sub}[sign]
            return lambda fields: combine(fields[one], fields[other])
    raise ValueError(text)


def _unit(text: str) -> int:
    return MICRO if is_time(text.strip("()").split()[0]) else 1


def _computed(formula: str) -> tuple[Callable[[Fields], float], int, Callable[[Fields], float], int]:
    above, _, below = formula.partition(" / ")
    return _part(above), _unit(above), _part(below), _unit(below)


TIMES = frozenset(filter(is_time, FIELDS))
COMPUTED = {name: _computed(formula) for name, formula in FORMULAS.items()}
