"""What goes out: views of the core as JSON, names as in the TAPI contract."""

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

from acd.core.center import Center
from acd.core.records import Agent, AgentSession
from acd.core.states import AddressState
from acd.core.views import agent_view, queue_view, session_view

TIMES = frozenset(
    {"state_since", "session_start_time", "wrap_up_until", "entered", "answered", "ended", "waiting_since"}
)


def moment(at: float) -> str:
    """Seconds since 1970 as ISO 8601 UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _plain(name: str, value: Any) -> Any:
    match value:
        case IntEnum():
            return value.name
        case Decimal():
            return f"{value:.4f}"
        case float() if name in TIMES:
            return moment(value)
        case float():
            return round(value, 6)
        case _:
            return value


def shape(view: Any) -> dict[str, Any]:
    """A view as a JSON object."""
    names = (field.name for field in dataclasses.fields(view))
    return {name: _plain(name, getattr(view, name)) for name in names}


def agent(center: Center, of: Agent, now: float) -> dict[str, Any]:
    """ITAgent. `agent` is the name in addresses: the id, or the account name of an agent without one."""
    body = shape(agent_view(center, of, now))
    return {"agent": body.pop("key"), **body}


def session(of: AgentSession, now: float) -> dict[str, Any]:
    """ITAgentSession."""
    return shape(session_view(of, now))


def queue(center: Center, name: str, now: float) -> dict[str, Any]:
    """ITQueue."""
    return shape(queue_view(center, name, now))


def waiting(center: Center, name: str) -> list[dict[str, Any]]:
    """The callers who wait in a queue, in the order in which they will be served. Raises UnknownQueue."""
    visits = [center.state.visits[key] for key in center.queue(name).waiting]
    return [
        {
            "call": visit.call,
            "position": position,
            "caller": visit.caller,
            "waiting_since": moment(visit.entered),
            "priority": None,  # no event tells it
        }
        for position, visit in enumerate(visits, 1)
    ]


def call(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the ledger."""
    times = {name: None if row[name] is None else moment(row[name]) for name in ("entered", "answered", "ended")}
    spans: dict[str, Any] = {}
    for name in ("wait_time", "talk_time", "hold_time", "wrap_up_time"):
        value = row[name]
        spans |= {name: None if value is None else int(value), f"{name}_exact": value and round(value, 6)}
    same = ("call", "queue", "caller", "agent", "session", "outcome", "estimated")
    return {name: row[name] for name in same} | times | spans


def address(device: str, in_service: bool, sessions: list[str]) -> dict[str, Any]:
    """ITAddress, as far as agents need it."""
    state = AddressState.INSERVICE if in_service else AddressState.OUTOFSERVICE
    dialable = device.partition("/")[2]
    return {
        "address": device,
        "address_name": device,
        "dialable_address": dialable,
        "service_provider_name": device.partition("/")[0],
        "state": state.name,
        "sessions": sessions,
    }
