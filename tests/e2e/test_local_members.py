"""Agents logged on at Local channels, which lead to their phones through the dialplan."""

import asyncio

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Desk

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

OPTIMISED, KEPT = "Local/1001@phones", "Local/1001@phones/n"
BOTH = pytest.mark.parametrize("address", [OPTIMISED, KEPT], ids=["optimised_away", "kept"])


@BOTH
async def test_talk_of_an_agent_behind_a_local_channel_is_what_his_phone_saw(desk: Desk, address: str) -> None:
    alice = await desk.log_on(1001, "hall", address=address)
    given_up = await desk.call("642", patience=1)
    await alice.rings(given_up)
    await given_up.ended(5)
    await alice.until_released(given_up)

    first = await desk.call("642")
    await alice.rings(first)
    await alice.phone.reject()
    await alice.takes(first)
    await alice.until_session("BUSY_ON_CALL")
    waiting = await desk.call("642")
    await asyncio.sleep(2.5)  # longer than it takes to optimise, and two tries of the one who waits
    assert (await alice.session())["state"] == "BUSY_ON_CALL"
    assert not alice.heard_from(waiting)
    await first.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await alice.wrap_up(end=True)

    await alice.takes(waiting)
    await asyncio.sleep(1)
    await alice.phone.hangup()
    assert (await waiting.ended(5)).ended_by == "far end"
    await alice.until_session("BUSY_WRAPUP")
    await desk.settle()
    assert (await alice.agent())["state"] == "READY"
    assert [row["outcome"] for row in await compare(desk)] == ["abandoned", "answered", "answered"]


@BOTH
async def test_an_agent_behind_a_local_channel_is_free_when_the_caller_he_transferred_is_gone(
    desk: Desk, address: str
) -> None:
    alice, bob = await desk.log_on(1001, "hall", address=address), await desk.log_on(1002, "annex")
    caller = await desk.call("642")
    await alice.takes(caller)
    await asyncio.sleep(1)
    await alice.phone.transfer("643")
    await bob.takes(caller)
    await bob.until_session("BUSY_ON_CALL")
    await alice.phone.wait_until_idle()
    if address == OPTIMISED:
        await alice.until_session("BUSY_WRAPUP")
    await caller.hangup()
    await bob.until_session("BUSY_WRAPUP")
    await alice.until_session("BUSY_WRAPUP")
    await desk.reaches(alice, "642")
    await desk.reaches(bob, "643")
