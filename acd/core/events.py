"""The vocabulary of what happens: facts in the past tense, each with the time at which it became true.

`at` is in seconds since 1970 on Asterisk's clock. Times, not clocks: nothing in the core asks what time it is.
Named tuples, because they are as immutable as a frozen dataclass and several times cheaper to make.
A `call` is the Uniqueid of the caller's channel, a `leg` that of any other channel; channel names return
after a restart of Asterisk and identify nothing.
"""

from typing import NamedTuple


class Registrations(NamedTuple):
    """What the settings say: queues and agents with their wrap-up seconds, and groups with their queues."""

    at: float
    wrap_up: dict[str, float]
    groups: dict[str, list[str]]
    default_wrap_up: float
    measurement_period: int
    missed_calls: int = 0
    sliding: bool = False
    call_rate_scale: int = 1
    agents_wrap_up: dict[str, float] | None = None  # as `wrap_up`, of agents
    # seconds for Asterisk to carry out an order; then what is still missing is ordered again
    confirm_within: float = 5.0
    dispositions: dict[str, str] | None = None  # after-call codes, with what people call them
    disposition_required: list[str] | None = None  # queues whose calls need one
    reasons: list[str] | None = None  # for being not ready, as people choose from


# What a person decided ------------------------------------------------------------------------------------


class AgentCreated(NamedTuple):
    """An agent was made, by the API or the settings. `id` is None for an agent known by account name alone."""

    at: float
    agent: str
    id: str | None
    user: str


class WrapUpSet(NamedTuple):
    """The seconds of after-call work for one agent (`queue` None) or one queue (`agent` None) were set."""

    at: float
    seconds: float | None
    agent: str | None = None
    queue: str | None = None


class GroupSet(NamedTuple):
    """A group was made or got another set of queues."""

    at: float
    group: str
    queues: list[str]


class GroupRemoved(NamedTuple):
    """A group is no more. It has no live session then."""

    at: float
    group: str


class SessionCreated(NamedTuple):
    """Somebody logs on: ITAgent.CreateSession. `device`: the phone behind an address that is not one itself."""

    at: float
    session: str
    agent: str
    group: str
    address: str
    device: str = ""


class SessionWithdrawn(NamedTuple):
    """The log-on came to nothing: Asterisk refused it. `reason` says why."""

    at: float
    session: str
    reason: str


class SessionStateAsked(NamedTuple):
    """ITAgentSession.put_State: READY, NOT_READY or SESSION_ENDED is asked for."""

    at: float
    session: str
    state: int
    reason: str


class AgentStateAsked(NamedTuple):
    """ITAgent.put_State: READY or NOT_READY is asked for."""

    at: float
    agent: str
    state: int
    reason: str


class OrderFailed(NamedTuple):
    """An order about a member came to nothing. `refused`: it was a person's request, which is taken back."""

    at: float
    queue: str | None
    interface: str
    text: str
    refused: bool


class WrapUpChanged(NamedTuple):
    """Wrap-up was extended (`until` later) or ended early (`until` = now)."""

    at: float
    session: str
    until: float


class DispositionSet(NamedTuple):
    """The agent said what the call was about: its after-call code."""

    at: float
    session: str
    code: str


class PenaltySet(NamedTuple):
    """How late this agent's turn comes in this queue: the higher, the later; 0 first."""

    at: float
    agent: str
    queue: str
    penalty: int


class ExitAsked(NamedTuple):
    """A waiting caller is to be taken out of the queue. `outcome`: what an exit that nothing else explains then is."""

    at: float
    call: str
    queue: str
    outcome: str


class MonitorAsked(NamedTuple):
    """A supervisor wants to hear an agent's call: his phone is rung by the channel `monitor`, to hear `leg`."""

    at: float
    monitor: str
    agent: str
    mode: str
    address: str
    leg: str


class MeasurementPeriodSet(NamedTuple):
    """put_MeasurementPeriod of an agent or a queue: the counters start again at zero."""

    at: float
    seconds: int
    agent: str | None = None
    queue: str | None = None


class ClockSet(NamedTuple):
    """Asterisk's clock leapt. `at`: on the new one; `by`: seconds, negative when it was set back."""

    at: float
    by: float


class TimePassed(NamedTuple):
    """A deadline was reached; in the log like all else, so that a replay meets it again."""

    at: float


# What Asterisk reported -----------------------------------------------------------------------------------


class CallerJoined(NamedTuple):
    at: float
    call: str
    queue: str
    position: int
    caller: str
    channel: str


class CallerAbandoned(NamedTuple):
    """QueueCallerAbandon: the caller left without an agent. It does not prove that he hung up."""

    at: float
    call: str
    queue: str


class CallerLeft(NamedTuple):
    """QueueCallerLeave: no longer waiting, answered or not."""

    at: float
    call: str
    queue: str


class QueueStatusTold(NamedTuple):
    """The dialplan's QUEUESTATUS after Queue(): TIMEOUT, FULL, JOINEMPTY, LEAVEEMPTY, WITHDRAW, CONTINUE..."""

    at: float
    call: str
    queue: str | None
    status: str


class ExitRead(NamedTuple):
    """queue_log tells how a caller left the queue without an agent, while nobody listened. `outcome`: an Outcome."""

    at: float
    call: str
    queue: str
    outcome: str


class HangupRequested(NamedTuple):
    """The far end of the channel asked to hang up."""

    at: float
    leg: str


class ChannelCut(NamedTuple):
    """SoftHangupRequest for the reason that Asterisk itself ends: nobody hung up."""

    at: float
    leg: str


class AgentCalled(NamedTuple):
    """The queue rings a member: `leg` is an ACD leg from now on, and so are the phones behind it (by `linked`)."""

    at: float
    call: str
    queue: str
    interface: str
    leg: str
    linked: str = ""


class AgentConnected(NamedTuple):
    at: float
    call: str
    queue: str
    interface: str
    name: str
    leg: str
    ring_time: float
    hold_time: float
    channel: str = ""
    caller: str = ""


class CallerReplaced(NamedTuple):
    """An attended transfer: the caller `new` goes on where the consulting channel `old` was."""

    at: float
    old: str
    new: str
    caller: str


class CallPickedUp(NamedTuple):
    """Somebody else took the call that rang at `instead_of`: his channel is `leg`."""

    at: float
    leg: str
    channel: str
    instead_of: str


class AgentNotAnswered(NamedTuple):
    """AgentRingNoAnswer or AgentDump: not answered in time, rejected, unreachable, or gave up in the announcement."""

    at: float
    call: str
    queue: str
    interface: str
    leg: str


class MemberAdded(NamedTuple):
    at: float
    queue: str
    interface: str
    name: str
    paused: bool
    reason: str
    status: int
    dynamic: bool
    penalty: int = 0


class MemberPenalty(NamedTuple):
    """QueueMemberPenalty."""

    at: float
    queue: str
    interface: str
    penalty: int


class WaitingSeen(NamedTuple):
    """Who waits in a queue, in the order in which they will be served, with their priorities: a QueueStatus of it."""

    at: float
    queue: str
    priorities: dict[str, int]


class MonitorStarted(NamedTuple):
    """ChanSpyStart: the supervisor hears the agent."""

    at: float
    monitor: str


class MonitorFailed(NamedTuple):
    """OriginateResponse: the supervisor's phone could not be reached, or was not answered."""

    at: float
    monitor: str


class MemberFound(NamedTuple):
    """A refused order proves that the member is there; paused or not, it does not say."""

    at: float
    queue: str
    interface: str
    dynamic: bool


class MemberRemoved(NamedTuple):
    """No member of this queue any more; of any, where `queue` is None."""

    at: float
    queue: str | None
    interface: str


class MemberPaused(NamedTuple):
    at: float
    queue: str
    interface: str
    paused: bool
    reason: str


class QueueGone(NamedTuple):
    """Asterisk has no queue of this name any more: it said so to an order."""

    at: float
    queue: str


class MemberStatus(NamedTuple):
    """QueueMemberStatus: the device's state, 0 unknown .. 8 on hold."""

    at: float
    queue: str
    interface: str
    status: int


class ChannelMade(NamedTuple):
    """Newchannel. `dialling`: the device itself placed this call (it came in in state Ring)."""

    at: float
    leg: str
    channel: str
    linked: str
    dialling: bool


class DialBegun(NamedTuple):
    """`source` calls `leg`; `source` is None when the call was placed by an Originate."""

    at: float
    source: str | None
    leg: str


class DialEnded(NamedTuple):
    at: float
    source: str | None
    leg: str
    status: str


class BridgeEntered(NamedTuple):
    at: float
    leg: str
    bridge: str
    instead_of: str = ""  # the channel whose place it takes


class HoldStarted(NamedTuple):
    at: float
    leg: str


class HoldEnded(NamedTuple):
    at: float
    leg: str


class ChannelEnded(NamedTuple):
    """Hangup. `up`: the channel had been answered."""

    at: float
    leg: str
    up: bool


class DeviceStateTold(NamedTuple):
    """DeviceStateChange, for devices that can be an address; `in_service` False for UNAVAILABLE and INVALID."""

    at: float
    device: str
    in_service: bool


class LinkLost(NamedTuple):
    """The connection to Asterisk is gone; what happens from now on is not known."""

    at: float
    reason: str


class LinkHeard(NamedTuple):
    """Asterisk is heard again; what it did meanwhile has been read, as far as files tell. The picture is to come."""

    at: float


class SeenMember(NamedTuple):
    queue: str
    interface: str
    name: str
    paused: bool
    reason: str
    status: int
    dynamic: bool
    last_call: float
    penalty: int = 0


class SeenCaller(NamedTuple):
    call: str
    queue: str
    position: int
    caller: str
    channel: str
    wait: float
    priority: int | None = None


class SeenChannel(NamedTuple):
    """A channel. `acd`: a queue rang it; `queue`: the one its caller waits in or talks through, or ""."""

    leg: str
    channel: str
    linked: str
    bridge: str
    up: bool
    dialling: bool
    acd: bool
    queue: str = ""
    caller: str = ""


class PictureTaken(NamedTuple):
    """All that Asterisk knows at one moment, taken after each log-in. `booted`: when this Asterisk started."""

    at: float
    booted: float
    queues: list[str]
    members: list[SeenMember]
    callers: list[SeenCaller]
    channels: list[SeenChannel]
    devices: dict[str, bool]


Event = (
    Registrations
    | AgentCreated
    | WrapUpSet
    | GroupSet
    | GroupRemoved
    | SessionCreated
    | SessionWithdrawn
    | SessionStateAsked
    | AgentStateAsked
    | OrderFailed
    | WrapUpChanged
    | DispositionSet
    | PenaltySet
    | ExitAsked
    | MonitorAsked
    | MeasurementPeriodSet
    | TimePassed
    | ClockSet
    | CallerJoined
    | CallerAbandoned
    | CallerLeft
    | QueueStatusTold
    | ExitRead
    | HangupRequested
    | ChannelCut
    | AgentCalled
    | AgentConnected
    | AgentNotAnswered
    | CallerReplaced
    | CallPickedUp
    | MemberAdded
    | MemberFound
    | MemberPenalty
    | WaitingSeen
    | MonitorStarted
    | MonitorFailed
    | MemberRemoved
    | MemberPaused
    | MemberStatus
    | QueueGone
    | ChannelMade
    | DialBegun
    | DialEnded
    | BridgeEntered
    | HoldStarted
    | HoldEnded
    | ChannelEnded
    | DeviceStateTold
    | LinkLost
    | LinkHeard
    | PictureTaken
)

KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__args__}
