"""A simulated Asterisk in which a test is everybody: callers, agents, and the manager user."""

from acd.asterisk.message import Message
from acd.simulated.actions import Actions
from acd.simulated.agenda import Agenda
from acd.simulated.records import Call, Channel, Rules
from acd.simulated.world import World

START = 1_800_000_000.0
ALICE, BOB, SUPERVISOR = "PJSIP/1001", "PJSIP/1002", "PJSIP/2001"
NAMES = {ALICE: "Alice Adams", BOB: "Bob Brown"}
RULES = (Rules("support", ring_for=12), Rules("sales", ring_for=12), Rules("short", longest_wait=20))


class Stage:
    """`told`: the events, in order."""

    def __init__(self) -> None:
        self.world = World(Agenda(START), RULES, (ALICE, BOB, SUPERVISOR))
        self.told: list[Message] = []
        self.world.hear.append(lambda data: self.told.append(_message(data)))
        self._actions = Actions(self.world)

    def act(self, action: str, **headers: str) -> list[Message]:
        """The answer, message by message."""
        answer = self._actions.act({"Action": action, "ActionID": "test-1", **headers})
        return [_message(block) for block in answer.split(b"\r\n\r\n")[:-1]]

    def refused(self, action: str, **headers: str) -> str:
        """The words of a refusal."""
        answer = self.act(action, **headers)[0]
        assert answer.get("Response") == "Error"
        return answer.get("Message") or ""

    def log_on(self, phone: str, queue: str = "support", *, paused: bool = False, penalty: int = 0) -> None:
        member = {"Queue": queue, "Interface": phone, "MemberName": NAMES[phone], "Penalty": str(penalty)}
        self.act("QueueAdd", **member, Paused=str(paused).lower())

    def call(self, queue: str = "support", number: str = "5550100") -> Call:
        return self.world.call_in(queue, number, "Caller 1")

    def pass_time(self, seconds: float) -> None:
        self.world.agenda.advance(self.world.now + seconds)

    def ringing(self, queue: str = "support") -> tuple[Call, Channel]:
        """A caller for whom a phone rings, and the phone's channel."""
        call = self.call(queue)
        self.pass_time(1)
        assert call.leg is not None
        return call, call.leg

    def talking(self, queue: str = "support") -> tuple[Call, Channel]:
        call, leg = self.ringing(queue)
        self.world.answer(call, leg)
        return call, leg

    def names(self) -> list[str]:
        return [message.event for message in self.told]

    def last(self, event: str) -> Message:
        """The newest event of this name."""
        return next(message for message in reversed(self.told) if message.event == event)


def _message(data: bytes) -> Message:
    return Message(data.decode().removesuffix("\r\n\r\n"))
