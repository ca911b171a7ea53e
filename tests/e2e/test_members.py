"""Somebody else changes the members of a queue while their agents are in a call."""

import asyncio

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Desk, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

REMOVE = "queue remove member PJSIP/1001 from {}"
ADD = 'queue add member PJSIP/1001 to {} penalty 0 as "Agent 1001"'


async def _members_are(desk: Desk, queue: str, *paused: str) -> None:
    """One member for each word, with such a pause; "" is none."""

    async def look() -> bool:
        shown = await desk.members(queue)
        return len(shown) == len(paused) and all(
            (f"paused:{word}" in line) if word else ("paused" not in line)
            for line, word in zip(shown, paused, strict=True)
        )

    await eventually(look, 3, f"{queue} has members {paused}")


async def test_a_member_removed_from_his_only_queue_in_mid_call_is_logged_off_after_it(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    await desk.containers.cli(REMOVE.format("support"))
    await asyncio.sleep(0.5)
    assert (await alice.session())["state"] == "BUSY_ON_CALL"
    await caller.hangup()
    ended = await alice.until_session("SESSION_ENDED", 2)
    assert (ended["number_of_calls"], ended["total_wrap_up_time_exact"]) == (1, 0)
    await alice.phone.wait_until_idle()
    assert await desk.members() == []
    assert len(await compare(desk)) == 1


@pytest.mark.xfail(strict=True, reason="the log-off that his removal asked for is still carried out")
async def test_a_member_removed_and_put_back_in_mid_call_is_there_after_it(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    await desk.containers.cli(REMOVE.format("support"))
    await desk.containers.cli(ADD.format("support"))
    await _members_are(desk, "support", "wrapup")
    waiting = await desk.call("605")
    await asyncio.sleep(1.2)
    assert not alice.heard_from(waiting)
    await caller.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await alice.wrap_up(end=True)
    await alice.takes(waiting)
    await waiting.hangup()
    await desk.settle()
    assert len(await compare(desk)) == 2


async def test_a_member_removed_from_one_of_two_queues_in_mid_call_serves_the_other(desk: Desk) -> None:
    await desk.api.put("/acd-groups/both", {"queues": ["support", "sales"]})
    alice = await desk.log_on(1001, "both")
    caller = await desk.call("605")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    await desk.containers.cli(REMOVE.format("support"))
    await caller.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await desk.reaches(alice, "601")
    assert await desk.members("support") == []

    during = await desk.call("601")
    await alice.takes(during, seconds=6)
    await desk.containers.cli(ADD.format("support"))
    await _members_are(desk, "support", "wrapup")
    await during.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await desk.reaches(alice, "605")
    assert [row["queue"] for row in await compare(desk)] == ["support", "sales", "sales", "support"]


async def test_an_unpause_at_the_console_in_mid_call_is_undone(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", "sales")
    caller = await desk.call("605")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL", group="support")
    await desk.containers.cli("queue unpause member PJSIP/1001")
    for queue in ("support", "sales"):
        await _members_are(desk, queue, "wrapup")
    assert (await alice.session("support"))["state"] == "BUSY_ON_CALL"
    await desk.containers.cli("queue unpause member PJSIP/1001 queue sales")
    await _members_are(desk, "sales", "wrapup")
    await caller.hangup()
    await alice.until_session("BUSY_WRAPUP", group="support")
    await desk.reaches(alice, "601")
    await compare(desk)


async def test_reloads_in_mid_call_change_nothing(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605")
    await alice.takes(caller)
    waiting = await desk.call("605")
    await desk.until_waiting("support", 1)
    for command in ("queue reload all", "core reload", "queue reset stats"):
        await desk.containers.cli(command)
        await asyncio.sleep(1.2)  # a try of the one who waits
        assert (await alice.session())["state"] == "BUSY_ON_CALL", command
        assert not alice.heard_from(waiting), command
    await caller.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await alice.wrap_up(end=True)
    await alice.takes(waiting)
    await waiting.hangup()
    await desk.settle()
    assert len(await compare(desk)) == 2
