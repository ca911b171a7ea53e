"""A fake Asterisk with queues: it carries out QueueAdd, QueueRemove and QueuePause, and tells what came of it.

Like Asterisk it answers first and sends the event after that, and skips blanks at the front of a value.
"""

import asyncio
from dataclasses import dataclass, field

from tests.asterisk.fake_ami import FakeAsterisk, Headers, error, event, event_list, success

NOT_IN_USE = 1
INVALID = 4


@dataclass
class Member:
    """A phone in a queue, as Asterisk knows it."""

    name: str = ""
    paused: bool = False
    reason: str = ""
    status: int = NOT_IN_USE
    penalty: int = 0


@dataclass
class Call:
    """A caller in a queue: his channel, and the leg to the agent's phone."""

    id: str
    queue: str
    phone: str = "PJSIP/1001"
    caller: str = "5551234"
    leg: str = field(init=False)

    def __post_init__(self) -> None:
        self.leg = f"{self.id}-leg"


class Switch(FakeAsterisk):
    """Queues, members and channels are plain attributes; a change made there is seen in the next picture only."""

    def __init__(self, *queues: str) -> None:
        super().__init__()
        self.queues: dict[str, dict[str, Member]] = {queue: {} for queue in queues}
        self.entries: list[Headers] = []  # QueueEntry: callers who wait
        self.channels: list[Headers] = []  # CoreShowChannel
        self.devices: dict[str, str] = {}  # device -> State
        self.unknown_phones: set[str] = set()
        self.events_late_by = 0.0  # seconds from an answer to the event that follows it
        self.tells = True  # False: orders are carried out and answered, and no event comes
        self.stamps = True  # timestampevents

    # what was asked of it

    def orders(self) -> list[Headers]:
        """The actions that change something, without their ActionIDs."""
        changing = [a for a in self.received if a["Action"] in ("QueueAdd", "QueueRemove", "QueuePause")]
        return [{key: value for key, value in action.items() if key != "ActionID"} for action in changing]

    # what happens in it

    def tell(self, name: str, at: float | None = None, **headers: object) -> None:
        """Send an event, with a Timestamp as manager.conf asks for."""
        stamp = self.now() if at is None else at
        self.push(event(name, **({"Timestamp": f"{stamp:.6f}"} if self.stamps else {}), **headers))

    def join(self, call: Call, at: float | None = None, position: int = 1) -> None:
        """A caller comes into the queue."""
        self.tell(
            "QueueCallerJoin",
            at,
            Channel=f"PJSIP/trunk-{call.id}",
            CallerIDNum=call.caller,
            Uniqueid=call.id,
            Linkedid=call.id,
            Queue=call.queue,
            Position=position,
            Count=position,
        )

    def ring(self, call: Call, at: float | None = None) -> None:
        """The queue rings the agent's phone."""
        channel = f"{call.phone}-{call.id}"
        self.tell("Newchannel", at, Channel=channel, ChannelState=0, Uniqueid=call.leg, Linkedid=call.id)
        self.tell("AgentCalled", at, Uniqueid=call.id, DestUniqueid=call.leg, Queue=call.queue, Interface=call.phone)
        self.tell("DialBegin", at, Uniqueid=call.id, DestUniqueid=call.leg)

    def answer(self, call: Call, at: float | None = None) -> None:
        """The agent answers."""
        self.tell("DialEnd", at, Uniqueid=call.id, DestUniqueid=call.leg, DialStatus="ANSWER")
        self.tell("QueueCallerLeave", at, Uniqueid=call.id, Queue=call.queue, Position=1, Count=0)
        self.tell(
            "AgentConnect",
            at,
            Uniqueid=call.id,
            DestUniqueid=call.leg,
            Queue=call.queue,
            Interface=call.phone,
            RingTime=0,
            HoldTime=0,
        )
        self.tell("BridgeEnter", at, Uniqueid=call.leg, BridgeUniqueid="bridge")
        self.tell("BridgeEnter", at, Uniqueid=call.id, BridgeUniqueid="bridge")

    def take(self, call: Call, at: float | None = None) -> None:
        """A caller comes and is answered at once."""
        self.join(call, at)
        self.ring(call, at)
        self.answer(call, at)

    def hang_up(self, call: Call, at: float | None = None) -> None:
        """The caller hangs up on the agent."""
        self.tell("HangupRequest", at, Uniqueid=call.id)
        self.tell(
            "AgentComplete",
            at,
            Uniqueid=call.id,
            DestUniqueid=call.leg,
            Queue=call.queue,
            Interface=call.phone,
            Reason="caller",
        )
        self.tell("BridgeLeave", at, Uniqueid=call.leg, BridgeUniqueid="bridge")
        self.tell("Hangup", at, Channel=f"{call.phone}-{call.id}", ChannelState=6, Uniqueid=call.leg)
        self.tell("Hangup", at, Channel=f"PJSIP/trunk-{call.id}", ChannelState=6, Uniqueid=call.id)

    def show_talking(self, call: Call) -> None:
        """CoreShowChannels has the legs of an answered call."""
        own = {"Linkedid": call.id, "ChannelState": "6", "BridgeId": "bridge"}
        caller = {"Channel": f"PJSIP/trunk-{call.id}", "Uniqueid": call.id, "Application": "Queue"}
        agent = {"Channel": f"{call.phone}-{call.id}", "Uniqueid": call.leg, "Application": "AppQueue"}
        self.channels += [own | caller, own | agent]

    def tell_member(self, name: str, queue: str, phone: str) -> None:
        """Send a QueueMember... event of a member as it is."""
        member = self.queues[queue].get(phone, Member())
        self.tell(
            name,
            Queue=queue,
            MemberName=member.name,
            Interface=phone,
            Membership="dynamic",
            Status=member.status,
            Paused=int(member.paused),
            PausedReason=member.reason,
            Penalty=member.penalty,
        )

    # what it answers

    def _queueadd(self, action: Headers) -> bytes:
        members, phone = self.queues.get(action["Queue"]), action["Interface"]
        if members is None:
            return error("Unable to add interface to queue: No such queue")(action)
        if phone in members:
            return error("Unable to add interface: Already there")(action)
        status = INVALID if phone in self.unknown_phones else NOT_IN_USE
        paused = action.get("Paused") == "true"
        penalty = int(action.get("Penalty", "0"))
        members[phone] = Member(action.get("MemberName", ""), paused, _value(action, "Reason"), status, penalty)
        self._tell_soon("QueueMemberAdded", action["Queue"], phone)
        return success("Added interface to queue")(action)

    def _queueremove(self, action: Headers) -> bytes:
        members = self.queues.get(action["Queue"])
        if members is None:
            return error("Unable to remove interface from queue: No such queue")(action)
        if members.pop(action["Interface"], None) is None:
            return error("Unable to remove interface: Not there")(action)
        self._tell_soon("QueueMemberRemoved", action["Queue"], action["Interface"])
        return success("Removed interface from queue")(action)

    def _queuepause(self, action: Headers) -> bytes:
        phone, paused = action["Interface"], action["Paused"] == "true"
        named = action.get("Queue")
        queues = [queue for queue in self.queues if queue == (named or queue) and phone in self.queues[queue]]
        if not queues:
            return error("Interface not found")(action)
        for queue in queues:
            member = self.queues[queue][phone]
            member.paused, member.reason = paused, _value(action, "Reason")
            self._tell_soon("QueueMemberPause", queue, phone)
        return success(f"Interface {'paused' if paused else 'unpaused'} successfully")(action)

    def _queuepenalty(self, action: Headers) -> bytes:
        queue, phone = action["Queue"], action["Interface"]
        if phone not in self.queues.get(queue, {}):
            return error("Invalid interface, queuename or penalty")(action)
        self.queues[queue][phone].penalty = int(action["Penalty"])
        self._tell_soon("QueueMemberPenalty", queue, phone)
        return success("Interface penalty set successfully")(action)

    def _tell_soon(self, name: str, queue: str, phone: str) -> None:
        if self.tells:
            asyncio.get_running_loop().call_later(self.events_late_by, self.tell_member, name, queue, phone)

    def _queuestatus(self, action: Headers) -> bytes:
        items: list[tuple[str, Headers]] = []
        for queue, members in self.queues.items():
            items.append(("QueueParams", {"Queue": queue, "Calls": "0"}))
            items += [("QueueMember", _listed(queue, phone, member)) for phone, member in members.items()]
            items += [("QueueEntry", entry) for entry in self.entries if entry["Queue"] == queue]
        return event_list("Queue status will follow", *items)(action)

    def _coreshowchannels(self, action: Headers) -> bytes:
        items = [("CoreShowChannel", channel) for channel in self.channels]
        return event_list("Channels will follow", *items)(action)

    def _devicestatelist(self, action: Headers) -> bytes:
        items = [("DeviceStateChange", {"Device": device, "State": state}) for device, state in self.devices.items()]
        return event_list("Device States will follow", *items)(action)


def _value(action: Headers, header: str) -> str:
    return action.get(header, "").lstrip()


def _listed(queue: str, phone: str, member: Member) -> Headers:
    return {
        "Queue": queue,
        "Name": member.name,
        "Location": phone,
        "Membership": "dynamic",
        "LastCall": "0",
        "Status": str(member.status),
        "Paused": str(int(member.paused)),
        "PausedReason": member.reason,
        "Penalty": str(member.penalty),
    }
