"""A made-up call center as Asterisk tells of it: AMI messages of a consistent day, and the figures it must lead to.

Shapes are those of the simulated Asterisk, their order that of the recordings in tests/data/ami-traces; every name and
number is invented.
"""

import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from acd.simulated import messages
from acd.simulated.messages import NOBODY, Event, channel, device, event, hangup, told

START = 1_800_000_000.0
ANSWERED_WITHIN = 0.005  # seconds until Asterisk tells that an order of ours was carried out


@dataclass(frozen=True, slots=True)
class Size:
    """How large the call center is and how its calls go. Seconds."""

    agents: int = 100
    queues: int = 4
    queues_each: int = 2  # queues that an agent serves; `queues` is a multiple of it
    talk: float = 30.0  # on average
    wrap_up: float = 10.0
    idle: float = 2.0  # from the end of wrap-up to the next caller
    patience: float = 1.0  # by which it takes longer until somebody answers, or gives up
    give_up_every: int = 10  # one caller in so many hangs up while he waits; 0: none
    no_answer_every: int = 0  # of an agent's calls one in so many, by chance, rings in vain before he takes it
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
        return b"".join(told(at, each) for each in events)

    def paused(self, agent: Agent, at: float, reason: str | None) -> bytes:
        """He was paused in his queues, or unpaused (no reason)."""
        return b"".join(told(at, each) for each in self._pauses(agent, reason) if each)

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
            at + self.size.patience * dice.uniform(1, 20),
            event("HangupRequest", "call", channel(caller, 6)),
            self._not_let_through("MusicOnHoldStop", channel(caller, 6)),
            event(
                "QueueCallerAbandon",
                "agent",
                f"{channel(caller, 6)}Queue: {queue}\r\nPosition: 1\r\nOriginalPosition: 1\r\nHoldTime: 9\r\n",
            ),
            event("QueueCallerLeave", "agent", _in_queue(caller, NOBODY, queue, 0)),
            event("SoftHangupRequest", "call", channel(caller, 6) + "Cause: 16\r\n"),
            hangup(caller, NOBODY),
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
                event("Newchannel", "call", channel(caller, 4)),
                self._not_let_through("Newexten", _step(caller, "Answer", "")),
                self._not_let_through("Newstate", channel(caller, 6)),
                self._not_let_through("VarSet", f"{channel(caller, 6)}Variable: LOCAL(ARG1)\r\nValue: {queue}\r\n"),
                self._not_let_through("Newexten", _step(caller, "Gosub", f"queue,600,1({queue})")),
                self._not_let_through("Newexten", _step(caller, "Queue", f"{queue},t,,,")),
                self._of_queue(f"Queue:{queue}", "RINGING"),
                event("QueueCallerJoin", "agent", _in_queue(caller, NOBODY, queue, 1)),
                self._not_let_through("MusicOnHoldStart", f"{channel(caller, 6)}Class: default\r\n"),
            )
        )

    def _answered(self, caller: Channel, agent: Agent, queue: str, at: float, dice: random.Random) -> Iterator[Step]:
        joined = yield from self._joined(caller, queue, at)
        at += self.size.patience * dice.uniform(0.1, 1)
        if self.size.no_answer_every and dice.randrange(self.size.no_answer_every) == 0:
            at = yield from self._not_answered(Call(caller, self._leg(agent, caller, at), agent, queue), at)
        call = Call(caller, self._leg(agent, caller, at), agent, queue)
        yield from self._ringing(call, at)
        at += self.size.patience * dice.uniform(1, 6)
        connected = yield from self._connected(call, at)
        yield from self._burst(connected["BridgeEnter"][1] + ANSWERED_WITHIN, *self._pauses(agent, "wrapup"))
        at += dice.uniform(0.5, 1.5) * self.size.talk
        released = yield from self._released(call, at)
        at = released["QueueMemberStatus"][-1]
        if self.size.wrap_up:
            at = round(released["HangupRequest"][0] + self.size.wrap_up + 0.001, 6)
            yield Step(at, b"")
        unpaused = yield from self._burst(at + ANSWERED_WITHIN, *self._pauses(agent, None))
        self._book(call, joined, connected, released, unpaused)
        return unpaused["QueueMemberPause"][-1]

    def _ringing(self, call: Call, at: float) -> Iterator[Step]:
        caller, leg, agent, _ = call
        both = channel(caller, 6) + channel(leg, 0, call.known_caller, "Dest")
        yield from self._burst(
            at,
            event("Newchannel", "call", channel(leg, 0)),
            event("AgentCalled", "agent", both + _served(call)),
            event("DialBegin", "call", f"{both}DialString: {agent.phone}\r\n"),
            self._not_let_through("NewConnectedLine", channel(caller, 6, call.known_agent)),
            self._not_let_through("Newstate", channel(leg, 5, call.known_caller)),
            self._not_let_through("NewConnectedLine", channel(leg, 5, call.known_caller)),
            self._not_let_through("ExtensionStatus", _hint(agent, 8, "Ringing")),
            device(agent.phone, "RINGING"),
            *(_member("QueueMemberStatus", agent, each, None, 6) for each in agent.queues),
            self._not_let_through("DialState", f"{both}DialStatus: RINGING\r\n"),
        )

    def _not_answered(self, call: Call, at: float) -> Iterator[Step]:
        """The phone rings for 15 seconds; the caller is offered again a second later."""
        caller, leg, agent, _ = call
        both = channel(caller, 6) + channel(leg, 5, call.known_caller, "Dest")
        yield from self._ringing(call, at)
        told = yield from self._burst(
            at + 15,
            event("AgentRingNoAnswer", "agent", f"{both}{_served(call)}RingTime: 15000\r\n"),
            *(event("DialEnd", "call", f"{both}DialStatus: {status}\r\n") for status in ("NOANSWER", "CANCEL")),
            hangup(leg, call.known_caller, 5, 0),
            device(agent.phone, "NOT_INUSE"),
            *(_member("QueueMemberStatus", agent, each, None, 1) for each in agent.queues),
        )
        return told["QueueMemberStatus"][-1] + 1

    def _connected(self, call: Call, at: float) -> Iterator[Step]:
        caller, leg, agent, queue = call
        bridge = _bridge(call)
        both = _both(call)
        return (
            yield from self._burst(
                at,
                self._not_let_through("Newstate", channel(leg, 6, call.known_caller)),
                event("DialEnd", "call", f"{both}DialStatus: ANSWER\r\n"),
                self._not_let_through("MusicOnHoldStop", channel(caller, 6, call.known_agent)),
                self._not_let_through("ExtensionStatus", _hint(agent, 1, "InUse")),
                device(agent.phone, "INUSE"),
                self._of_queue(f"Queue:{queue}", "NOT_INUSE"),
                event("QueueCallerLeave", "agent", _in_queue(caller, call.known_agent, queue, 0)),
                event("AgentConnect", "agent", f"{both}{_served(call)}HoldTime: 4\r\nRingTime: 3\r\n"),
                *(_member("QueueMemberStatus", agent, each, None, 2) for each in agent.queues),
                self._not_let_through("BridgeCreate", bridge),
                event("BridgeEnter", "call", bridge + channel(leg, 6, call.known_caller)),
                event("BridgeEnter", "call", bridge + channel(caller, 6, call.known_agent)),
            )
        )

    def _released(self, call: Call, at: float) -> Iterator[Step]:
        caller, leg, agent, _ = call
        bridge = _bridge(call)
        return (
            yield from self._burst(
                at,
                event("HangupRequest", "call", channel(leg, 6, call.known_caller)),
                self._not_let_through("BridgeLeave", bridge + channel(leg, 6, call.known_caller)),
                self._not_let_through(
                    "AgentComplete", f"{_both(call)}{_served(call)}HoldTime: 4\r\nTalkTime: 30\r\nReason: agent\r\n"
                ),
                self._not_let_through("BridgeLeave", bridge + channel(caller, 6, call.known_agent)),
                self._not_let_through("BridgeDestroy", bridge),
                *(self._not_let_through("VarSet", _quality(line)) for line in (leg, caller) for _ in range(2)),
                event("SoftHangupRequest", "call", channel(caller, 6) + "Cause: 16\r\n"),
                hangup(leg, call.known_caller),
                hangup(caller, call.known_agent),
                device(agent.phone, "NOT_INUSE"),
                *(_member("QueueMemberStatus", agent, each, "wrapup", 1) for each in agent.queues),
            )
        )

    def _book(self, call: Call, joined: Times, connected: Times, released: Times, free: Times) -> None:
        answer, end = connected["AgentConnect"][0], released["HangupRequest"][0]
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
        for number, each in enumerate(filter(None, events)):
            when = round(at + number / 100_000, 6)
            times[each[0].partition("\r\n")[0].removeprefix("Event: ")].append(when)
            self.truth.messages += 1
            yield Step(when, told(when, each))
        return times

    def _pauses(self, agent: Agent, reason: str | None) -> list[Event | None]:
        state = "NOT_INUSE" if reason is None else "INUSE"
        return [
            each
            for queue in agent.queues
            for each in (
                self._of_queue(f"Queue:{queue}_pause_{agent.phone}", state),
                _member("QueueMemberPause", agent, queue, reason),
            )
        ]

    def _of_queue(self, name: str, state: str) -> Event | None:
        """app_queue's own devices; few of a thousand messages without a filter, so left out there."""
        return None if self.size.whole else device(name, state)

    def _not_let_through(self, name: str, text: str) -> Event | None:
        return event(name, "call", text) if self.size.whole else None


def _parts(items: list[str], size: int) -> Iterable[list[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _both(call: Call) -> str:
    return channel(call.caller, 6, call.known_agent) + channel(call.leg, 6, call.known_caller, "Dest")


def _served(call: Call) -> str:
    return messages.served(call.queue, call.agent.phone, call.agent.name)


def _in_queue(caller: Channel, other: tuple[str, str], queue: str, count: int) -> str:
    return f"{channel(caller, 6, other)}Queue: {queue}\r\nPosition: 1\r\nCount: {count}\r\n"


def _step(caller: Channel, application: str, data: str) -> str:
    return f"{channel(caller, 4)}Extension: 600\r\nApplication: {application}\r\nAppData: {data}\r\n"


def _bridge(call: Call) -> str:
    return messages.bridge(messages.bridge_id(call.leg.name.rpartition("-")[2]))


def _hint(agent: Agent, status: int, text: str) -> str:
    hint = f"Exten: {agent.number}\r\nContext: phones\r\nHint: {agent.phone}\r\n"
    return f"{hint}Status: {status}\r\nStatusText: {text}\r\n"


def _quality(line: Channel) -> str:
    value = "".join(f"{name}=000.000000;" for name in ("minrxjitter", "maxrxjitter", "avgrxjitter", "stdevrxjitter"))
    return f"{channel(line, 6)}Variable: RTPAUDIOQOSJITTER\r\nValue: {value}\r\n"


def _member(name: str, agent: Agent, queue: str, reason: str | None, status: int = 1) -> Event:
    """Paused for this reason, or not (None)."""
    return messages.member(name, queue, agent.phone, agent.name, reason=reason, status=status)
