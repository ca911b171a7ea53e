"""Whatever the simulated Asterisk says, a real one has said it with the same headers."""

from collections import defaultdict
from collections.abc import Callable, Iterable

import pytest

from acd.asterisk.message import Message
from acd.simulated.outgoing import Outgoing
from tests import recordings
from tests.simulated.stage import ALICE, BOB, SUPERVISOR, Stage

SITES_OWN = {"ChanVariable", "DestChanVariable"}  # what a site's settings add
NEVER_RECORDED = {"CoreShowChannel"}  # there was no call in the pictures that were recorded


@pytest.fixture(scope="module")
def recorded() -> dict[str, set[frozenset[str]]]:
    """The headers of each kind of event, in each form in which it was recorded."""
    found: dict[str, set[frozenset[str]]] = defaultdict(set)
    for name in recordings.NAMES:
        for block in recordings.received(name).decode(errors="replace").split("\r\n\r\n"):
            message = Message(block)
            if message.event:
                found[message.event].add(headers_of(message))
    return found


def headers_of(message: Message) -> frozenset[str]:
    return frozenset(header for header, _ in message.items()) - SITES_OWN


def answered(stage: Stage) -> None:
    stage.log_on(ALICE)
    call, _ = stage.talking()
    stage.world.hold(call)
    stage.world.unhold(call)
    stage.world.caller_hangs_up(call)


def hung_up_by_the_agent(stage: Stage) -> None:
    stage.log_on(ALICE)
    stage.world.agent_hangs_up(*stage.talking())


def not_answered(stage: Stage) -> None:
    stage.log_on(ALICE)
    stage.log_on(BOB)
    call, leg = stage.ringing()
    stage.pass_time(20)
    assert call.leg is not leg


def rejected(stage: Stage) -> None:
    stage.log_on(ALICE)
    stage.world.not_answered(*stage.ringing(), rejected=True)


def given_up_while_it_rings(stage: Stage) -> None:
    stage.log_on(ALICE)
    stage.world.caller_hangs_up(stage.ringing()[0])


def waited_too_long(stage: Stage) -> None:
    stage.call("short")
    stage.pass_time(30)


def withdrawn(stage: Stage) -> None:
    call = stage.call()
    stage.act("QueueWithdrawCaller", Queue="support", Caller=call.caller.name)


def sent_to_another_queue(stage: Stage) -> None:
    stage.log_on(ALICE)
    waiting, (ringing, _) = stage.call("sales"), stage.ringing()
    stage.act("Redirect", Channel=waiting.caller.name, Context="acd-queue", Exten="support", Priority="1")
    stage.act("Redirect", Channel=ringing.caller.name, Context="acd-queue", Exten="sales", Priority="1")


def members_changed(stage: Stage) -> None:
    stage.log_on(ALICE, paused=True)
    stage.act("QueuePause", Interface=ALICE, Paused="false")
    stage.act("QueuePenalty", Queue="support", Interface=ALICE, Penalty="3")
    stage.world.unplug(ALICE)
    stage.act("QueueRemove", Queue="support", Interface=ALICE)


def listened_to(stage: Stage) -> None:
    stage.log_on(ALICE)
    call, leg = stage.talking()
    listen(stage, leg.uniqueid)
    stage.pass_time(5)
    stage.world.caller_hangs_up(call)


def listened_to_in_vain(stage: Stage) -> None:
    stage.log_on(ALICE)
    _, leg = stage.talking()
    listen(stage, leg.uniqueid, phone="PJSIP/4711")
    listen(stage, leg.uniqueid, phone=ALICE)
    listen(stage, leg.uniqueid, timeout="500")
    stage.pass_time(5)


def called_by_the_agent(stage: Stage) -> None:
    stage.log_on(ALICE)
    answered, unanswered = (Outgoing(stage.world, phone, "Alice Adams", "030123456") for phone in (ALICE, BOB))
    answered.answer()
    answered.hang_up()
    unanswered.hang_up()


def pictures(stage: Stage) -> None:
    stage.log_on(ALICE)
    stage.talking()
    stage.call()
    for action in ("QueueStatus", "DeviceStateList", "CoreShowChannels"):
        stage.told += stage.act(action)


def listen(stage: Stage, leg: str, *, phone: str = SUPERVISOR, timeout: str = "10000") -> None:
    spy = {"Application": "ChanSpy", "Data": f"{leg},quES", "CallerID": '"Alice Adams" <listen>', "Async": "true"}
    stage.act("Originate", Channel=phone, ChannelId=f"acd-{phone}-{timeout}", Timeout=timeout, **spy)
    stage.pass_time(0)


SCENES = (
    answered,
    hung_up_by_the_agent,
    not_answered,
    rejected,
    given_up_while_it_rings,
    waited_too_long,
    withdrawn,
    sent_to_another_queue,
    members_changed,
    listened_to,
    listened_to_in_vain,
    called_by_the_agent,
    pictures,
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_every_event_has_the_headers_of_a_recorded_one(
    scene: Callable[[Stage], None], recorded: dict[str, set[frozenset[str]]]
):
    stage = Stage()
    scene(stage)
    assert stage.told
    for message in events(stage.told):
        assert headers_of(message) in recorded[message.event], message


def events(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message.event and message.event not in NEVER_RECORDED]


def test_the_scenes_show_all_that_acd_listens_to_and_the_simulation_can_do():
    told = set()
    for scene in SCENES:
        stage = Stage()
        scene(stage)
        told.update(stage.names())
    assert told >= {
        *("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "UserEvent"),
        *("AgentCalled", "AgentConnect", "AgentRingNoAnswer", "Newchannel", "DialBegin", "DialEnd", "BridgeEnter"),
        *("Hold", "Unhold", "Hangup", "HangupRequest", "SoftHangupRequest", "DeviceStateChange"),
        *("QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberStatus", "QueueMemberPenalty"),
        *("OriginateResponse", "ChanSpyStart", "ChanSpyStop"),
    }
