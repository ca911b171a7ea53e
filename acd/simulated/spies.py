"""Supervisors' phones that listen in: Originate of ChanSpy."""

import re
from collections.abc import Callable

from acd.simulated import messages
from acd.simulated.messages import RINGING, UP, Headers
from acd.simulated.records import Channel, DeviceState, Spy
from acd.simulated.world import BUSY, NO_CAUSE, World

ANSWERS_AFTER = 1.0  # seconds that a supervisor's phone rings
HEARS_AFTER = 0.1
CALLER_ID = re.compile(r'"?([^"<]*?)"? *<([^>]*)>')
ANSWERED, NO_SUCH, NOT_ANSWERED = 4, 0, 3  # reasons of an OriginateResponse


class Spies:
    """Those that ring or listen at present."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._spies: list[Spy] = []
        world.leg_ended.append(self._over_with)

    def originate(self, action: Headers) -> None:
        """Rings a phone, which is answered a moment later, and lets it hear the channel that Data names."""
        world, device = self._world, action["Channel"]
        if world.devices.get(device) in (None, DeviceState.UNAVAILABLE):
            return self._answered(action, device, NO_SUCH, action["ChannelId"])
        found = CALLER_ID.fullmatch(action.get("CallerID", ""))
        person, number = found.groups() if found else ("", "")
        free = world.devices[device] is DeviceState.NOT_INUSE
        channel = world.new_channel(device, number, person, "from-phone", "s", id=action["ChannelId"])
        channel.other = channel.party
        spy = Spy(channel, action["Data"].partition(",")[0], action["Data"])
        self._spies.append(spy)
        self._dial("DialBegin", channel, f"DialString: {device.partition('/')[2]}\r\n")
        channel.state = RINGING
        world.look_at_phone(device)
        patience = int(action.get("Timeout", "30000")) / 1000
        self._later(ANSWERS_AFTER if free else 0.0, spy, self._pick_up if free else self._reject, action)
        self._later(patience, spy, self._give_up, action)

    def _later(self, seconds: float, spy: Spy, what: Callable[[Spy, Headers], None], action: Headers) -> None:
        def do() -> None:
            if spy in self._spies and spy.channel.state != UP:
                what(spy, action)

        self._world.agenda.after(seconds, do)

    def _pick_up(self, spy: Spy, action: Headers) -> None:
        world = self._world
        spy.channel.state = UP
        spy.channel.application, spy.channel.data = "ChanSpy", spy.data
        self._dial("DialEnd", spy.channel, "DialStatus: ANSWER\r\n")
        world.look_at_phone(spy.channel.device)
        self._answered(action, spy.channel.name, ANSWERED, spy.channel.uniqueid)
        world.agenda.after(HEARS_AFTER, lambda: self._listen(spy))

    def _listen(self, spy: Spy) -> None:
        if spy not in self._spies:
            return
        if spy.leg not in self._world.channels:  # the call is over
            return self.end(spy)
        spy.hears = True
        self._tell("ChanSpyStart", spy, self._world.channels[spy.leg])

    def _reject(self, spy: Spy, action: Headers) -> None:
        self._world.tell(messages.event("HangupRequest", "call", f"{spy.channel.text()}Cause: {BUSY}\r\n"))
        self._dial("DialEnd", spy.channel, "DialStatus: BUSY\r\n")
        self._answered(action, action["Channel"], NO_SUCH, spy.channel.uniqueid)
        self.end(spy, BUSY)

    def _give_up(self, spy: Spy, action: Headers) -> None:
        self._answered(action, action["Channel"], NOT_ANSWERED, spy.channel.uniqueid)
        self.end(spy, 19)

    def spy_at(self, channel: str) -> Spy | None:
        """By the name or the Uniqueid of its channel."""
        return next((each for each in self._spies if channel in (each.channel.name, each.channel.uniqueid)), None)

    def hang_up(self, spy: Spy) -> None:
        """Somebody hangs it up, ringing or listening."""
        if spy.channel.state != UP:
            self._dial("DialEnd", spy.channel, "DialStatus: NOANSWER\r\n")
        self.end(spy)

    def end(self, spy: Spy, cause: int = NO_CAUSE) -> None:
        self._spies.remove(spy)
        heard = self._world.channels.get(spy.leg)
        if spy.hears and heard is not None:
            self._tell("ChanSpyStop", spy, heard)
        self._world.end_channel(spy.channel, cause)

    def _over_with(self, channel: Channel) -> None:
        """Who listened to a channel that has ended hears nothing more."""
        for spy in [each for each in self._spies if each.hears and each.leg == channel.uniqueid]:
            self._tell("ChanSpyStop", spy, channel)
            self.end(spy)

    def _dial(self, name: str, channel: Channel, more: str) -> None:
        self._world.tell(messages.event(name, "call", channel.text("Dest") + more))

    def _tell(self, name: str, spy: Spy, heard: Channel) -> None:
        self._world.tell(messages.event(name, "call", spy.channel.text("Spyer") + heard.text("Spyee")))

    def _answered(self, action: Headers, channel: str, reason: int, uniqueid: str) -> None:
        found = CALLER_ID.fullmatch(action.get("CallerID", ""))
        person, number = found.groups() if found else ("", "")
        text = {
            "ActionID": action["ActionID"],
            "Response": "Success" if reason == ANSWERED else "Failure",
            "Channel": channel,
            "Application": "ChanSpy",
            "Data": action["Data"],
            "Reason": reason,
            "Uniqueid": uniqueid,
            "CallerIDNum": number,
            "CallerIDName": person,
        }
        self._world.tell(messages.event("OriginateResponse", "call", messages.headers(**text)))
