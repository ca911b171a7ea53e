"""More than one phone can answer: all ring at once, or somebody picks up what rings at a colleague's."""

import asyncio

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Agent, Desk
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


async def _chorus(desk: Desk, many: int) -> list[Agent]:
    return [await desk.log_on(1001 + n, "chorus") for n in range(many)]


async def test_of_all_phones_that_ring_one_answers_and_the_others_have_missed_nothing(desk: Desk) -> None:
    agents = await _chorus(desk, 3)
    for _ in range(3):  # one more, and they would be kept from calls, were these missed
        caller = await desk.call("640")
        await asyncio.gather(*(agent.rings(caller, 6) for agent in agents))
        await agents[0].takes(caller)
        for other in agents[1:]:
            await other.until_released(caller)
        await caller.hangup()
        await desk.settle()
    for other in agents[1:]:
        assert [move.state for move in desk.moves_of(other, "chorus")] == ["NEW_SESSION", "READY"]
        assert [move.state for move in desk.moves_of(other)] == ["READY"]
    await desk.reaches(agents[2], "640")
    assert [row["agent"] for row in await compare(desk)] == [*[agents[0].id] * 3, agents[2].id]


async def test_of_two_who_answer_at_the_same_moment_one_has_the_call(desk: Desk) -> None:
    alice, bob = await _chorus(desk, 2)
    for _ in range(3):
        caller = await desk.call("640")
        await asyncio.gather(alice.rings(caller, 6), bob.rings(caller, 6))
        await asyncio.gather(alice.phone.answer(), bob.phone.answer(), return_exceptions=True)
        await until(lambda: len(alice.phone.calls) + len(bob.phone.calls) == 1, 3, "one of them has the call")
        has, has_not = (alice, bob) if alice.phone.calls else (bob, alice)
        await has.until_session("BUSY_ON_CALL")
        await asyncio.sleep(0.5)
        assert (await has_not.agent())["state"] == "READY"
        await caller.hangup()
        await desk.settle()
        assert (await desk.row_of(caller))["agent"] == has.id
    await desk.reaches(alice, "640")
    await desk.reaches(bob, "640")
    await compare(desk)


@pytest.mark.parametrize("ready", [True, False], ids=["who_is_ready", "who_is_not_ready"])
async def test_a_call_that_a_colleague_picks_up_is_his(desk: Desk, ready: bool) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "hall", ready=False)
    caller = await desk.call("642")
    await alice.rings(caller)
    if ready:
        await bob.set_agent("READY")
        await bob.set("READY")
    await bob.phone.dial("*81001")
    await until(lambda: bob.heard and bob.heard[-1].answered, 3, "bob has the call")
    await bob.until_session("BUSY_ON_CALL")
    await alice.until_released(caller)
    await asyncio.sleep(0.5)
    assert (await alice.agent())["state"] == "READY"
    await caller.hangup()
    await bob.until_session("BUSY_WRAPUP")
    await bob.phone.wait_until_idle()

    await desk.settle()
    assert (await bob.session())["state"] == ("READY" if ready else "NOT_READY")
    assert (await alice.session())["number_of_calls"] == 0
    await bob.set("NOT_READY")
    await desk.reaches(alice, "642")
    rows = await compare(desk, misjudged=[(await desk.row_of(caller))["call"]])  # it says that alice had the call
    assert [(row["agent"], row["outcome"]) for row in rows] == [(bob.id, "answered"), (alice.id, "answered")]


async def test_a_call_that_a_phone_without_an_agent_picks_up_is_nobodys(desk: Desk) -> None:
    alice, other = await desk.log_on(1001, "hall"), desk.phones[1005]
    caller = await desk.call("642")
    await alice.rings(caller)
    await other.dial("*81001")
    await until(lambda: other.calls and other.calls[0].state == "established", 3, "the other phone has the call")
    await desk.until_waiting("hall", 0)
    await asyncio.sleep(1)
    assert (await alice.agent())["state"] == "READY"
    await caller.hangup()
    await other.wait_until_idle()
    row = await desk.row_of(caller)
    assert (row["outcome"], row["agent"], row["talk_time"], row["wrap_up_time"]) == ("answered", None, 1, 0)
    assert (await desk.queue("hall"))["total_calls_answered"] == 1
    assert (await alice.session())["number_of_calls"] == 0
    await desk.reaches(alice, "642")
