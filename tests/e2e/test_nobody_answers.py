"""Callers whom no agent takes: paused, silent, busy or out of reach by penalty; and how they leave."""

import pytest

from tests.e2e.compare import near
from tests.e2e.local_calls import LocalCalls

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


async def test_while_all_are_paused_nobody_rings_and_leaving_by_time_is_told_from_giving_up(local: LocalCalls) -> None:
    """Asterisk sends QueueCallerAbandon for both."""
    alice = await local.log_on("1@answers", "one", ready=False)
    bob = await local.log_on("2@answers", "one")
    await bob.set("NOT_READY", "lunch")
    out_of_time = await local.call("one", PATIENCE=2, STAYS=1)
    given_up = await local.waits("one", stay=1)
    rows = [await local.until_over(caller, 8) for caller in (out_of_time, given_up)]

    assert [row["outcome"] for row in rows] == ["timed_out", "abandoned"]
    assert [row["wait_time_exact"] for row in rows] == [near(2, 1.1), near(0.5)]
    assert len(local.operator.heard("QueueCallerAbandon")) == 2 and not local.operator.heard("AgentCalled")
    assert [(await seat.session())["state"] for seat in (alice, bob)] == ["NOT_READY", "NOT_READY"]
    await local.accounts_agree()
    queue = await local.desk.queue("one")
    assert (queue["total_calls_abandoned"], queue["final_disposition"]) == (1, 1)


async def test_who_does_not_answer_rings_again_and_again_and_has_had_no_call(local: LocalCalls) -> None:
    alice = await local.log_on("1@rings", "one")
    await local.log_on("2@answers", "one", ready=False)
    before = await alice.session()
    caller = await local.call("one", PATIENCE=3)
    row = await local.until_over(caller, 8)

    assert row["outcome"] == "timed_out"
    rung = caller.lived_through("AgentCalled", "AgentRingNoAnswer", "QueueCallerAbandon", "QueueCallerLeave")
    assert rung == ["AgentCalled", "AgentRingNoAnswer"] * 2 + ["QueueCallerAbandon", "QueueCallerLeave"]
    interfaces = {one.get("Interface") for one in local.operator.heard("AgentCalled", Uniqueid=caller.call)}
    assert interfaces == {alice.address}, "who is paused is not called"
    after = await alice.session()
    assert (after["state"], after["state_since"]) == ("READY", before["state_since"])
    assert (after["number_of_calls"], after["longest_time_to_answer"]) == (0, 0)
    await local.accounts_agree()


async def test_a_busy_member_costs_no_time_and_without_retries_one_silence_is_the_end(local: LocalCalls) -> None:
    silent = await local.log_on("1@rings", "two")
    leaves = await local.call("two", OPTIONS="n")  # as many rounds as there are members
    busy, bob = await local.log_on("2@is-busy", "one"), await local.log_on("3@answers", "one")
    stays = await local.call("one", stay=1)
    assert (await stays.reaches("AgentConnect")).get("Interface") == bob.address
    assert len(local.operator.heard("AgentRingNoAnswer", Interface=busy.address)) == 1
    row = await local.until_over(stays)
    assert row["agent"] == bob.id and row["wait_time_exact"] < 1.5

    row = await local.until_over(leaves)
    assert (row["outcome"], row["wait_time_exact"]) == ("timed_out", near(1, 1))
    assert leaves.lived_through("AgentCalled", "AgentRingNoAnswer") == ["AgentCalled", "AgentRingNoAnswer"]
    for seat in (silent, busy):
        session = await seat.session()
        assert (session["state"], session["number_of_calls"]) == ("READY", 0)
    await local.accounts_agree()


async def test_a_member_beyond_the_callers_penalty_never_rings(local: LocalCalls) -> None:
    alice = await local.log_on("1@answers", "one")
    bob = await local.log_on("2@answers", "one")
    await local.operator.send("QueuePenalty", Interface=alice.address, Penalty=10, Queue="one")
    await local.operator.send("QueuePenalty", Interface=bob.address, Penalty=20, Queue="one")
    near_ones = await local.waits("one", PATIENCE=2, QUEUE_MAX_PENALTY=5)
    far_ones = await local.call("one", stay=1, QUEUE_MIN_PENALTY=15)
    connect = await far_ones.reaches("AgentConnect")
    assert connect.get("Interface") == bob.address

    assert (await local.until_over(near_ones))["outcome"] == "timed_out"
    assert len(local.operator.heard("AgentCalled")) == 1
    assert (await alice.session())["state"] == "READY"
    await local.accounts_agree()


async def test_where_the_paused_count_as_absent_a_pause_throws_callers_out_and_keeps_them_out(
    local: LocalCalls,
) -> None:
    alice = await local.log_on("1@answers", "strict")
    talking = await local.call("strict")
    await alice.until_session("BUSY_ON_CALL")  # and so is paused, with acd's own reason
    refused = await local.call("strict")
    await local.operator.hears("UserEvent", Uniqueid=refused.call, Status="JOINEMPTY")
    assert (await local.desk.queue("strict"))["total_calls_refused"] == 1
    await talking.hangs_up()
    await local.end_wrap_up(alice, "strict")
    await alice.until_session("READY")

    bob = await local.log_on("2@rings", "strict")
    await alice.set("NOT_READY", "lunch")
    waiting = await local.waits("strict")
    await waiting.reaches("AgentCalled")
    await bob.set("NOT_READY", "lunch")
    assert (await local.until_over(waiting))["outcome"] == "left_empty"
    await local.accounts_agree()
    queue = await local.desk.queue("strict")
    assert (queue["total_calls_queued"], queue["total_calls_abandoned"], queue["final_disposition"]) == (2, 0, 1)
