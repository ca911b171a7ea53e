"""Somebody else moves and ends calls, by AMI and at Asterisk's console; and a queue lets nobody in, or nobody stay."""

import asyncio

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Desk
from tests.e2e.operator import Operator

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


async def _redirect(operator: Operator, channel: str, number: str) -> None:
    await operator.send("Redirect", Channel=channel, Context="from-phone", Exten=number, Priority="1")


# Who waits --------------------------------------------------------------------------------------------------------


async def test_callers_whom_somebody_takes_out_of_a_queue_have_not_abandoned_it(desk: Desk, operator: Operator) -> None:
    alice, bob = await desk.log_on(1001, "hall", ready=False), await desk.log_on(1002, "annex", ready=False)
    withdrawn, redirected, moved = [await desk.call("642") for _ in range(3)]
    await desk.until_waiting("hall", 3)
    channels = [await operator.channel_of(one.result.caller) for one in (withdrawn, redirected, moved)]
    await operator.send("QueueWithdrawCaller", Queue="hall", Caller=channels[0])
    assert (await withdrawn.ended(5)).ended_by == "refused"
    await _redirect(operator, channels[1], "650")
    await _redirect(operator, channels[2], "643")
    await desk.until_waiting("hall", 0)
    assert (await desk.queue("annex"))["total_calls_flowed_in"] == 1
    await bob.set_agent("READY")
    await bob.set("READY")
    await bob.takes(moved)
    await asyncio.sleep(0.5)
    await redirected.hangup()
    await moved.hangup()

    await desk.settle()
    rows = await compare(desk)
    assert [(row["queue"], row["outcome"]) for row in rows] == [
        ("hall", "withdrawn"),
        ("hall", "redirected"),
        ("hall", "flowed_out"),
        ("annex", "answered"),
    ]
    assert not alice.rang()
    assert (await desk.queue("hall"))["final_disposition"] == 2


async def test_a_caller_who_is_withdrawn_while_a_phone_rings_leaves_when_it_is_not_answered(
    desk: Desk, operator: Operator
) -> None:
    alice = await desk.log_on(1001, "hall")
    withdrawn = await desk.call("642")
    await alice.rings(withdrawn)
    channel = await operator.channel_of(withdrawn.result.caller)
    await operator.send("QueueWithdrawCaller", Queue="hall", Caller=channel)
    await alice.phone.reject()
    await withdrawn.ended(5)
    answered = await desk.call("642")
    await alice.rings(answered)
    channel = await operator.channel_of(answered.result.caller)
    await operator.send("QueueWithdrawCaller", Queue="hall", Caller=channel)
    await alice.takes(answered)
    await asyncio.sleep(0.5)
    await answered.hangup()
    await desk.settle()
    assert [row["outcome"] for row in await compare(desk)] == ["withdrawn", "answered"]


async def test_a_waiting_caller_whom_somebody_hangs_up_has_left_without_an_agent(
    desk: Desk, operator: Operator
) -> None:
    refused = await desk.call("641")
    await refused.ended(5)  # by now acd knows that the dialplan tells why callers leave
    alice = await desk.log_on(1001, "hall", ready=False)
    by_ami, by_console = await desk.call("644"), await desk.call("642")
    await desk.until_waiting("hall", 2)
    await operator.send("Hangup", Channel=await operator.channel_of(by_ami.result.caller))
    channel = await operator.channel_of(by_console.result.caller)
    await desk.containers.cli(f"channel request hangup {channel}")
    for caller in (by_ami, by_console):
        await caller.ended(5)
    await desk.until_waiting("hall", 0)
    rows = await compare(desk)
    assert [row["outcome"] for row in rows] == ["abandoned", "abandoned"]
    assert not alice.rang()


async def test_nobody_waits_where_no_agent_is_logged_on_and_nobody_beyond_the_limit(desk: Desk) -> None:
    refused = await desk.call("641")
    assert (await refused.ended(5)).ended_by == "far end"
    alice = await desk.log_on(1001, "narrow", ready=False)
    waiting = await desk.call("641")
    await desk.until_waiting("narrow", 1)
    one_too_many = await desk.call("641")
    assert (await one_too_many.ended(5)).ended_by == "far end"
    await alice.set("SESSION_ENDED")
    assert (await waiting.ended(5)).ended_by == "far end"

    (row,) = await compare(desk)
    assert (row["caller"], row["outcome"]) == (waiting.result.caller, "left_empty")
    queue = await desk.queue("narrow")
    assert (queue["total_calls_refused"], queue["total_calls_queued"], queue["final_disposition"]) == (2, 1, 1)


# Who talks --------------------------------------------------------------------------------------------------------


async def test_a_caller_redirected_out_of_a_talk_leaves_the_agent_free(desk: Desk, operator: Operator) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "annex")
    away = await desk.call("642")
    await alice.takes(away)
    await asyncio.sleep(0.5)
    await _redirect(operator, await operator.channel_of(away.result.caller), "650")
    await alice.until_session("BUSY_WRAPUP", 2)
    await alice.phone.wait_until_idle()
    await alice.wrap_up(end=True)
    to_queue = await desk.call("642")
    await alice.takes(to_queue)
    await asyncio.sleep(0.5)
    await _redirect(operator, await operator.channel_of(to_queue.result.caller), "643")
    await bob.takes(to_queue)
    await alice.until_session("BUSY_WRAPUP", 2)
    assert (await bob.session())["state"] == "BUSY_ON_CALL"
    await away.hangup()
    await to_queue.hangup()
    await bob.until_session("BUSY_WRAPUP")

    await desk.reaches(alice, "642")
    await desk.reaches(bob, "643")
    first, second, third, *_ = await desk.rows()
    assert [row["agent"] for row in (first, second, third)] == [alice.id, alice.id, bob.id]
    assert (await desk.queue("annex"))["total_calls_flowed_in"] == 1
    # Asterisk writes the end of a redirected call when the caller is gone for good.
    await compare(desk, misjudged=[first["call"], second["call"]])


async def test_a_talk_that_somebody_ends_is_over_for_the_agent_too(desk: Desk, operator: Operator) -> None:
    alice = await desk.log_on(1001, "hall")
    for whose, by_console in (("caller", False), ("agent", False), ("caller", True), ("agent", True)):
        caller = await desk.call("642")
        await alice.takes(caller, seconds=6)
        await asyncio.sleep(0.3)
        channel = await operator.channel_of(alice.id if whose == "agent" else caller.result.caller)
        if by_console:
            await desk.containers.cli(f"channel request hangup {channel}")
        else:
            await operator.send("Hangup", Channel=channel)
        await alice.until_session("BUSY_WRAPUP", 2)
        await desk.settle()
    rows = await compare(desk)
    assert [row["outcome"] for row in rows] == ["answered"] * 4


async def test_a_phone_hung_up_by_somebody_while_it_rings_has_missed_a_call_and_rings_again(
    desk: Desk, operator: Operator
) -> None:
    alice = await desk.log_on(1001, "hall")
    caller = await desk.call("642")
    await alice.rings(caller)
    await operator.send("Hangup", Channel=await operator.channel_of(alice.id))
    await alice.until_released(caller)
    await alice.takes(caller)
    await asyncio.sleep(0.5)
    await caller.hangup()
    await desk.settle()
    (row,) = await compare(desk)
    assert row["outcome"] == "answered"
