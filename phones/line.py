"""How a phone stands, from the events of baresip: registered or not, and its calls. Values only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from phones.netstring import Message

STATES = {
    "CALL_INCOMING": "incoming",
    "CALL_RINGING": "ringing",
    "CALL_PROGRESS": "ringing",
    "CALL_ESTABLISHED": "established",
}


@dataclass(slots=True)
class Call:
    """`state` is incoming (rings here), dialing, ringing (rings there) or established."""

    id: str
    peer: str
    direction: str
    state: str
    held: bool = False


@dataclass(slots=True)
class Line:
    registered: bool = False
    calls: dict[str, Call] = field(default_factory=dict)

    def complete(self, event: Message) -> Iterator[Message]:
        """The event, and what baresip 1.1 forgets to say: a call whose transfer failed is closed by it silently."""
        yield event
        if event.get("type") == "TRANSFER_FAILED" and event.get("id") in self.calls:
            yield {**event, "type": "CALL_CLOSED", "param": f"transfer failed: {event.get('param', '')}"}

    def apply(self, event: Message) -> None:
        match event.get("type"):
            case "REGISTER_OK":
                self.registered = True
            case "REGISTER_FAIL" | "UNREGISTERING":
                self.registered = False
            case "CALL_CLOSED":
                self.calls.pop(str(event.get("id")), None)
            case "PHONE_STATE":
                self._replace(event)
            case "CALL_REMOTE_SDP":
                self._note_hold(event)
            case kind if kind in STATES:
                self._note_call(event, STATES[str(kind)])

    def _note_call(self, event: Message, state: str) -> None:
        known = self.calls.get(str(event["id"]))
        if known:
            known.state = state
        else:
            self.calls[str(event["id"])] = _to_call(event, state)

    def _note_hold(self, event: Message) -> None:
        call = self.calls.get(str(event.get("id")))
        if call and event.get("param") == "answer":
            call.held = event.get("remoteaudiodir") in ("sendonly", "inactive")

    def _replace(self, event: Message) -> None:
        self.registered = bool(event["registered"])
        self.calls = {fields["id"]: Call(**fields) for fields in event["calls"]}

    def to_message(self) -> Message:
        calls = [_to_fields(call) for call in self.calls.values()]
        return {"event": True, "class": "host", "type": "PHONE_STATE", "registered": self.registered, "calls": calls}

    def the_call(self, *states: str) -> Call | None:
        """The newest call in one of these states (in any, if none is named)."""
        fitting = [call for call in self.calls.values() if not states or call.state in states]
        return fitting[-1] if fitting else None


def _to_call(event: Message, state: str) -> Call:
    return Call(str(event["id"]), str(event.get("peeruri", "")), str(event.get("direction", "")), state)


def _to_fields(call: Call) -> dict[str, Any]:
    return {"id": call.id, "peer": call.peer, "direction": call.direction, "state": call.state, "held": call.held}
