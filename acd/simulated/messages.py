"""What Asterisk writes on AMI, as text. Headers and their order are those of a real one (tests/data/ami-traces)."""

from collections.abc import Mapping
from typing import Protocol

STATES = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
DOWN, RING, RINGING, UP = STATES
UNKNOWN = "<unknown>"
NOBODY = (UNKNOWN, UNKNOWN)  # the connected line of a channel that is connected with none
BANNER = b"Asterisk Call Manager/11.0.0\r\n"

Headers = Mapping[str, str]
Event = tuple[str, str]  # up to its Timestamp, and what follows that
Party = tuple[str, str]  # number and name


class Line(Protocol):
    """One side of a call: a channel of Asterisk's."""

    @property
    def name(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def person(self) -> str: ...
    @property
    def context(self) -> str: ...
    @property
    def exten(self) -> str: ...
    @property
    def uniqueid(self) -> str: ...
    @property
    def linkedid(self) -> str: ...


def told(at: float, event: Event) -> bytes:
    """An event on the wire, as with `timestampevents`. `at`: seconds since 1970."""
    return f"{event[0]}Timestamp: {at:.6f}\r\n{event[1]}\r\n".encode()


def event(name: str, privilege: str, text: str) -> Event:
    """`privilege`: the class of events that a manager user must read to hear it."""
    return f"Event: {name}\r\nPrivilege: {privilege},all\r\n", text


def headers(**values: object) -> str:
    """Header lines."""
    return "".join(f"{name}: {value}\r\n" for name, value in values.items())


# Parts of events ------------------------------------------------------------------------------------------


def channel(line: Line, state: int, other: Party = NOBODY, prefix: str = "") -> str:
    """A channel. `other`: the connected line; `prefix`: Dest, where it is the one that is called."""
    p = prefix
    return (
        f"{p}Channel: {line.name}\r\n{p}ChannelState: {state}\r\n{p}ChannelStateDesc: {STATES[state]}\r\n"
        f"{p}CallerIDNum: {line.number}\r\n{p}CallerIDName: {line.person}\r\n"
        f"{p}ConnectedLineNum: {other[0]}\r\n{p}ConnectedLineName: {other[1]}\r\n{p}Language: en\r\n"
        f"{p}AccountCode: \r\n{p}Context: {line.context}\r\n{p}Exten: {line.exten}\r\n{p}Priority: 1\r\n"
        f"{p}Uniqueid: {line.uniqueid}\r\n{p}Linkedid: {line.linkedid}\r\n"
    )


def served(queue: str, interface: str, name: str) -> str:
    """Which member of which queue."""
    return f"Queue: {queue}\r\nInterface: {interface}\r\nMemberName: {name}\r\n"


def bridge(id: str) -> str:
    """Where two channels hear each other."""
    return (
        f"BridgeUniqueid: {id}\r\nBridgeType: basic\r\nBridgeTechnology: simple_bridge\r\n"
        "BridgeCreator: <unknown>\r\nBridgeName: <unknown>\r\nBridgeNumChannels: 1\r\nBridgeVideoSourceMode: none\r\n"
    )


def bridge_id(number: str) -> str:
    """A bridge's id, of up to twelve hexadecimal digits."""
    return f"00000000-0000-4000-8000-{number:0>12}"


# Whole events ---------------------------------------------------------------------------------------------


def hangup(line: Line, other: Party, state: int = UP, cause: int = 16) -> Event:
    """`cause`: Q.850's."""
    text = {0: "Unknown", 16: "Normal Clearing", 17: "User busy", 19: "User alerting, no answer"}[cause]
    return event("Hangup", "call", f"{channel(line, state, other)}Cause: {cause}\r\nCause-txt: {text}\r\n")


def device(name: str, state: str) -> Event:
    """A phone's state, as DEVICE_STATE() says it."""
    return event("DeviceStateChange", "call", f"Device: {name}\r\nState: {state}\r\n")


def member(
    name: str,
    queue: str,
    interface: str,
    person: str,
    *,
    reason: str | None,
    status: int = 1,
    penalty: int = 0,
    calls_taken: int = 0,
    last_call: float = 0,
    last_pause: float = 0,
    login_time: float = 1_800_000_000,
) -> Event:
    """A member of a queue. `reason`: of his pause, None where he is not paused; `status`: of his phone."""
    return event(
        name,
        "agent",
        f"Queue: {queue}\r\nMemberName: {person}\r\nInterface: {interface}\r\nStateInterface: {interface}\r\n"
        f"Membership: dynamic\r\nPenalty: {penalty}\r\nCallsTaken: {calls_taken}\r\nLastCall: {int(last_call)}\r\n"
        f"LastPause: {int(last_pause)}\r\nLoginTime: {int(login_time)}\r\n"
        f"InCall: {int(status == 2)}\r\nStatus: {status}\r\n"
        f"Paused: {int(reason is not None)}\r\nPausedReason: {reason or ''}\r\n"
        "Ringinuse: 0\r\nWrapuptime: 2\r\n",
    )


# Answers --------------------------------------------------------------------------------------------------


def block(*lines: str) -> bytes:
    """One message of these lines."""
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def success(action: Headers, *lines: str) -> bytes:
    return block("Response: Success", f"ActionID: {action['ActionID']}", *lines)


def error(action: Headers, message: str) -> bytes:
    return block("Response: Error", f"ActionID: {action['ActionID']}", f"Message: {message}")


def event_list(action: Headers, message: str, items: list[tuple[str, str]], complete: str) -> bytes:
    """An answer that is a list of events, each with its headers; `complete`: the name of the last."""
    id = f"ActionID: {action['ActionID']}"
    return b"".join(
        [
            success(action, "EventList: start", f"Message: {message}"),
            *(f"Event: {name}\r\n{text}{id}\r\n\r\n".encode() for name, text in items),
            block(f"Event: {complete}", id, "EventList: Complete", f"ListItems: {len(items)}"),
        ]
    )


def fully_booted(uptime: float) -> bytes:
    """What follows each log-in. `uptime`: seconds since Asterisk started."""
    seconds = int(uptime)
    lines = (f"Uptime: {seconds}", f"LastReload: {seconds}", "Status: Fully Booted")
    return block("Event: FullyBooted", "Privilege: system,all", *lines)
