"""Calls that agents make themselves, past the queues."""

from acd.simulated import messages
from acd.simulated.messages import RING, RINGING, UP
from acd.simulated.records import DeviceState
from acd.simulated.world import NORMAL, World


class Outgoing:
    """One call, from the number that is dialled to the receiver that is put down. Its phone must be free."""

    def __init__(self, world: World, phone: str, person: str, number: str) -> None:
        self._world = world
        own = phone.partition("/")[2]
        self.leg = world.new_channel(phone, own, person, "from-phone", f"9{number}", state=RING)
        self.far = world.new_channel("PJSIP/trunk", number, messages.UNKNOWN, "from-trunk", "s", of=self.leg.linkedid)
        self.leg.application, self.far.application = "Dial", "AppDial"
        self.far.other, self.leg.other = self.leg.party, self.far.party
        both = self._both()
        world.tell(messages.event("DialBegin", "call", f"{both}DialString: {number}@trunk\r\n"))
        self.far.state = RINGING
        world.look_at_phone(phone)

    @staticmethod
    def is_possible(world: World, phone: str) -> bool:
        """The phone is free."""
        return world.devices.get(phone) is DeviceState.NOT_INUSE

    def _both(self) -> str:
        return self.leg.text() + self.far.text("Dest")

    def answer(self) -> None:
        """The far end answers."""
        self.leg.state = self.far.state = UP
        self._world.tell(messages.event("DialEnd", "call", f"{self._both()}DialStatus: ANSWER\r\n"))
        bridge = messages.bridge_id(self.far.name.rpartition("-")[2])
        for channel in (self.far, self.leg):
            channel.bridge = bridge
            self._world.tell(messages.event("BridgeEnter", "call", messages.bridge(bridge) + channel.text()))

    def hang_up(self) -> None:
        """The agent does, answered or not."""
        self._world.tell(messages.event("HangupRequest", "call", self.leg.text()))
        if self.far.state != UP:
            self._world.tell(messages.event("DialEnd", "call", f"{self._both()}DialStatus: CANCEL\r\n"))
        self._world.tell(messages.event("SoftHangupRequest", "call", f"{self.leg.text()}Cause: {NORMAL}\r\n"))
        for channel in (self.leg, self.far):
            self._world.end_channel(channel)
