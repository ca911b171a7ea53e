"""acd replay --at TIME: agents, sessions and queues as they were, from the log of events."""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from acd import clock
from acd.core.center import Center
from acd.settings import Settings
from acd.store import BeforeTheLog, Store
from acd.store.database import reason
from acd.web import shapes

AGENT = ("agent", "user", "state", "state_since", "reason", "number_of_acd_calls")
SESSION = ("agent", "acd_group", "address", "state", "state_since", "reason", "number_of_calls")
QUEUE = ("name", "current_calls_queued", "current_longest_wait_time", "total_calls_queued", "total_calls_answered")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of the command."""
    command.add_argument(
        "--at", required=True, type=moment, help="ISO 8601, local time where it names no zone, or seconds since 1970"
    )
    command.add_argument("--handler", default="main", help="the Asterisk server, main by default")
    command.add_argument("--json", action="store_true", help="the objects of the web API as JSON")


def moment(text: str) -> float:
    """Seconds since 1970. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Prints the picture; acd may run meanwhile, nothing is written."""
    if options.handler not in settings.handlers:
        return _failed(f"the settings have no handler {options.handler!r}")
    try:
        state, events = Store(settings.store.url.get_secret_value()).load_at(options.handler, options.at)
    except BeforeTheLog as error:
        return _failed(str(error))
    except (SQLAlchemyError, ImportError) as error:
        return _failed(f"the database cannot be read: {reason(error)}")
    center = Center(state)
    for event in events:
        center.apply(event)
    picture = picture_of(center, options.at)
    print(json.dumps(picture, indent=2, ensure_ascii=False) if options.json else "\n".join(_lines(picture)))
    return 0


def _failed(why: str) -> int:
    print(f"acd: {why}", file=sys.stderr)
    return 1


def picture_of(center: Center, at: float) -> dict[str, Any]:
    """Everything that the API shows, of one moment."""
    state = center.state
    return {
        "at": clock.moment(at),
        "linked": state.linked,
        "agents": [shapes.agent(center, agent, at) for agent in state.agents.values()],
        "sessions": [
            shapes.session(center, each, at) for each in state.sessions.values() if each.joined and each.ended is None
        ],
        "queues": [shapes.queue(center, name, at) | {"waiting": shapes.waiting(center, name)} for name in state.queues],
    }


def _lines(picture: dict[str, Any]) -> Iterator[str]:
    linked = "linked to Asterisk" if picture["linked"] else "not linked to Asterisk: all that was known last"
    yield f"{picture['at']}  {linked}"
    for title, names in (("agents", AGENT), ("sessions", SESSION), ("queues", QUEUE)):
        yield ""
        yield from _table([title, *(name.replace("_", " ") for name in names[1:])], picture[title], names)
    callers = [caller | {"queue": queue["name"]} for queue in picture["queues"] for caller in queue["waiting"]]
    if callers:
        yield ""
        names = ("queue", "position", "caller", "waiting_since", "call")
        yield from _table(["waiting in", *names[1:]], callers, names)


def _table(head: list[str], rows: list[dict[str, Any]], names: tuple[str, ...]) -> Iterator[str]:
    cells = [head, *([str(row[name]) for name in names] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
