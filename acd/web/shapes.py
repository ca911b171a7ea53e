"""What goes out: views of the core as JSON, names as in the TAPI contract."""

import time
from collections.abc import Callable
from dataclasses import is_dataclass
from decimal import Decimal
from enum import IntEnum
from operator import attrgetter
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

from acd.clock import moment
from acd.core.center import Center
from acd.core.records import Agent, AgentSession, Group, Monitor
from acd.core.states import AddressState
from acd.core.views import Moment, agent_view, queue_view, session_view
from acd.web import answers
from acd.web.requests import Handler, Json


def moment_now() -> str:
    """The present, as ISO 8601 UTC."""
    return moment(time.time())


def _same(value: Any) -> Any:
    return value


def _rounded(value: float) -> float:
    return round(value, 6)


def _four_places(value: Decimal) -> str:
    return f"{value:.4f}"


def _name(value: IntEnum) -> str:
    return value.name


def _writer(kind: Any) -> Callable[[Any], Any]:
    """How a value of this type is written."""
    kinds = [each for each in get_args(kind) or (kind,) if each is not NoneType]
    write = _WRITERS.get(kinds[0]) or _writer_of(kinds[0])
    if write is _same or len(kinds) == len(get_args(kind) or (kind,)):
        return write
    return lambda value: None if value is None else write(value)


def _writer_of(kind: Any) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        return shape
    return _name if isinstance(kind, type) and issubclass(kind, IntEnum) else _same


_WRITERS: dict[Any, Callable[[Any], Any]] = {Moment: moment, Decimal: _four_places, float: _rounded}


class _Plan(NamedTuple):
    """How the fields of a view are read, all at once, and how those are written that JSON does not know."""

    names: tuple[str, ...]
    read: Callable[[Any], tuple[Any, ...]]
    written: list[tuple[str, Callable[[Any], Any]]]


_PLANS: dict[type, _Plan] = {}


def _plan(view: type) -> _Plan:
    hints = get_type_hints(view)
    writers = ((name, _writer(hint)) for name, hint in hints.items())
    return _Plan(tuple(hints), attrgetter(*hints), [(name, write) for name, write in writers if write is not _same])


def shape(view: Any) -> Json:
    """A view as a JSON object."""
    kind = type(view)
    if kind not in _PLANS:
        _PLANS[kind] = _plan(kind)
    plan = _PLANS[kind]
    body = dict(zip(plan.names, plan.read(view), strict=True))
    for name, write in plan.written:
        body[name] = write(body[name])
    return body


def handler(of: Handler) -> answers.Handler:
    """ITAgentHandler."""
    state = of.center.state
    return {
        "name": of.service.name,
        "linked": state.linked,
        "agents": len(state.agents),
        "sessions": sum(len(agent.sessions) for agent in state.agents.values()),
        "queues": len(state.queues),
        "acd_groups": len(state.groups),
        "calls_waiting": sum(len(queue.waiting) for queue in state.queues.values()),
    }


def group(of: Group) -> answers.Group:
    """ITACDGroup."""
    return {"name": of.name, "queues": list(of.queues)}


def agent(center: Center, of: Agent, now: float) -> Json:
    """ITAgent."""
    return shape(agent_view(center, of, now))


def session(center: Center, of: AgentSession, now: float) -> Json:
    """ITAgentSession."""
    return shape(session_view(center, of, now))


def queue(center: Center, name: str, now: float) -> Json:
    """ITQueue."""
    return shape(queue_view(center, name, now))


def waiting(center: Center, name: str) -> list[Json]:
    """The callers who wait in a queue, in the order in which they will be served. Raises UnknownQueue."""
    visits = [center.state.visits[key] for key in center.queue(name).waiting]
    return [
        {
            "call": visit.call,
            "queue": name,
            "position": position,
            "caller": visit.caller,
            "waiting_since": moment(visit.entered),
            "priority": visit.priority,
        }
        for position, visit in enumerate(visits, 1)
    ]


def members(center: Center, name: str) -> list[Json]:
    """The agents who serve a queue, at each of their phones. Raises UnknownQueue."""
    center.queue(name)
    shown = []
    for address, sessions in center.state.addresses.items():
        member = center.state.members.get(address, {}).get(name)
        if member is not None and member.seen is not None:
            agent, seen = center.state.sessions[sessions[0]].agent, member.seen
            about = {"penalty": member.penalty, "paused": seen.paused, "reason": seen.reason}
            shown.append({"agent": agent, "address": address, **about})
    return shown


def monitor(of: Monitor) -> answers.Monitor:
    """A supervisor's ear on an agent's call."""
    return {
        "id": of.id,
        "agent": of.agent,
        "mode": of.mode,
        "supervisor_address": of.address,
        "state": of.state.value,
        "since": moment(of.since),
    }


def call(row: Json) -> Json:
    """A row of the ledger."""
    times = {name: None if row[name] is None else moment(row[name]) for name in ("entered", "answered", "ended")}
    spans: Json = {}
    for name in ("ring_time", "wait_time", "talk_time", "hold_time", "wrap_up_time"):
        value = row[name]
        spans |= {name: None if value is None else int(value), f"{name}_exact": value and round(value, 6)}
    same = ("call", "queue", "caller", "agent", "session", "outcome", "disposition", "estimated")
    return {name: row[name] for name in same} | times | spans


def address(device: str, in_service: bool, in_use: bool, sessions: list[str]) -> Json:
    """ITAddress, as far as agents need it."""
    state = AddressState.INSERVICE if in_service else AddressState.OUTOFSERVICE
    dialable = device.partition("/")[2]
    return {
        "address": device,
        "address_name": device,
        "dialable_address": dialable,
        "service_provider_name": device.partition("/")[0],
        "state": state.name,
        "in_use": in_use,
        "sessions": sessions,
    }
