"""One caller and one agent, and what Queue()'s options make of the end of their call."""

import pytest

from tests.e2e.compare import PICKS_UP, near
from tests.e2e.desk import moment
from tests.e2e.local_calls import EXACT, LocalCalls, at

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

OF_THE_CALLER = ("QueueCallerJoin", "AgentCalled", "QueueCallerLeave", "AgentConnect")


async def test_a_call_is_told_by_five_events_each_once_and_becomes_one_row(local: LocalCalls) -> None:
    alice = await local.log_on("1@answers", "one")
    caller = await local.call("one", stay=2)
    await alice.until_session("BUSY_ON_CALL")
    row = await local.until_over(caller)
    # it names the agent alone where the caller's channel is gone by then
    complete = await local.operator.hears("AgentComplete", Queue="one", Interface=alice.address)

    assert caller.lived_through(*OF_THE_CALLER, "QueueCallerAbandon", "AgentRingNoAnswer") == [*OF_THE_CALLER]
    told = [local.operator.heard(event, Queue="one", Uniqueid=caller.call)[0] for event in OF_THE_CALLER]
    assert (told[0].get("Position"), told[0].get("Count")) == ("1", "1")
    assert {one.get("Interface") for one in told if one.event.startswith("Agent")} == {alice.address}
    assert local.operator.heard("AgentComplete", Queue="one") == [complete]
    assert complete.get("Reason") == "caller"
    assert (row["caller"], row["agent"], row["outcome"]) == (caller.number, alice.id, "answered")
    assert moment(row["answered"]) == near(at(told[3]), EXACT)
    await local.end_wrap_up(alice, "one")
    assert len(await local.accounts_agree()) == 1
    queue = await local.desk.queue("one")
    assert (queue["total_calls_queued"], queue["total_calls_answered"]) == (1, 1)


async def test_a_caller_who_goes_on_in_the_dialplan_after_the_agent_hung_up_keeps_nobody_busy(
    local: LocalCalls,
) -> None:
    alice = await local.log_on("1@answers-briefly", "one")
    await local.wrap_up_time(0, "one")
    caller = await local.call("one", OPTIONS="c", STAYS=60)
    complete = await caller.reaches("AgentComplete")
    assert complete.get("Reason") == "agent"
    await local.operator.hears("UserEvent", Uniqueid=caller.call, Status="CONTINUE")
    session = await alice.until_session("READY", 2)

    assert session["number_of_calls"] == 1 and not local.operator.heard("Hangup", Uniqueid=caller.call)
    assert (await local.row_of(caller))["talk_time_exact"] == near(1.5 + PICKS_UP)
    another = await local.waits("one", OPTIONS="c")
    await another.reaches("AgentConnect")  # while the first is still on the line
    await caller.hangs_up()
    await another.gone()
    assert [row["outcome"] for row in await local.accounts_agree()] == ["answered", "answered"]


async def test_an_agent_who_disconnects_by_code_has_talked_until_then_whatever_agent_complete_says(
    local: LocalCalls,
) -> None:
    alice = await local.log_on("1@answers", "one")
    await local.wrap_up_time(0, "one")
    caller = await local.call("one", OPTIONS="ch", STAYS=2)
    connect = await caller.reaches("AgentConnect")
    await alice.until_session("BUSY_ON_CALL")
    for digit in "*0":
        await local.operator.send("PlayDTMF", Channel=connect.get("DestChannel"), Digit=digit, Receive="true")
    ended = await local.operator.hears("Hangup", Uniqueid=connect.get("DestUniqueid"))
    session = await alice.until_session("READY", 1)
    assert session["total_talk_time_exact"] == near(at(ended) - at(connect), EXACT)

    # minutes later, if the caller stays for minutes; and it names nobody when his channel is gone by then
    complete = await local.operator.hears("AgentComplete", Interface=alice.address)
    assert (complete.get("Reason"), at(complete) - at(ended) > 1.5) == ("caller", True)
    await caller.gone()
    await local.accounts_agree()
    assert (await alice.session())["number_of_calls"] == 1


async def test_an_agent_who_goes_on_in_the_dialplan_after_the_caller_is_on_the_call_until_he_leaves(
    local: LocalCalls,
) -> None:
    """He is on the phone because of this call, and nobody can reach him: READY or wrap-up would be untrue."""
    alice = await local.log_on("1@answers", "one")
    await local.wrap_up_time(0, "one")
    caller = await local.call("one", stay=1, OPTIONS="F(after-the-caller^s^1)")
    connect = await caller.reaches("AgentConnect")
    await local.operator.hears("UserEvent", UserEvent="AgentGoesOn", Uniqueid=connect.get("DestUniqueid"))
    await caller.gone()
    second = await local.call("one", PATIENCE=1)
    assert (await local.until_over(second))["outcome"] == "timed_out"
    assert not local.operator.heard("AgentCalled", Uniqueid=second.call)
    assert (await alice.session())["state"] == "BUSY_ON_CALL" and (await alice.agent())["state"] == "BUSY_ACD"

    await local.operator.send("Hangup", Channel=connect.get("DestChannel"))
    session = await alice.until_session("READY")
    ended = await local.operator.hears("Hangup", Uniqueid=connect.get("DestUniqueid"))
    assert session["total_talk_time_exact"] == near(at(ended) - at(connect), EXACT)
    await local.accounts_agree()
