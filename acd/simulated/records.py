"""What is in the simulated Asterisk: queues, their members, channels, and the calls between them."""

from dataclasses import dataclass, field
from enum import StrEnum

from acd.simulated import messages
from acd.simulated.messages import NOBODY, Party


class DeviceState(StrEnum):
    """Of a phone."""

    NOT_INUSE = "NOT_INUSE"
    INUSE = "INUSE"
    RINGING = "RINGING"
    UNAVAILABLE = "UNAVAILABLE"


STATUS = {DeviceState.NOT_INUSE: 1, DeviceState.INUSE: 2, DeviceState.UNAVAILABLE: 5, DeviceState.RINGING: 6}
INVALID = 4  # the status of a member whose phone Asterisk has never heard of


@dataclass(slots=True, eq=False)
class Channel:
    """One side of a call."""

    name: str
    number: str
    person: str
    context: str
    exten: str
    uniqueid: str
    linkedid: str
    state: int = 0
    other: Party = NOBODY  # the connected line
    application: str = ""
    data: str = ""  # of the application
    bridge: str = ""
    since: float = 0.0

    @property
    def device(self) -> str:
        return self.name.rpartition("-")[0]

    @property
    def party(self) -> Party:
        return self.number, self.person

    def text(self, prefix: str = "") -> str:
        """As header lines."""
        return messages.channel(self, self.state, self.other, prefix)


@dataclass(slots=True, eq=False)
class Member:
    """A phone in a queue."""

    queue: str
    interface: str
    name: str
    paused: bool
    reason: str
    penalty: int
    login_time: float
    last_pause: float = 0.0
    last_call: float = 0.0
    calls_taken: int = 0
    rung: int = 0  # the turn at which it was rung last


@dataclass(frozen=True, slots=True)
class Rules:
    """A queue as queues.conf and the dialplan have it. Seconds."""

    name: str
    ring_for: float = 15.0  # `timeout`: a phone rings so long before the next one is tried
    retry: float = 1.0
    wrap_up: float = 2.0  # `wrapuptime`
    longest_wait: float | None = None  # then the dialplan hangs up


@dataclass(slots=True, eq=False)
class Queue:
    """A queue and who is in it."""

    rules: Rules
    members: dict[str, Member] = field(default_factory=dict)  # by interface
    waiting: list["Call"] = field(default_factory=list)  # in the order in which they are served
    completed: int = 0
    abandoned: int = 0

    @property
    def name(self) -> str:
        return self.rules.name


@dataclass(slots=True, eq=False)
class Call:
    """A caller, and whom he talks to."""

    caller: Channel
    queue: str
    entered: float  # into this queue
    priority: int = 0
    first_place: int = 1
    leg: Channel | None = None  # the agent's, ringing or talking
    member: Member | None = None
    rung_at: float = 0.0
    retry_at: float = 0.0
    answered: float | None = None
    on_hold: bool = False
    withdrawn: bool = False  # asked for while a phone rings
    over: bool = False

    @property
    def waits(self) -> bool:
        return not self.over and self.answered is None

    @property
    def talks(self) -> bool:
        return not self.over and self.answered is not None

    @property
    def rings(self) -> bool:
        return self.waits and self.leg is not None


@dataclass(slots=True, eq=False)
class Spy:
    """A supervisor's phone that listens, or rings before it does."""

    channel: Channel
    leg: str  # the Uniqueid of the channel that is listened to
    data: str  # of ChanSpy
    hears: bool = False
