"""Somebody else changes the members of a queue while their agents are in a call."""

import asyncio

import pytest

from phones.callers import Caller
from tests.e2e.compare import compare
from tests.e2e.desk import Agent, Desk

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

REMOVE = "queue remove member PJSIP/1001 from {}"
ADD = 'queue add member PJSIP/1001 to {} penalty 0 as "Agent 1001"'


async def _the_next_call_is_his(desk: Desk, agent: Agent, talking: Caller, waiting: Caller) -> None:
    """The caller he talks to hangs up; after his wrap-up he takes the one who waits, and all accounts agree."""
    await talking.hangup()
    await agent.until_session("BUSY_WRAPUP")
    await agent.wrap_up(end=True)
    await agent.takes(waiting)
    await waiting.hangup()
    await desk.settle()
    assert len(await compare(desk)) == 2


async def test_a_member_removed_from_his_only_queue_in_mid_call_is_logged_off_after_it(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall")
    caller = await desk.call("642")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    await desk.containers.cli(REMOVE.format("hall"))
    await asyncio.sleep(0.5)
    assert (await alice.session())["state"] == "BUSY_ON_CALL"
    await caller.hangup()
    ended = await alice.until_session("SESSION_ENDED", 2)
    assert (ended["number_of_calls"], ended["total_wrap_up_time_exact"]) == (1, 0)
    await alice.phone.wait_until_idle()
    assert await desk.members() == []
    assert len(await compare(desk)) == 1


async def test_a_member_removed_and_put_back_in_mid_call_is_there_after_it(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall")
    caller = await desk.call("642")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    await desk.containers.cli(REMOVE.format("hall"))
    await desk.containers.cli(ADD.format("hall"))
    await desk.until_members("hall", "wrapup")
    waiting = await desk.call("642")
    await asyncio.sleep(1.2)
    assert not alice.heard_from(waiting)
    await _the_next_call_is_his(desk, alice, caller, waiting)


async def test_a_member_removed_from_one_of_two_queues_in_mid_call_serves_the_other(desk: Desk) -> None:
    await desk.api.put("/acd-groups/both", {"queues": ["hall", "annex"]})
    alice = await desk.log_on(1001, "both")
    caller = await desk.call("642")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    await desk.containers.cli(REMOVE.format("hall"))
    await caller.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await desk.reaches(alice, "643")
    assert await desk.members("hall") == []

    during = await desk.call("643")
    await alice.takes(during, seconds=6)
    await desk.containers.cli(ADD.format("hall"))
    await desk.until_members("hall", "wrapup")
    await during.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await desk.reaches(alice, "642")
    assert [row["queue"] for row in await compare(desk)] == ["hall", "annex", "annex", "hall"]


async def test_an_unpause_at_the_console_in_mid_call_is_undone(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall", "annex")
    caller = await desk.call("642")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL", group="hall")
    await desk.containers.cli("queue unpause member PJSIP/1001")
    for queue in ("hall", "annex"):
        await desk.until_members(queue, "wrapup")
    assert (await alice.session("hall"))["state"] == "BUSY_ON_CALL"
    await desk.containers.cli("queue unpause member PJSIP/1001 queue annex")
    await desk.until_members("annex", "wrapup")
    await caller.hangup()
    await alice.until_session("BUSY_WRAPUP", group="hall")
    await desk.reaches(alice, "643")
    await compare(desk)


async def test_reloads_in_mid_call_change_nothing(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall")
    caller = await desk.call("642")
    await alice.takes(caller)
    waiting = await desk.call("642")
    await desk.until_waiting("hall", 1)
    for command in ("queue reload all", "core reload", "queue reset stats"):
        await desk.containers.cli(command)
        await asyncio.sleep(1.2)  # a try of the one who waits
        assert (await alice.session())["state"] == "BUSY_ON_CALL", command
        assert not alice.heard_from(waiting), command
    await _the_next_call_is_his(desk, alice, caller, waiting)
