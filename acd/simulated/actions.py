"""The actions that acd sends, carried out in the simulated Asterisk, and answered in its words."""

from collections.abc import Callable

from acd.simulated import messages
from acd.simulated.messages import Headers, error, success
from acd.simulated.records import Call, Channel, Member, Queue
from acd.simulated.spies import Spies
from acd.simulated.world import World

Items = list[tuple[str, str]]


class Actions:
    """What a manager user can have done."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._spies = Spies(world)
        self._known: dict[str, Callable[[Headers], bytes]] = {
            "QueueStatus": self._queue_status,
            "CoreShowChannels": self._core_show_channels,
            "DeviceStateList": self._device_state_list,
            "QueueAdd": self._queue_add,
            "QueueRemove": self._queue_remove,
            "QueuePause": self._queue_pause,
            "QueuePenalty": self._queue_penalty,
            "QueueWithdrawCaller": self._queue_withdraw_caller,
            "QueueChangePriorityCaller": self._queue_change_priority_caller,
            "Redirect": self._redirect,
            "Hangup": self._hangup,
            "Originate": self._originate,
        }

    def act(self, action: Headers) -> bytes:
        """Carries it out and returns the answer. The events that follow from it were told before."""
        known = self._known.get(action["Action"])
        if known is None:
            advice = "Use Action: ListCommands to show available commands."
            return error(action, f"Invalid/unknown command: {action['Action']}. {advice}")
        return known(action)

    # Lists ------------------------------------------------------------------------------------------------

    def _queue_status(self, action: Headers) -> bytes:
        asked = action.get("Queue")
        queues = [queue for name, queue in self._world.queues.items() if asked in (None, "", name)]
        items = [item for queue in queues for item in self._queue_items(queue)]
        return messages.event_list(action, "Queue status will follow", items, "QueueStatusComplete")

    def _queue_items(self, queue: Queue) -> Items:
        params = messages.headers(
            Queue=queue.name,
            Max=0,
            Strategy="rrmemory",
            Calls=len(queue.waiting),
            Holdtime=0,
            TalkTime=0,
            Completed=queue.completed,
            Abandoned=queue.abandoned,
            ServiceLevel=20,
            ServicelevelPerf="0.0",
            ServicelevelPerf2="0.0",
            Weight=0,
        )
        members = [("QueueMember", self._member(member)) for member in queue.members.values()]
        entries = [("QueueEntry", self._entry(call, place)) for place, call in enumerate(queue.waiting, 1)]
        return [("QueueParams", params), *members, *entries]

    def _member(self, member: Member) -> str:
        status = self._world.status_of(member.interface)
        return messages.headers(
            Queue=member.queue,
            Name=member.name,
            Location=member.interface,
            StateInterface=member.interface,
            Membership="dynamic",
            Penalty=member.penalty,
            CallsTaken=member.calls_taken,
            LastCall=int(member.last_call),
            LastPause=int(member.last_pause),
            LoginTime=int(member.login_time),
            InCall=int(status == 2),
            Status=status,
            Paused=int(member.paused),
            PausedReason=member.reason,
            Wrapuptime=2,
        )

    def _entry(self, call: Call, place: int) -> str:
        number, name = ("unknown" if each == messages.UNKNOWN else each for each in call.caller.other)
        return messages.headers(
            Queue=call.queue,
            Position=place,
            Channel=call.caller.name,
            Uniqueid=call.caller.uniqueid,
            CallerIDNum=call.caller.number,
            CallerIDName=call.caller.person,
            ConnectedLineNum=number,
            ConnectedLineName=name,
            Wait=int(self._world.now - call.entered),
            Priority=call.priority,
        )

    def _core_show_channels(self, action: Headers) -> bytes:
        items = [("CoreShowChannel", self._channel(channel)) for channel in self._world.channels.values()]
        return messages.event_list(action, "Channels will follow", items, "CoreShowChannelsComplete")

    def _channel(self, channel: Channel) -> str:
        lasted = int(self._world.now - channel.since)
        return channel.text() + messages.headers(
            Application=channel.application,
            ApplicationData=channel.data,
            Duration=f"{lasted // 3600:02}:{lasted // 60 % 60:02}:{lasted % 60:02}",
            BridgeId=channel.bridge,
        )

    def _device_state_list(self, action: Headers) -> bytes:
        states = self._world.devices.items()
        items = [("DeviceStateChange", messages.headers(Device=name, State=state)) for name, state in states]
        return messages.event_list(action, "Device State Changes will follow", items, "DeviceStateListComplete")

    # Members ----------------------------------------------------------------------------------------------

    def _queue_add(self, action: Headers) -> bytes:
        queue, interface = self._world.queues.get(action["Queue"]), action["Interface"]
        if queue is None:
            return error(action, "Unable to add interface to queue: No such queue")
        if interface in queue.members:
            return error(action, "Unable to add interface: Already there")
        paused, reason = _is_true(action["Paused"]), action.get("Reason", "")
        name, penalty = action.get("MemberName", interface), int(action.get("Penalty", "0"))
        now = self._world.now
        self._world.add_member(
            Member(queue.name, interface, name, paused, reason, penalty, now, last_pause=now if paused else 0.0)
        )
        return success(action, "Message: Added interface to queue")

    def _queue_remove(self, action: Headers) -> bytes:
        queue = self._world.queues.get(action["Queue"])
        if queue is None:
            return error(action, "Unable to remove interface from queue: No such queue")
        member = queue.members.get(action["Interface"])
        if member is None:
            return error(action, "Unable to remove interface: Not there")
        self._world.remove_member(member)
        return success(action, "Message: Removed interface from queue")

    def _named_members(self, action: Headers) -> list[Member]:
        """In one queue, or, where none is named, in all of them."""
        asked = action.get("Queue")
        return [each for each in self._world.members_at(action["Interface"]) if asked in (None, "", each.queue)]

    def _queue_pause(self, action: Headers) -> bytes:
        members, paused = self._named_members(action), _is_true(action["Paused"])
        for member in members:
            self._world.pause_member(member, paused, action.get("Reason", ""))
        if not members:
            return error(action, "Interface not found")
        return success(action, f"Message: Interface {'paused' if paused else 'unpaused'} successfully")

    def _queue_penalty(self, action: Headers) -> bytes:
        members = self._named_members(action)
        for member in members:
            self._world.set_penalty(member, int(action["Penalty"]))
        return (
            success(action, "Message: Interface penalty set successfully")
            if members
            else error(action, "Invalid interface, queuename or penalty")
        )

    # Callers ----------------------------------------------------------------------------------------------

    def _waiting(self, action: Headers) -> Call | None:
        call = self._world.call_with(action["Caller"])
        return call if call is not None and call.waits and call.queue == action["Queue"] else None

    def _queue_withdraw_caller(self, action: Headers) -> bytes:
        call = self._waiting(action)
        if call is None:
            return error(action, "Unable to request withdraw from queue: Caller not found")
        self._world.withdraw(call)
        return success(action, "Message: Withdraw requested successfully")

    def _queue_change_priority_caller(self, action: Headers) -> bytes:
        call = self._waiting(action)
        if call is None:
            return error(action, "Unable to change priority caller on queue: Caller not found")
        self._world.prioritise(call, int(action["Priority"]))
        return success(action, "Message: Priority change for caller on queue")

    def _redirect(self, action: Headers) -> bytes:
        call = self._world.call_with(action["Channel"])
        if call is None:
            return error(action, "Channel does not exist: " + action["Channel"])
        if action["Exten"] not in self._world.queues:
            return error(action, "Redirect failed, channel not up.")
        self._world.redirect(call, action["Exten"])
        return success(action, "Message: Redirect successful")

    def _hangup(self, action: Headers) -> bytes:
        spy = self._spies.spy_at(action["Channel"])
        call = self._world.call_with(action["Channel"])
        if spy is not None:
            self._spies.hang_up(spy)
        elif call is None:
            return error(action, "No such channel")
        else:
            self._world.end_call(call)
        return success(action, "Message: Channel Hungup")

    def _originate(self, action: Headers) -> bytes:
        if action.get("Application") != "ChanSpy":
            return error(action, "Originate failed")
        self._world.agenda.after(0.0, lambda: self._spies.originate(action))
        return success(action, "Message: Originate successfully queued")


def _is_true(text: str) -> bool:
    return text.lower() in ("true", "yes", "1", "on")
