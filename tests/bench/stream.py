"""A made-up call center as Asterisk tells of it: AMI messages of a consistent day, and the figures it must lead to.

Shapes and order are those of the recordings in tests/data/ami-traces; every name and number is invented.
"""

import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

START = 1_800_000_000.0
ANSWERED_WITHIN = 0.005  # seconds until Asterisk tells that an order of ours was carried out
STATES = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
NOBODY = ("<unknown>", "<unknown>")


@dataclass(frozen=True, slots=True)
class Size:
    """How large the call center is and how its calls go. Seconds."""

    agents: int = 100
    queues: int = 4
    queues_each: int = 2  # queues that an agent serves; `queues` is a multiple of it
    talk: float = 30.0  # on average
    wrap_up: float = 10.0
    idle: float = 2.0  # from the end of wrap-up to the next caller
    give_up_every: int = 10  # one caller in so many hangs up while he waits; 0: none
    whole: bool = False  # as a manager user without asterisk-conf's event filter sees it


class Step(NamedTuple):
    """The next message; an empty one means that only time passes: a wrap-up is over."""

    at: float
    data: bytes


@dataclass(slots=True)
class Truth:
    """What the figures must be. By agent: calls, talk, wrap_up. By queue: queued, answered, abandoned, waited."""

    agents: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    queues: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    calls: int = 0
    messages: int = 0

    def plain(self) -> "Truth":
        """The same, fit to be sent to another process."""
        agents = {name: dict(sent) for name, sent in self.agents.items()}
        queues = {name: dict(sent) for name, sent in self.queues.items()}
        return Truth(agents, queues, self.calls, self.messages)


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent at his phone."""

    number: str  # also his id
    name: str
    group: str
    queues: tuple[str, ...]

    @property
    def phone(self) -> str:
        return f"PJSIP/{self.number}"


class Channel(NamedTuple):
    name: str
    number: str
    person: str
    context: str
    exten: str
    uniqueid: str
    linkedid: str


class Call(NamedTuple):
    caller: Channel
    leg: Channel  # the agent's
    agent: Agent
    queue: str

    @property
    def known_caller(self) -> tuple[str, str]:
        return self.caller.number, self.caller.person

    @property
    def known_agent(self) -> tuple[str, str]:
        return self.leg.number, self.leg.person


Event = tuple[str, str]  # up to its Timestamp, and what follows it
Times = Mapping[str, list[float]]  # name of an event -> when it was told


class CallCenter:
    """Agents who take one call after another. `truth` grows with the steps that were taken from `calls`."""

    def __init__(self, size: Size, start: float = START) -> None:
        self.size = size
        self.start = start
        self.truth = Truth()
        self.queues = [f"queue{number}" for number in range(1, size.queues + 1)]
        self.groups = {
            f"group{number}": list(queues) for number, queues in enumerate(_parts(self.queues, size.queues_each), 1)
        }
        self.agents = [self._agent(number) for number in range(size.agents)]
        self._channels = itertools.count(1)

    def _agent(self, number: int) -> Agent:
        group = list(self.groups)[number % len(self.groups)]
        return Agent(str(10000 + number), f"Agent Nr. {number}", group, tuple(self.groups[group]))

    # Logging on -------------------------------------------------------------------------------------------

    def added(self, agent: Agent, at: float, queues: Iterable[str] | None = None) -> bytes:
        """He was added to his queues, paused."""
        events = (_member("QueueMemberAdded", agent, queue, "") for queue in queues or agent.queues)
        return b"".join(_told(at, event) for event in events)

    def paused(self, agent: Agent, at: float, reason: str | None) -> bytes:
        """He was paused in his queues, or unpaused (no reason)."""
        return b"".join(_told(at, event) for event in self._pauses(agent, reason) if event)

    # Calls ------------------------------------------------------------------------------------------------

    def calls(self, each: int) -> Iterator[Step]:
        """So many calls for each agent, all agents side by side, in the order of time."""
        cycle = self.size.talk + self.size.wrap_up + self.size.idle
        shifts = (
            self._shift(agent, each, self.start + 60 + cycle * number / self.size.agents, random.Random(number))
            for number, agent in enumerate(self.agents)
        )
        return heapq.merge(*shifts)

    def _shift(self, agent: Agent, calls: int, at: float, dice: random.Random) -> Iterator[Step]:
        for number in range(calls):
            queue = agent.queues[number % len(agent.queues)]
            caller = self._caller(at)
            if self.size.give_up_every and number % self.size.give_up_every == self.size.give_up_every - 1:
                at = yield from self._given_up(caller, queue, at, dice)
            else:
                at = yield from self._answered(caller, agent, queue, at, dice)
            at += self.size.idle

    def _caller(self, at: float) -> Channel:
        number = next(self._channels)
        name = f"PJSIP/trunk-{number:08x}"
        uniqueid = f"{int(at)}.{number}"
        return Channel(name, f"1555{number % 10000:04d}", "Caller 1", "queues", "600", uniqueid, uniqueid)

    def _leg(self, agent: Agent, caller: Channel, at: float) -> Channel:
        number = next(self._channels)
        name, uniqueid = f"{agent.phone}-{number:08x}", f"{int(at)}.{number}"
        return Channel(name, agent.number, agent.name, "from-phone", "s", uniqueid, caller.linkedid)

    def _given_up(self, caller: Channel, queue: str, at: float, dice: random.Random) -> Iterator[Step]:
        joined = yield from self._joined(caller, queue, at)
        left = yield from self._burst(
            at + dice.uniform(1, 20),
            _event("HangupRequest", "call", _channel(caller, 6)),
            self._not_let_through("MusicOnHoldStop", _channel(caller, 6)),
            _event(
                "QueueCallerAbandon",
                "agent",
                f"{_channel(caller, 6)}Queue: {queue}\r\nPosition: 1\r\nOriginalPosition: 1\r\nHoldTime: 9\r\n",
            ),
            _event("QueueCallerLeave", "agent", _in_queue(caller, NOBODY, queue, 0)),
            _event("SoftHangupRequest", "call", _channel(caller, 6) + "Cause: 16\r\n"),
            _hangup(caller, NOBODY),
        )
        tally = self.truth.queues[queue]
        tally["queued"] += 1
        tally["abandoned"] += 1
        tally["waited"] += left["QueueCallerLeave"][0] - joined["QueueCallerJoin"][0]
        self.truth.calls += 1
        return left["Hangup"][0]

    def _joined(self, caller: Channel, queue: str, at: float) -> Iterator[Step]:
        return (
            yield from self._burst(
                at,
                _event("Newchannel", "call", _channel(caller, 4)),
                self._not_let_through("Newexten", _step(caller, "Answer", "")),
                self._not_let_through("Newstate", _channel(caller, 6)),
                self._not_let_through("VarSet", f"{_channel(caller, 6)}Variable: LOCAL(ARG1)\r\nValue: {queue}\r\n"),
                self._not_let_through("Newexten", _step(caller, "Gosub", f"queue,600,1({queue})")),
                self._not_let_through("Newexten", _step(caller, "Queue", f"{queue},t,,,")),
                self._of_queue(f"Queue:{queue}", "RINGING"),
                _event("QueueCallerJoin", "agent", _in_queue(caller, NOBODY, queue, 1)),
                self._not_let_through("MusicOnHoldStart", f"{_channel(caller, 6)}Class: default\r\n"),
            )
        )

    def _answered(self, caller: Channel, agent: Agent, queue: str, at: float, dice: random.Random) -> Iterator[Step]:
        joined = yield from self._joined(caller, queue, at)
        at += dice.uniform(0.1, 1)
        call = Call(caller, self._leg(agent, caller, at), agent, queue)
        yield from self._ringing(call, at)
        at += dice.uniform(1, 6)
        connected = yield from self._connected(call, at)
        yield from self._burst(connected["BridgeEnter"][1] + ANSWERED_WITHIN, *self._pauses(agent, "wrapup"))
        at += dice.uniform(0.5, 1.5) * self.size.talk
        released = yield from self._released(call, at)
        at = released["QueueMemberStatus"][-1]
        if self.size.wrap_up:
            at = round(released["Hangup"][0] + self.size.wrap_up + 0.001, 6)
            yield Step(at, b"")
        unpaused = yield from self._burst(at + ANSWERED_WITHIN, *self._pauses(agent, None))
        self._book(call, joined, connected, released, unpaused)
        return unpaused["QueueMemberPause"][-1]

    def _ringing(self, call: Call, at: float) -> Iterator[Step]:
        caller, leg, agent, _ = call
        both = _channel(caller, 6) + _channel(leg, 0, call.known_caller, "Dest")
        yield from self._burst(
            at,
            _event("Newchannel", "call", _channel(leg, 0)),
            _event("AgentCalled", "agent", both + _served(call)),
            _event("DialBegin", "call", f"{both}DialString: {agent.phone}\r\n"),
            self._not_let_through("NewConnectedLine", _channel(caller, 6, call.known_agent)),
            self._not_let_through("Newstate", _channel(leg, 5, call.known_caller)),
            self._not_let_through("NewConnectedLine", _channel(leg, 5, call.known_caller)),
            self._not_let_through("ExtensionStatus", _hint(agent, 8, "Ringing")),
            _device(agent.phone, "RINGING"),
            *(_member("QueueMemberStatus", agent, each, None, 6) for each in agent.queues),
            self._not_let_through("DialState", f"{both}DialStatus: RINGING\r\n"),
        )

    def _connected(self, call: Call, at: float) -> Iterator[Step]:
        caller, leg, agent, queue = call
        bridge = _bridge(call)
        both = _both(call)
        return (
            yield from self._burst(
                at,
                self._not_let_through("Newstate", _channel(leg, 6, call.known_caller)),
                _event("DialEnd", "call", f"{both}DialStatus: ANSWER\r\n"),
                self._not_let_through("MusicOnHoldStop", _channel(caller, 6, call.known_agent)),
                self._not_let_through("ExtensionStatus", _hint(agent, 1, "InUse")),
                _device(agent.phone, "INUSE"),
                self._of_queue(f"Queue:{queue}", "NOT_INUSE"),
                _event("QueueCallerLeave", "agent", _in_queue(caller, call.known_agent, queue, 0)),
                _event("AgentConnect", "agent", f"{both}{_served(call)}HoldTime: 4\r\nRingTime: 3\r\n"),
                *(_member("QueueMemberStatus", agent, each, None, 2) for each in agent.queues),
                self._not_let_through("BridgeCreate", bridge),
                _event("BridgeEnter", "call", bridge + _channel(leg, 6, call.known_caller)),
                _event("BridgeEnter", "call", bridge + _channel(caller, 6, call.known_agent)),
            )
        )

    def _released(self, call: Call, at: float) -> Iterator[Step]:
        caller, leg, agent, _ = call
        bridge = _bridge(call)
        return (
            yield from self._burst(
                at,
                _event("HangupRequest", "call", _channel(leg, 6, call.known_caller)),
                self._not_let_through("BridgeLeave", bridge + _channel(leg, 6, call.known_caller)),
                self._not_let_through(
                    "AgentComplete", f"{_both(call)}{_served(call)}HoldTime: 4\r\nTalkTime: 30\r\nReason: agent\r\n"
                ),
                self._not_let_through("BridgeLeave", bridge + _channel(caller, 6, call.known_agent)),
                self._not_let_through("BridgeDestroy", bridge),
                *(self._not_let_through("VarSet", _quality(channel)) for channel in (leg, caller) for _ in range(2)),
                _event("SoftHangupRequest", "call", _channel(caller, 6) + "Cause: 16\r\n"),
                _hangup(leg, call.known_caller),
                _hangup(caller, call.known_agent),
                _device(agent.phone, "NOT_INUSE"),
                *(_member("QueueMemberStatus", agent, each, "wrapup", 1) for each in agent.queues),
            )
        )

    def _book(self, call: Call, joined: Times, connected: Times, released: Times, free: Times) -> None:
        answer, end = connected["AgentConnect"][0], released["Hangup"][0]
        tally = self.truth.agents[call.agent.number]
        tally["calls"] += 1
        tally["talk"] += end - answer
        tally["wrap_up"] += free["QueueMemberPause"][-1] - end if self.size.wrap_up else 0
        tally = self.truth.queues[call.queue]
        tally["queued"] += 1
        tally["answered"] += 1
        tally["waited"] += answer - joined["QueueCallerJoin"][0]
        self.truth.calls += 1

    # Messages ---------------------------------------------------------------------------------------------

    def _burst(self, at: float, *events: Event | None) -> Iterator[Step]:
        """Events one upon the other; returns when each was told."""
        times: dict[str, list[float]] = defaultdict(list)
        for number, event in enumerate(filter(None, events)):
            told = round(at + number / 100_000, 6)
            times[event[0].partition("\r\n")[0].removeprefix("Event: ")].append(told)
            self.truth.messages += 1
            yield Step(told, _told(told, event))
        return times

    def _pauses(self, agent: Agent, reason: str | None) -> list[Event | None]:
        state = "NOT_INUSE" if reason is None else "INUSE"
        return [
            event
            for queue in agent.queues
            for event in (
                self._of_queue(f"Queue:{queue}_pause_{agent.phone}", state),
                _member("QueueMemberPause", agent, queue, reason),
            )
        ]

    def _of_queue(self, device: str, state: str) -> Event | None:
        """app_queue's own devices; few of a thousand messages without a filter, so left out there."""
        return None if self.size.whole else _device(device, state)

    def _not_let_through(self, name: str, text: str) -> Event | None:
        return _event(name, "call", text) if self.size.whole else None


def _told(at: float, event: Event) -> bytes:
    return f"{event[0]}Timestamp: {at:.6f}\r\n{event[1]}\r\n".encode()


def _parts(items: list[str], size: int) -> Iterable[list[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _event(name: str, privilege: str, text: str) -> Event:
    return f"Event: {name}\r\nPrivilege: {privilege},all\r\n", text


def _channel(channel: Channel, state: int, other: tuple[str, str] = NOBODY, prefix: str = "") -> str:
    p = prefix
    return (
        f"{p}Channel: {channel.name}\r\n{p}ChannelState: {state}\r\n{p}ChannelStateDesc: {STATES[state]}\r\n"
        f"{p}CallerIDNum: {channel.number}\r\n{p}CallerIDName: {channel.person}\r\n"
        f"{p}ConnectedLineNum: {other[0]}\r\n{p}ConnectedLineName: {other[1]}\r\n{p}Language: en\r\n"
        f"{p}AccountCode: \r\n{p}Context: {channel.context}\r\n{p}Exten: {channel.exten}\r\n{p}Priority: 1\r\n"
        f"{p}Uniqueid: {channel.uniqueid}\r\n{p}Linkedid: {channel.linkedid}\r\n"
    )


def _both(call: Call) -> str:
    return _channel(call.caller, 6, call.known_agent) + _channel(call.leg, 6, call.known_caller, "Dest")


def _served(call: Call) -> str:
    return f"Queue: {call.queue}\r\nInterface: {call.agent.phone}\r\nMemberName: {call.agent.name}\r\n"


def _in_queue(caller: Channel, other: tuple[str, str], queue: str, count: int) -> str:
    return f"{_channel(caller, 6, other)}Queue: {queue}\r\nPosition: 1\r\nCount: {count}\r\n"


def _step(channel: Channel, application: str, data: str) -> str:
    return f"{_channel(channel, 4)}Extension: 600\r\nApplication: {application}\r\nAppData: {data}\r\n"


def _hangup(channel: Channel, other: tuple[str, str]) -> Event:
    return _event("Hangup", "call", f"{_channel(channel, 6, other)}Cause: 16\r\nCause-txt: Normal Clearing\r\n")


def _bridge(call: Call) -> str:
    number = call.leg.name.rpartition("-")[2]
    return (
        f"BridgeUniqueid: 00000000-0000-4000-8000-{number:0>12}\r\nBridgeType: basic\r\n"
        "BridgeTechnology: simple_bridge\r\nBridgeCreator: <unknown>\r\nBridgeName: <unknown>\r\n"
        "BridgeNumChannels: 1\r\nBridgeVideoSourceMode: none\r\n"
    )


def _hint(agent: Agent, status: int, text: str) -> str:
    hint = f"Exten: {agent.number}\r\nContext: phones\r\nHint: {agent.phone}\r\n"
    return f"{hint}Status: {status}\r\nStatusText: {text}\r\n"


def _device(device: str, state: str) -> Event:
    return _event("DeviceStateChange", "call", f"Device: {device}\r\nState: {state}\r\n")


def _quality(channel: Channel) -> str:
    value = "".join(f"{name}=000.000000;" for name in ("minrxjitter", "maxrxjitter", "avgrxjitter", "stdevrxjitter"))
    return f"{_channel(channel, 6)}Variable: RTPAUDIOQOSJITTER\r\nValue: {value}\r\n"


def _member(name: str, agent: Agent, queue: str, reason: str | None, status: int = 1) -> Event:
    """Paused for this reason, or not (None)."""
    paused = f"Paused: {int(reason is not None)}\r\nPausedReason: {reason or ''}\r\n"
    return _event(
        name,
        "agent",
        f"Queue: {queue}\r\nMemberName: {agent.name}\r\nInterface: {agent.phone}\r\nStateInterface: {agent.phone}\r\n"
        "Membership: dynamic\r\nPenalty: 0\r\nCallsTaken: 0\r\nLastCall: 0\r\nLastPause: 0\r\nLoginTime: 1800000000\r\n"
        f"InCall: {int(status == 2)}\r\nStatus: {status}\r\n{paused}"
        "Ringinuse: 0\r\nWrapuptime: 2\r\n",
    )
