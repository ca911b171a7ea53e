"""One caller's call as values: what it is to do, what happened, and what came of it. No sockets, no processes."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{1,40}")
NAME = re.compile(r"[^\"<>&\[\]\\$\x00-\x1f]{0,60}")


class BadOrder(Exception):
    """The call asked for cannot be made."""


@dataclass(frozen=True, slots=True)
class CallOrder:
    """`stay`: seconds after the answer until the caller hangs up. `patience`: seconds without an answer until it gives
    up. None: never by itself."""

    number: str
    caller: str = "5550100"
    name: str = "Caller"
    stay: float | None = None
    patience: float | None = None

    def __post_init__(self) -> None:
        for number in (self.number, self.caller):
            if not NUMBER.fullmatch(number):
                raise BadOrder(f"not a number to dial or to show: {number!r}")
        if not NAME.fullmatch(self.name):
            raise BadOrder(f"not a caller's name: {self.name!r}")
        for seconds in (self.stay, self.patience):
            if seconds is not None and not 0 <= seconds <= 86400:
                raise BadOrder(f"not a number of seconds within a day: {seconds!r}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CallEvent:
    """`event` is started, trying, ringing, answered, hung-up (by the caller), far-end, refused, failed or ended."""

    at: float
    event: str
    status: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class CallResult:
    """Times are of the callers' container, as time.time(). `ended_by` is "caller", "far end", "refused" (with the
    SIP status) or "nobody": no proper end, for instance because Asterisk does not answer."""

    number: str
    caller: str
    started: float | None = None
    ringing: float | None = None
    answered: float | None = None
    ended: float | None = None
    ended_by: str | None = None
    status: int | None = None
    events: list[CallEvent] = field(default_factory=list)

    def apply(self, event: CallEvent) -> None:
        self.events.append(event)
        match event.event:
            case "started":
                self.started = event.at
            case "ringing":
                self.ringing = self.ringing or event.at
            case "answered":
                self.answered, self.status = event.at, event.status
            case "hung-up":
                self._end(event, "caller")
            case "far-end":
                self._end(event, "far end")
            case "refused":
                self._end(event, "refused")
            case "failed" | "ended":
                self._end(event, "nobody")

    def _end(self, event: CallEvent, by: str) -> None:
        if self.ended is None:
            self.ended, self.ended_by = event.at, by
            self.status = event.status or self.status

    @property
    def seconds(self) -> float | None:
        """From the answer to the end."""
        if self.answered is None or self.ended is None:
            return None
        return self.ended - self.answered


def to_order(fields: dict[str, Any]) -> CallOrder:
    try:
        return CallOrder(**fields)
    except TypeError as error:
        raise BadOrder(f"not an order for a call: {fields!r}") from error


def to_result(order: CallOrder, events: Iterable[CallEvent] = ()) -> CallResult:
    result = CallResult(order.number, order.caller)
    for event in events:
        result.apply(event)
    return result
