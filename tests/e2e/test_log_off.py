"""Agents who leave at an awkward moment, miss calls, or whose phone vanishes."""

import asyncio

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Desk, Json, eventually
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


async def test_a_log_off_while_the_phone_rings_waits_for_the_call_if_it_is_answered(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall")
    caller = await desk.call("642")
    await alice.rings(caller)
    asked = await alice.set("SESSION_ENDED")
    assert (asked["state"], asked["next_state"]) == ("READY", "SESSION_ENDED")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    await asyncio.sleep(0.5)
    await caller.hangup()
    ended = await alice.until_session("SESSION_ENDED", 2)
    assert (ended["number_of_calls"], ended["total_wrap_up_time_exact"]) == (1, 0)
    await alice.phone.wait_until_idle()
    assert await desk.members() == []
    assert len(await compare(desk)) == 1

    await alice.log_on("hall")
    await alice.set("READY")
    await desk.reaches(alice, "642")


async def test_a_log_off_while_the_phone_rings_happens_when_it_is_not_answered(desk: Desk) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "hall", ready=False)
    caller = await desk.call("642")
    await alice.rings(caller)
    assert (await alice.set("SESSION_ENDED"))["next_state"] == "SESSION_ENDED"
    await alice.phone.reject()
    await alice.until_session("SESSION_ENDED", 2)
    await asyncio.sleep(1.5)  # a try of the one who waits
    assert len(alice.heard_from(caller)) == 1
    assert len(await desk.members("hall")) == 1
    await bob.set_agent("READY")
    await bob.set("READY")
    await bob.takes(caller)
    await caller.hangup()
    await desk.settle()
    (row,) = await compare(desk)
    assert row["agent"] == bob.id


async def test_a_log_off_while_the_phone_rings_happens_when_the_caller_gives_up(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall")
    caller = await desk.call("642")
    await alice.rings(caller)
    await alice.set("SESSION_ENDED")
    await caller.hangup()
    await alice.until_session("SESSION_ENDED", 2)
    assert await desk.members() == []
    (row,) = await compare(desk)
    assert row["outcome"] == "abandoned"


async def test_a_log_off_in_wrap_up_ends_it_there(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall")
    caller = await desk.call("642")
    await alice.takes(caller)
    await asyncio.sleep(0.5)
    await caller.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await asyncio.sleep(1)
    ended = await alice.set("SESSION_ENDED")
    assert ended["state"] == "SESSION_ENDED" and ended["total_wrap_up_time_exact"] == pytest.approx(1, abs=0.5)
    assert await desk.members() == []
    agent = await alice.agent()
    assert (agent["state"], agent["sessions"]) == ("READY", [])
    assert len(await compare(desk)) == 1


async def test_an_agent_who_misses_three_calls_in_a_row_is_not_ready(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall")
    taken = await desk.call("642")
    for _ in range(2):
        await alice.rings(taken)
        await alice.phone.reject()
        await alice.phone.wait_until_idle()
    await alice.takes(taken)  # which begins the count anew
    await taken.hangup()
    await desk.settle()
    caller = await desk.call("642")
    for _ in range(3):
        await alice.rings(caller)
        assert (await alice.agent())["state"] == "READY"
        await alice.phone.reject()
        await alice.phone.wait_until_idle()
    session = await alice.until_session("NOT_READY", 2)
    assert session["reason"] == "missed calls"
    agent = await alice.agent()
    assert (agent["state"], agent["reason"]) == ("NOT_READY", "missed calls")
    await desk.until_members("hall", "missed calls")
    await asyncio.sleep(1.5)
    assert alice.heard_from(caller)[-1].ended

    await alice.set_agent("READY")
    await alice.set("READY")
    await alice.takes(caller)
    await caller.hangup()
    await desk.settle()
    assert len(await compare(desk)) == 2


# Phones that vanish -----------------------------------------------------------------------------------------------


async def _until_address(desk: Desk, address: str, state: str) -> None:
    async def look() -> list[Json]:
        shown = (await desk.api.get("/addresses"))["items"]
        return [one for one in shown if (one["address"], one["state"]) == (address, state)]

    await eventually(look, 5, f"{address} is {state}")


async def test_an_agent_whose_phone_vanishes_is_unknown_until_it_is_back(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall")
    await alice.phone.command("uadel", "sip:1001@asterisk")
    await alice.until_agent("UNKNOWN")
    assert (await alice.session())["state"] == "READY"
    await _until_address(desk, alice.address, "OUTOFSERVICE")

    await alice.phone.command("quit")  # the phones' container starts it again
    await until(lambda: not alice.phone.registered, 5, "the phone is off")
    await alice.phone.wait_until_registered()
    await alice.until_agent("READY")
    await _until_address(desk, alice.address, "INSERVICE")
    await desk.reaches(alice, "642")
    await compare(desk)


@pytest.mark.parametrize("politely", [True, False])
async def test_a_phone_that_vanishes_in_mid_call_leaves_nobody_busy(desk: Desk, politely: bool) -> None:
    alice = await desk.log_on(1001, "hall")
    caller = await desk.call("642")
    await alice.takes(caller)
    await asyncio.sleep(0.5)
    if politely:
        await alice.phone.command("quit")
        assert (await caller.ended(5)).ended_by == "far end"
    else:
        await desk.containers.kill_phone(1001)
        await until(lambda: not alice.phone.registered, 5, "the phone is off")
        await alice.phone.wait_until_registered()
        assert (await alice.session())["state"] == "BUSY_ON_CALL", "Asterisk has heard nothing"
        await caller.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await alice.wrap_up(end=True)
    await alice.phone.wait_until_registered()
    await alice.until_agent("READY")
    await desk.reaches(alice, "642")
    assert [row["outcome"] for row in await desk.rows()] == ["answered"] * 2
