"""What the call center remembers. Plain records that point to each other by key, so that they can be stored."""

from dataclasses import dataclass, field
from typing import NamedTuple

from acd.core.devices import device_of_address
from acd.core.figures import Measured, QueueTally, Tally
from acd.core.states import AgentState, MonitorState, Outcome, SessionState


@dataclass(slots=True)
class Agent:
    """A person who takes calls. `key` is the id, or the account name of an agent made without one."""

    key: str
    id: str | None
    user: str
    made: float
    measured: Measured[Tally]
    asked: AgentState = AgentState.NOT_READY  # the last READY or NOT_READY that was asked for
    asked_reason: str = ""
    settled: AgentState = AgentState.NOT_READY  # the last one that Asterisk confirmed
    settled_reason: str = ""
    state: AgentState = AgentState.NOT_READY
    since: float = 0.0
    active_since: float | None = None  # when the first of the present sessions began
    wrap_up: float | None = None  # his own seconds of after-call work; None: the queue's
    missed: int = 0  # calls in a row that he did not answer
    penalties: dict[str, int] = field(default_factory=dict)  # queue -> how late his turn comes there
    logins: list[str] = field(default_factory=list)  # sessions, those that Asterisk has not confirmed yet included
    sessions: list[str] = field(default_factory=list)  # live ones, oldest first
    legs: list[str] = field(default_factory=list)  # channels of his phones that are calls outside the ACD

    @property
    def pending(self) -> bool:
        """Something asked of the agent waits for Asterisk; what waits for the end of a call does not."""
        asked, settled = (self.asked, self.asked_reason), (self.settled, self.settled_reason)
        return asked != settled and self.state is not AgentState.BUSY_ACD


@dataclass(slots=True)
class AgentSession:
    """One log-in: an agent, for a group, at an address."""

    id: str
    agent: str
    group: str
    address: str
    device: str  # the phone at that address
    started: float
    state: SessionState = SessionState.NOT_READY
    since: float = 0.0
    reason: str = ""
    wish: SessionState = SessionState.NOT_READY  # what was asked for; the state follows when Asterisk confirmed
    wish_reason: str = ""
    next_state: SessionState | None = None  # asked for during a call, applied at its release
    next_reason: str = ""
    ended: float | None = None
    joined: bool = False  # Asterisk has confirmed the log-in; before that nobody sees the session
    visit: str | None = None  # the ACD call in talk or wrap-up
    talks: list[str] = field(default_factory=list)  # ACD calls in talk: more than one, when he picked another up
    wrap_up_visit: str = ""  # the visit whose after-call work is going on
    wrap_up_from: float | None = None
    wrap_up_until: float | None = None
    left: set[str] = field(default_factory=set)  # queues of the group that he was taken out of from outside
    tally: Tally = field(default_factory=Tally)

    @property
    def behind(self) -> bool:
        """The phone stands behind the address, which is not a phone itself."""
        return self.device != device_of_address(self.address)

    @property
    def busy(self) -> bool:
        """In an ACD call or its wrap-up, so that no other call may come."""
        return self.visit is not None

    @property
    def pending(self) -> bool:
        """Something asked of the session waits for Asterisk; what waits for the end of a call does not."""
        return not self.busy and (self.state, self.reason) != (self.wish, self.wish_reason)


@dataclass(slots=True)
class Queue:
    name: str
    measured: Measured[QueueTally]
    wrap_up: float | None = None  # seconds of after-call work; None: the handler's
    in_asterisk: bool = False
    waiting: list[str] = field(default_factory=list)  # visit keys in the order in which they will be served


@dataclass(slots=True)
class Group:
    name: str
    queues: list[str]


@dataclass(slots=True)
class Registered:
    """What the settings said last. What is new in them overrides what people set; all else leaves that alone."""

    queues: dict[str, float] = field(default_factory=dict)  # -> seconds of wrap-up
    agents: dict[str, float] = field(default_factory=dict)  # -> seconds of wrap-up
    groups: dict[str, list[str]] = field(default_factory=dict)  # -> queues


class Present(NamedTuple):
    """A member as it is or shall be; None stands for a member that is not in the queue."""

    paused: bool
    reason: str


@dataclass(slots=True)
class Member:
    """A queue x interface as Asterisk last told, and what was ordered since and not yet confirmed."""

    queue: str
    interface: str
    seen: Present | None = None
    status: int = 0
    dynamic: bool = True
    doubtful: bool = False  # an order came to nothing, or nothing tells what came of it: `seen` may be wrong
    penalty: int = 0  # how late its turn comes
    ours: bool = False  # brought in by an order of ours, so it goes when no session wants it
    ordered: list[Present | None] = field(default_factory=list)
    given_up: list[tuple[Present | None, float]] = field(default_factory=list)  # orders repeated since, and when

    @property
    def coming(self) -> Present | None:
        """What it will be when every order under way has been carried out."""
        return self.ordered[-1] if self.ordered else self.seen


@dataclass(slots=True)
class Visit:
    """One stay of a caller in a queue and, if an agent took it, the call that followed: a row of the ledger."""

    key: str
    call: str
    queue: str
    nth: int
    caller: str
    channel: str
    entered: float
    flowed_in: bool = False
    left: float | None = None
    abandon_told: bool = False
    hangup_told: bool = False
    cut: bool = False  # Asterisk ended under him
    unresolved_until: float | None = None
    answered: float | None = None
    rung: float | None = None
    agent: str | None = None
    session: str | None = None
    interface: str | None = None
    leg: str | None = None
    local: bool = False  # the leg is a Local channel, which may give its place to the phone's own
    held_since: float | None = None
    hold: float = 0.0
    released: float | None = None
    wrap_up: float | None = None
    outcome: Outcome | None = None
    estimated: bool = False  # a time in here was not observed but concluded
    caller_gone: bool = False
    priority: int | None = None  # while waiting, as far as anything told
    exit_asked: Outcome | None = None  # we asked Asterisk to take him out of the queue
    disposition: str | None = None  # the after-call code that the agent gave

    @property
    def final(self) -> bool:
        """Nothing in this row will change any more."""
        if self.answered is not None:
            return self.wrap_up is not None and self.caller_gone
        return self.outcome is not None and self.caller_gone

    @property
    def ended(self) -> float | None:
        """When it was over: the agent's release, or the caller's leaving without one."""
        return self.released if self.answered is not None else (self.left if self.outcome else None)

    @property
    def wait(self) -> float | None:
        """Seconds from entry to the answer or to leaving; None while he waits."""
        over = self.answered if self.answered is not None else self.left
        return None if over is None else max(0.0, over - self.entered)

    @property
    def ring(self) -> float | None:
        """Seconds for which the phone of the one who answered rang; None while nobody did, or where nobody knows."""
        return None if self.answered is None or self.rung is None else max(0.0, self.answered - self.rung)

    @property
    def talk(self) -> float | None:
        """Seconds from answer to release, hold included (semantics A12)."""
        if self.answered is None or self.released is None:
            return None
        return max(0.0, self.released - self.answered)


@dataclass(slots=True)
class Leg:
    """A channel of an agent's phone."""

    leg: str
    agent: str
    made: float
    outgoing: bool = False
    visit: str | None = None  # an ACD leg: the queue rang it for this visit
    up: bool = False  # answered: the agent is busy with it
    dialled: bool = False  # it called somebody, so being up proves nothing until they share a bridge
    bridged: bool = False
    consultation: bool = False  # placed during an ACD call, hence related to it


class Monitor(NamedTuple):
    """A supervisor's ear on an agent's call. `id`: of the supervisor's channel; `leg`: of the one that he hears."""

    id: str
    agent: str
    mode: str
    address: str
    leg: str
    state: MonitorState
    since: float


class Ring(NamedTuple):
    """A phone that rings for a queue: an ACD leg. `visit` is "" for a caller nobody knows."""

    visit: str
    interface: str
    since: float
    linked: str = ""


@dataclass(slots=True)
class State:
    """The whole memory of one agent handler."""

    linked: bool = False
    listening: bool = False  # events are heard as they happen, also before the picture makes the link whole
    booted: float = 0.0
    lost_at: float = 0.0
    registered: Registered = field(default_factory=Registered)
    confirm_within: float = 5.0  # seconds for Asterisk to carry out an order
    tells_status: bool = False  # the dialplan reports QUEUESTATUS
    default_wrap_up: float = 0.0
    measurement_period: int = 86400
    sliding: bool = False  # measurement periods slide instead of restarting
    call_rate_scale: int = 1  # 10 for the literal page of OverallCallRate (semantics A1)
    missed_calls: int = 0  # so many in a row make an agent not ready; 0: never
    agents: dict[str, Agent] = field(default_factory=dict)
    sessions: dict[str, AgentSession] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    members: dict[str, dict[str, Member]] = field(default_factory=dict)  # interface -> queue -> member
    addresses: dict[str, list[str]] = field(default_factory=dict)  # interface -> live sessions there
    phones: dict[str, list[str]] = field(default_factory=dict)  # device -> live sessions there
    devices: dict[str, bool] = field(default_factory=dict)  # device -> in service
    visits: dict[str, Visit] = field(default_factory=dict)
    calls: dict[str, list[str]] = field(default_factory=dict)  # caller's channel -> keys of its visits, in order
    legs: dict[str, Leg] = field(default_factory=dict)
    orders_due: dict[str, float] = field(default_factory=dict)  # interface -> when what is not confirmed is repeated
    ringing: dict[str, Ring] = field(default_factory=dict)  # by ACD leg
    ringing_at: dict[str, list[str]] = field(default_factory=dict)  # interface -> ACD legs
    monitors: dict[str, Monitor] = field(default_factory=dict)
    dispositions: dict[str, str] = field(default_factory=dict)  # after-call codes, with what people call them
    disposition_required: list[str] = field(default_factory=list)  # queues whose calls need one
    reasons: list[str] = field(default_factory=list)  # for being not ready, as people choose from

    def __post_init__(self) -> None:
        if not self.ringing_at:  # a checkpoint of a version that had no such index
            for leg, ring in self.ringing.items():
                self.ringing_at.setdefault(ring.interface, []).append(leg)

    def begin_ring(self, leg: str, ring: Ring) -> None:
        """A phone rings, or this leg rings for something else from now on."""
        self.end_ring(leg)
        self.ringing[leg] = ring
        self.ringing_at.setdefault(ring.interface, []).append(leg)

    def end_ring(self, leg: str) -> Ring | None:
        """What this leg rang for; None when it did not ring."""
        ring = self.ringing.pop(leg, None)
        if ring is not None:
            there = self.ringing_at[ring.interface]
            there.remove(leg)
            if not there:
                del self.ringing_at[ring.interface]
        return ring

    def rings_at(self, interface: str) -> list[Ring]:
        """What rings there, oldest first."""
        return [self.ringing[leg] for leg in self.ringing_at.get(interface, ())]

    def logged_on_at(self, address: str) -> list[AgentSession]:
        """The live sessions at an address, oldest first; those that Asterisk has not confirmed yet included."""
        return [self.sessions[key] for key in self.addresses.get(address, ())]
