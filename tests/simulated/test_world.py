"""The simulated Asterisk rings, waits and lets go as app_queue does."""

import pytest

from acd.simulated.outgoing import Outgoing
from acd.simulated.records import DeviceState
from tests.simulated.stage import ALICE, BOB, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def rung(stage: Stage) -> list[str]:
    """The phones that were rung, in order."""
    return [message.get("Interface") or "" for message in stage.told if message.event == "AgentCalled"]


def test_agents_are_rung_in_turn(stage: Stage):
    stage.log_on(ALICE)
    stage.log_on(BOB)
    for _ in range(3):
        call, _ = stage.talking()
        stage.world.caller_hangs_up(call)
        stage.pass_time(5)
    assert rung(stage) == [ALICE, BOB, ALICE]


def test_who_has_a_penalty_is_rung_when_nobody_else_is_free(stage: Stage):
    stage.log_on(ALICE, penalty=1)
    stage.log_on(BOB)
    stage.talking()
    stage.talking()
    assert rung(stage) == [BOB, ALICE]


def test_an_agent_has_one_call_at_a_time_also_in_two_queues(stage: Stage):
    stage.log_on(ALICE)
    stage.log_on(ALICE, "sales")
    stage.talking()
    waiting = stage.call("sales")
    stage.pass_time(60)
    assert waiting.waits
    assert not waiting.rings


def test_of_two_queues_that_an_agent_serves_neither_starves(stage: Stage):
    stage.log_on(ALICE)
    stage.log_on(ALICE, "sales")
    for _ in range(10):
        stage.call("support")
        stage.pass_time(0.37)
        stage.call("sales")
        stage.pass_time(0.21)
    while stage.world.calls:
        stage.pass_time(3.3)
        for call in [call for call in stage.world.calls if call.leg is not None]:
            stage.world.answer(call, call.leg)
            stage.world.caller_hangs_up(call)
        if stage.world.book.total() == 10:
            break
    assert min(stage.world.book["support", "answered"], stage.world.book["sales", "answered"]) >= 2


def test_a_paused_agent_is_not_rung_until_he_is_unpaused(stage: Stage):
    stage.log_on(ALICE, paused=True)
    call = stage.call()
    stage.pass_time(30)
    assert rung(stage) == []
    stage.act("QueuePause", Interface=ALICE, Paused="false")
    stage.pass_time(1)
    assert call.rings


def test_a_phone_that_is_gone_is_not_rung(stage: Stage):
    stage.log_on(ALICE)
    stage.world.unplug(ALICE)
    assert stage.last("QueueMemberStatus").get("Status") == "5"
    call = stage.call()
    stage.pass_time(5)
    assert not call.rings
    stage.world.plug_in(ALICE)
    stage.pass_time(1)
    assert call.rings


def test_a_phone_rings_for_so_long_and_after_a_second_the_next_one(stage: Stage):
    stage.log_on(ALICE)
    stage.log_on(BOB)
    call, leg = stage.ringing()
    stage.pass_time(12)
    assert stage.last("AgentRingNoAnswer").get("RingTime") == "12000"
    assert (call.leg, stage.world.devices[ALICE]) == (None, DeviceState.NOT_INUSE)
    stage.pass_time(1.1)
    assert rung(stage) == [ALICE, BOB]
    stage.world.answer(call, leg)
    assert not call.talks, "the first phone has stopped ringing"


def test_after_a_call_there_are_two_seconds_of_peace(stage: Stage):
    stage.log_on(ALICE)
    call, _ = stage.talking()
    stage.world.caller_hangs_up(call)
    call = stage.call()
    stage.pass_time(1.9)
    assert not call.rings
    stage.pass_time(1.1)
    assert call.rings


def test_a_caller_of_higher_priority_comes_first(stage: Stage):
    first, second = stage.call(), stage.call()
    stage.act("QueueChangePriorityCaller", Queue="support", Caller=second.caller.name, Priority="5", Immediate="true")
    entries = [each.get("Uniqueid") for each in stage.act("QueueStatus", Queue="support") if each.event == "QueueEntry"]
    assert entries == [second.caller.uniqueid, first.caller.uniqueid]
    stage.log_on(ALICE)
    stage.pass_time(1)
    assert second.rings
    assert not first.rings


def test_a_caller_who_is_withdrawn_while_a_phone_rings_goes_when_it_has_stopped(stage: Stage):
    stage.log_on(ALICE)
    call, _ = stage.ringing()
    stage.act("QueueWithdrawCaller", Queue="support", Caller=call.caller.name)
    assert call.rings
    stage.pass_time(12)
    assert call.over
    assert stage.last("UserEvent").get("Status") == "WITHDRAW"


def test_who_waits_too_long_is_sent_away(stage: Stage):
    call = stage.call("short")
    stage.pass_time(20)
    assert call.over
    assert stage.last("UserEvent").get("Status") == "TIMEOUT"
    assert stage.world.book == {("short", "timeout"): 1}


def test_a_caller_who_was_sent_elsewhere_is_not_sent_away_by_the_queue_he_left(stage: Stage):
    call = stage.call("short")
    stage.pass_time(15)
    stage.act("Redirect", Channel=call.caller.name, Context="acd-queue", Exten="support", Priority="1")
    stage.pass_time(60)
    assert (call.waits, call.queue) == (True, "support")


def test_a_talking_caller_who_is_sent_elsewhere_leaves_his_agent_free(stage: Stage):
    stage.log_on(ALICE)
    call, _ = stage.talking()
    stage.act("Redirect", Channel=call.caller.name, Context="acd-queue", Exten="sales", Priority="1")
    assert (call.waits, call.queue, call.leg) == (True, "sales", None)
    assert stage.world.devices[ALICE] is DeviceState.NOT_INUSE


def test_an_agent_who_calls_somebody_himself_is_not_rung(stage: Stage):
    stage.log_on(ALICE)
    outgoing = Outgoing(stage.world, ALICE, "Alice Adams", "030123456")
    call = stage.call()
    stage.pass_time(10)
    outgoing.answer()
    stage.pass_time(10)
    assert not call.rings
    outgoing.hang_up()
    stage.pass_time(1)
    assert call.rings


def test_nothing_is_left_of_a_call_that_is_over(stage: Stage):
    stage.log_on(ALICE)
    for end in (stage.world.caller_hangs_up, stage.world.end_call):
        end(stage.talking()[0])
        stage.pass_time(5)
        end(stage.ringing()[0])
        stage.pass_time(5)
    assert (stage.world.calls, stage.world.channels) == ([], {})
    assert set(stage.world.devices.values()) == {DeviceState.NOT_INUSE}
    assert stage.names().count("Newchannel") == stage.names().count("Hangup")


def test_the_picture_shows_who_talks_who_rings_and_who_waits(stage: Stage):
    stage.log_on(ALICE)
    stage.log_on(BOB)
    talking, leg = stage.talking()
    stage.ringing()
    stage.pass_time(3)
    waiting = stage.call()
    channels = {each.get("Uniqueid"): each for each in stage.act("CoreShowChannels") if each.event}
    assert channels[leg.uniqueid].get("BridgeId") == channels[talking.caller.uniqueid].get("BridgeId") != ""
    assert channels[leg.uniqueid].get("Linkedid") == talking.caller.uniqueid
    assert (channels[waiting.caller.uniqueid].get("ApplicationData") or "").startswith("support,")
    status = stage.act("QueueStatus", Queue="support")
    assert [each.get("Status") for each in status if each.event == "QueueMember"] == ["2", "6"]
    assert [each.get("Position") for each in status if each.event == "QueueEntry"] == ["1", "2"]


def test_what_cannot_be_done_is_refused_in_asterisks_words(stage: Stage):
    stage.log_on(ALICE)
    member = {"Queue": "support", "Interface": ALICE, "Paused": "false"}
    nowhere = member | {"Queue": "nosuch"}
    stranger = member | {"Interface": "PJSIP/1999"}
    assert stage.refused("QueueAdd", **member) == "Unable to add interface: Already there"
    assert stage.refused("QueueAdd", **nowhere) == "Unable to add interface to queue: No such queue"
    assert stage.refused("QueueRemove", **nowhere) == "Unable to remove interface from queue: No such queue"
    assert stage.refused("QueueRemove", **stranger) == "Unable to remove interface: Not there"
    assert stage.refused("QueuePause", **stranger) == "Interface not found"
    assert stage.refused("Hangup", Channel="PJSIP/trunk-1") == "No such channel"
    assert stage.refused("Dance").startswith("Invalid/unknown command: Dance")


def test_a_phone_that_asterisk_never_heard_of_is_an_invalid_member(stage: Stage):
    stage.act("QueueAdd", Queue="support", Interface="PJSIP/4711", Paused="false")
    assert stage.last("QueueMemberAdded").get("Status") == "4"
