"""Between AMI's words and ours, as pure functions: message -> event, list answers -> picture, order -> action.

AMI's oddities stop here: "1" and "0", empty and "<unknown>", milliseconds among seconds, Name/Location in lists
where events say MemberName/Interface.
"""

from collections.abc import Callable, Mapping

from acd.asterisk.message import Message
from acd.core import events as ev
from acd.core.effects import AddMember, Order, PauseMember, RemoveMember, SetPenalty
from acd.core.records import Monitor

# Values of QUEUESTATUS, and our own KEY for the exit that sets none. A dialplan's UserEvent is taken for a report
# of it, by whatever name, when its Status is one of these.
QUEUE_STATUSES = frozenset(
    {"TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL", "CONTINUE", "WITHDRAW", "KEY"}
)
OUT_OF_SERVICE = frozenset({"UNAVAILABLE", "INVALID"})
RING = "4"  # ChannelState of a channel that the device itself placed
UP = "6"
SHUTDOWN = "4"  # SoftHangupRequest's Cause is a flag of Asterisk's own, not a Q.850 cause
LARGEST = 1e11  # seconds or milliseconds; what is beyond is no time, nor is what is below zero
LONGEST_NAME = 512  # characters; Asterisk's own names have a quarter of that at most
LARGEST_PRIORITY = 2**31 - 1
LONGEST = 1e8  # seconds; nobody waits or rings for three years
FAR = 3600.0  # seconds between a Timestamp and now; beyond that it is a clock gone wrong, and no time to count by


class Malformed(ValueError):
    """A message lacks what it must have, or carries what it cannot mean."""


def to_event(message: Message, now: float) -> ev.Event | None:
    """What a message means; None when it means nothing to an ACD. Raises Malformed.

    `now` stands in for the Timestamp of an Asterisk whose manager.conf lacks timestampevents, and for one that is far
    from it: a wrap-up that ends in the year 3000 would hold its agent until then.
    """
    translator = TRANSLATORS.get(message.event)
    if translator is None:
        return None
    stamp = message.get("Timestamp")
    at = _number(stamp, "Timestamp") if stamp else now
    return translator(message, at if abs(at - now) <= FAR else now)


def _need(message: Message, header: str) -> str:
    value = message.get(header)
    if not value:
        raise Malformed(f"{message.event or 'a message'} without {header}")
    if len(value) > LONGEST_NAME:
        raise Malformed(f"{message.event} with a {header} of {len(value)} characters")
    return value


def _number(text: str | None, header: str) -> float:
    try:
        number = float(text or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number < LARGEST:
        raise Malformed(f"{header} is not a number: {text!r}")
    return number


def _integer(text: str | None, header: str) -> int:
    return int(_number(text, header))


def _span(message: Message, header: str) -> float:
    """Seconds that something took; none where Asterisk's clock was set back meanwhile and it says fewer than that."""
    text = message.get(header)
    seconds = 0.0 if text and text.startswith("-") else _number(text, header)
    if seconds > LONGEST:
        raise Malformed(f"{header} is no time that anything took: {text!r}")
    return seconds


def _caller(message: Message) -> str:
    return _number_of(message.get("CallerIDNum"))


def _number_of(text: str | None) -> str:
    return "" if text is None or text == "<unknown>" else text


def _caller_joined(m: Message, at: float) -> ev.Event:
    position = _integer(m.get("Position"), "Position")
    return ev.CallerJoined(at, _need(m, "Uniqueid"), _need(m, "Queue"), position, _caller(m), m.get("Channel") or "")


def _caller_abandoned(m: Message, at: float) -> ev.Event:
    return ev.CallerAbandoned(at, _need(m, "Uniqueid"), _need(m, "Queue"))


def _caller_left(m: Message, at: float) -> ev.Event:
    return ev.CallerLeft(at, _need(m, "Uniqueid"), _need(m, "Queue"))


def _user_event(m: Message, at: float) -> ev.Event | None:
    """UserEvent(AcdQueueLeft,Queue: q,Status: ${QUEUESTATUS}), by whatever name a site gives it."""
    status, call = m.get("Status"), m.get("Uniqueid")
    if not call or status not in QUEUE_STATUSES:
        return None
    return ev.QueueStatusTold(at, call, m.get("Queue") or None, status)


def _var_set(m: Message, at: float) -> ev.Event | None:
    """VarSet of QUEUESTATUS, for sites that let it through instead of sending a UserEvent."""
    value = m.get("Value")
    if m.get("Variable") != "QUEUESTATUS" or value not in QUEUE_STATUSES:
        return None
    return ev.QueueStatusTold(at, _need(m, "Uniqueid"), None, value)


def _hangup_request(m: Message, at: float) -> ev.Event:
    return ev.HangupRequested(at, _need(m, "Uniqueid"))


def _soft_hangup_request(m: Message, at: float) -> ev.Event | None:
    return ev.ChannelCut(at, _need(m, "Uniqueid")) if m.get("Cause") == SHUTDOWN else None


def _agent_called(m: Message, at: float) -> ev.Event:
    return ev.AgentCalled(
        at,
        _need(m, "Uniqueid"),
        _need(m, "Queue"),
        _need(m, "Interface"),
        _need(m, "DestUniqueid"),
        m.get("Linkedid") or "",
    )


def _agent_connect(m: Message, at: float) -> ev.Event:
    return ev.AgentConnected(
        at,
        _need(m, "Uniqueid"),
        _need(m, "Queue"),
        _need(m, "Interface"),
        m.get("MemberName") or "",
        _need(m, "DestUniqueid"),
        _span(m, "RingTime"),
        _span(m, "HoldTime"),
        m.get("DestChannel") or "",
        _caller(m),
    )


def _agent_not_answered(m: Message, at: float) -> ev.Event:
    return ev.AgentNotAnswered(
        at, _need(m, "Uniqueid"), _need(m, "Queue"), _need(m, "Interface"), m.get("DestUniqueid") or ""
    )


def _member_added(m: Message, at: float) -> ev.Event:
    return ev.MemberAdded(
        at,
        _need(m, "Queue"),
        _need(m, "Interface"),
        m.get("MemberName") or "",
        m.get("Paused") == "1",
        m.get("PausedReason") or "",
        _integer(m.get("Status"), "Status"),
        m.get("Membership") == "dynamic",
        _integer(m.get("Penalty"), "Penalty"),
    )


def _member_penalty(m: Message, at: float) -> ev.Event:
    return ev.MemberPenalty(at, _need(m, "Queue"), _need(m, "Interface"), _integer(m.get("Penalty"), "Penalty"))


def _spy_start(m: Message, at: float) -> ev.Event:
    return ev.MonitorStarted(at, _need(m, "SpyerUniqueid"))


def _originate_response(m: Message, at: float) -> ev.Event | None:
    return ev.MonitorFailed(at, _need(m, "Uniqueid")) if m.get("Response") == "Failure" else None


def _member_removed(m: Message, at: float) -> ev.Event:
    return ev.MemberRemoved(at, _need(m, "Queue"), _need(m, "Interface"))


def _member_pause(m: Message, at: float) -> ev.Event:
    reason = m.get("PausedReason") or ""
    return ev.MemberPaused(at, _need(m, "Queue"), _need(m, "Interface"), m.get("Paused") == "1", reason)


def _member_status(m: Message, at: float) -> ev.Event:
    return ev.MemberStatus(at, _need(m, "Queue"), _need(m, "Interface"), _integer(m.get("Status"), "Status"))


def _new_channel(m: Message, at: float) -> ev.Event:
    leg, linked = _need(m, "Uniqueid"), _need(m, "Linkedid")
    dialling = leg == linked and m.get("ChannelState") == RING
    return ev.ChannelMade(at, leg, _need(m, "Channel"), linked, dialling)


def _dial_begin(m: Message, at: float) -> ev.Event:
    return ev.DialBegun(at, m.get("Uniqueid") or None, _need(m, "DestUniqueid"))


def _dial_end(m: Message, at: float) -> ev.Event:
    return ev.DialEnded(at, m.get("Uniqueid") or None, _need(m, "DestUniqueid"), m.get("DialStatus") or "")


def _bridge_enter(m: Message, at: float) -> ev.Event:
    instead_of = m.get("SwapUniqueid") or ""
    return ev.BridgeEntered(at, _need(m, "Uniqueid"), _need(m, "BridgeUniqueid"), instead_of)


def _attended_transfer(m: Message, at: float) -> ev.Event | None:
    """Into an application such as Queue(): the transferee takes the place of the consulting channel there."""
    old, new = m.get("SecondTransfererUniqueid"), m.get("TransfereeUniqueid")
    if m.get("Result") != "Success" or m.get("DestType") != "App" or not old or not new:
        return None
    return ev.CallerReplaced(at, old, new, _number_of(m.get("TransfereeCallerIDNum")))


def _pickup(m: Message, at: float) -> ev.Event:
    return ev.CallPickedUp(at, _need(m, "Uniqueid"), _need(m, "Channel"), _need(m, "TargetUniqueid"))


def _hold(m: Message, at: float) -> ev.Event:
    return ev.HoldStarted(at, _need(m, "Uniqueid"))


def _unhold(m: Message, at: float) -> ev.Event:
    return ev.HoldEnded(at, _need(m, "Uniqueid"))


def _hangup(m: Message, at: float) -> ev.Event:
    return ev.ChannelEnded(at, _need(m, "Uniqueid"), m.get("ChannelState") == UP)


def _is_phone(device: str) -> bool:
    """Not a queue's state, a conference's or a parking lot's, such as Queue:support_pause_PJSIP/1001."""
    return "/" in device and ":" not in device.partition("/")[0]


def _device_state(m: Message, at: float) -> ev.Event | None:
    device = _need(m, "Device")
    if not _is_phone(device):
        return None
    return ev.DeviceStateTold(at, device, m.get("State") not in OUT_OF_SERVICE)


TRANSLATORS: dict[str, Callable[[Message, float], ev.Event | None]] = {
    "QueueCallerJoin": _caller_joined,
    "QueueCallerAbandon": _caller_abandoned,
    "QueueCallerLeave": _caller_left,
    "UserEvent": _user_event,
    "VarSet": _var_set,
    "HangupRequest": _hangup_request,
    "SoftHangupRequest": _soft_hangup_request,
    "AgentCalled": _agent_called,
    "AgentConnect": _agent_connect,
    "AgentRingNoAnswer": _agent_not_answered,
    "AgentDump": _agent_not_answered,
    "QueueMemberAdded": _member_added,
    "QueueMemberRemoved": _member_removed,
    "QueueMemberPenalty": _member_penalty,
    "ChanSpyStart": _spy_start,
    "OriginateResponse": _originate_response,
    "QueueMemberPause": _member_pause,
    "QueueMemberStatus": _member_status,
    "Newchannel": _new_channel,
    "DialBegin": _dial_begin,
    "DialEnd": _dial_end,
    "BridgeEnter": _bridge_enter,
    "AttendedTransfer": _attended_transfer,
    "Pickup": _pickup,
    "Hold": _hold,
    "Unhold": _unhold,
    "Hangup": _hangup,
    "DeviceStateChange": _device_state,
}


# Lists ----------------------------------------------------------------------------------------------------


Listed = str | ev.SeenMember | ev.SeenCaller | None  # a queue, one of its members or callers, or nothing of these


def listed(message: Message) -> Listed:
    """What an item of the answer to QueueStatus tells of. Raises Malformed."""
    match message.event:
        case "QueueMember":
            return _seen_member(message)
        case "QueueParams":
            return _need(message, "Queue")
        case "QueueEntry":
            return _seen_caller(message)
    return None


def picture(
    at: float,
    booted: float,
    queue_status: list[Listed],
    channels: list[Message],
    devices: list[Message],
) -> ev.PictureTaken:
    """What is `listed` in answer to QueueStatus, and the answers to CoreShowChannels and DeviceStateList, as one event.

    Raises Malformed.
    """
    return ev.PictureTaken(
        at,
        booted,
        [each for each in queue_status if isinstance(each, str)],
        [each for each in queue_status if isinstance(each, ev.SeenMember)],
        [each for each in queue_status if isinstance(each, ev.SeenCaller)],
        [_seen_channel(m) for m in channels if m.event == "CoreShowChannel"],
        {
            device: m.get("State") not in OUT_OF_SERVICE
            for m in devices
            if m.event == "DeviceStateChange" and _is_phone(device := _need(m, "Device"))
        },
    )


def booted(fully_booted: Message, now: float) -> float:
    """When Asterisk started, on its own clock, by FullyBooted's Uptime (whole seconds)."""
    stamp = fully_booted.get("Timestamp")
    at = _number(stamp, "Timestamp") if stamp else now
    return at - _number(fully_booted.get("Uptime"), "Uptime")


def _seen_member(m: Message) -> ev.SeenMember:
    return ev.SeenMember(
        _need(m, "Queue"),
        _need(m, "Location"),
        m.get("Name") or "",
        m.get("Paused") == "1",
        m.get("PausedReason") or "",
        _integer(m.get("Status"), "Status"),
        m.get("Membership") == "dynamic",
        _number(m.get("LastCall"), "LastCall"),
        _integer(m.get("Penalty"), "Penalty"),
    )


def _seen_caller(m: Message) -> ev.SeenCaller:
    return ev.SeenCaller(
        _need(m, "Uniqueid"),
        _need(m, "Queue"),
        _integer(m.get("Position"), "Position"),
        _caller(m),
        m.get("Channel") or "",
        _span(m, "Wait"),
        _priority(m),
    )


def _priority(m: Message) -> int:
    """Of a caller; it may be negative."""
    text = m.get("Priority") or "0"
    try:
        return max(-LARGEST_PRIORITY, min(LARGEST_PRIORITY, int(text)))
    except ValueError:
        raise Malformed(f"Priority is not a number: {text!r}") from None


def waiting_seen(at: float, queue: str, queue_status: list[Message]) -> ev.WaitingSeen:
    """The answer to QueueStatus of one queue, as far as it tells who waits. Raises Malformed."""
    entries = [m for m in queue_status if m.event == "QueueEntry" and m.get("Queue") == queue]
    entries.sort(key=lambda m: _integer(m.get("Position"), "Position"))
    return ev.WaitingSeen(at, queue, {_need(m, "Uniqueid"): _priority(m) for m in entries})


def _seen_channel(m: Message) -> ev.SeenChannel:
    leg, linked = _need(m, "Uniqueid"), m.get("Linkedid") or ""
    application = m.get("Application") or ""
    return ev.SeenChannel(
        leg,
        _need(m, "Channel"),
        linked,
        m.get("BridgeId") or "",
        m.get("ChannelState") == UP,
        leg == linked and application not in ("AppDial", "AppQueue"),
        application == "AppQueue",
        (m.get("ApplicationData") or "").partition(",")[0] if application == "Queue" else "",
        _caller(m),
    )


# Orders ---------------------------------------------------------------------------------------------------


def to_action(order: Order) -> tuple[str, Mapping[str, str]]:
    """The AMI action that carries out an order, with its headers."""
    match order:
        case AddMember(queue, interface, name, paused, reason, phone, penalty):
            headers = {"Queue": queue, "Interface": interface, "MemberName": name, "Paused": _flag(paused)}
            headers |= {"StateInterface": phone} if phone else {}
            headers |= {"Penalty": str(penalty)} if penalty else {}
            return "QueueAdd", headers | ({"Reason": reason} if reason else {})
        case RemoveMember(queue, interface):
            return "QueueRemove", {"Queue": queue, "Interface": interface}
        case SetPenalty(queue, interface, penalty):
            return "QueuePenalty", {"Queue": queue, "Interface": interface, "Penalty": str(penalty)}
        case PauseMember(queue, interface, paused, reason):
            headers = {"Interface": interface, "Paused": _flag(paused)}
            headers |= {"Queue": queue} if queue is not None else {}
            return "QueuePause", headers | ({"Reason": reason} if reason else {})


def refusal(order: Order, text: str, at: float) -> list[ev.Event]:
    """What Asterisk's refusal of an order proves about the member; nothing, where it is a plain no.

    No event says that a reload took a queue or a member away; an order that meets the gap does.
    """
    if text.endswith("No such queue") and order.queue is not None:
        return [ev.QueueGone(at, order.queue)]
    match order:
        case AddMember(queue, interface) if text.endswith("Already there"):
            return [ev.MemberFound(at, queue, interface, True)]
        case RemoveMember(queue, interface) if text.endswith("Not there"):
            return [ev.MemberRemoved(at, queue, interface)]
        case RemoveMember(queue, interface) if text == "Member not dynamic":
            return [ev.MemberFound(at, queue, interface, False)]
        case PauseMember(queue, interface) if text == "Interface not found":
            return [ev.MemberRemoved(at, queue, interface)]
    return []


Action = tuple[str, Mapping[str, str]]
SPY_OPTIONS = {  # of ChanSpy: by uniqueid, without announcement, ends with the call; keys do nothing
    "listen": "quES",
    "whisper": "quESw",
    "barge": "quESB",
}


def spy(of: Monitor, caller: str, seconds: float) -> Action:
    """Rings a supervisor's phone for so many seconds, and lets it hear a channel. `caller`: whom the phone shows."""
    shown = "".join(each for each in caller if each not in '"<>\\')
    return "Originate", {
        "Channel": of.address,
        "ChannelId": of.id,
        "Application": "ChanSpy",
        "Data": f"{of.leg},{SPY_OPTIONS[of.mode]}",
        "Timeout": str(int(seconds * 1000)),
        "CallerID": f'"{shown}" <{of.mode}>',
        "Async": "true",
    }


def withdraw(queue: str, channel: str) -> Action:
    """Takes a waiting caller out of the queue; the dialplan goes on with him."""
    return "QueueWithdrawCaller", {"Queue": queue, "Caller": channel}


def prioritise(queue: str, channel: str, priority: int) -> Action:
    """Gives a waiting caller another place, at once. No event tells of it."""
    headers = {"Queue": queue, "Caller": channel, "Priority": str(priority), "Immediate": "true"}
    return "QueueChangePriorityCaller", headers


def transfer(channel: str, context: str, queue: str) -> Action:
    """Sends a caller to where the dialplan lets him wait in a queue."""
    return "Redirect", {"Channel": channel, "Context": context, "Exten": queue, "Priority": "1"}


def hang_up(channel: str) -> Action:
    """Ends a channel, by its name or Uniqueid."""
    return "Hangup", {"Channel": channel}


def _flag(value: bool) -> str:
    return "true" if value else "false"
